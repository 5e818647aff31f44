/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds conf/vfio-bindd.catalog to lib/model/events.def: every event has an entry and no entry is
 * without event; texts use only fields that the event has. usage: catalog FILE */
#include "unit.h"

#include <syslog.h>

#include "base/rootfs.h"
#include "model/state.h"

static const struct {
    const char *name, *id, *fields;
    int priority;
} events[] = {
#define EVENT(name, id, priority, fields, when) {#name, id, #fields, priority},
#include "model/events.def"
#undef EVENT
};

static char *catalog;

/* A line for each device that is in order, at every boot: -x would bury the others. */
static bool needs_no_words(size_t i)
{
    return events[i].priority == LOG_INFO && streq(events[i].fields, "DEVICE");
}

START_TEST(every_event_has_an_entry)
{
    for (size_t i = 0; i < ELEMENTS(events); i++) {
        char head[64];
        ck_assert_uint_eq(strlen(events[i].id), 32);
        ck_assert_uint_eq(strspn(events[i].id, "0123456789abcdef"), 32);
        snprintf(head, sizeof(head), "\n-- %s\nSubject: ", events[i].id);
        const char *entry = strstr(catalog, head);
        ck_assert_msg((entry != NULL) == !needs_no_words(i), "%s entry for %s", entry ? "an" : "no",
                      events[i].name);
        ck_assert_msg(!entry || !strstr(entry + 1, head), "two entries for %s", events[i].name);
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(!streq(events[i].id, events[j].id), "%s and %s have one ID",
                          events[i].name, events[j].name);
    }
}
END_TEST

START_TEST(every_entry_has_an_event)
{
    size_t n = 0, wanted = 0;

    for (size_t i = 0; i < ELEMENTS(events); i++)
        wanted += !needs_no_words(i);
    for (const char *entry = strstr(catalog, "\n-- "); entry; entry = strstr(entry + 1, "\n-- "))
        n++;
    ck_assert_uint_eq(n, wanted);
}
END_TEST

/* Whoever finds a word in VFIO_REASON= or on the bus finds here what it means. Awaiting an IOMMU is
 * an event of its own. */
START_TEST(every_reason_is_explained)
{
    for (enum reason r = REASON_NONE + 1; r < REASON_MAX; r++) {
        size_t n = strlen(reason_word(r));
        bool found = false;
        for (const char *at = catalog; !found && (at = strstr(at, reason_word(r))); at += n)
            found = (at[-1] == '\n' || at[-1] == ' ') &&
                    (at[n] == ':' || at[n] == ',' || (r == REASON_IOMMU_AWAITED && at[n] == ')'));
        ck_assert_msg(found, "no text for the reason %s", reason_word(r));
    }
}
END_TEST

static bool has_field(const char *kind, const char *field)
{
    static const char *const device[] = {"VFIO_ADDRESS", "VFIO_ID",    "VFIO_RULE",  "VFIO_DRIVER",
                                         "VFIO_GROUP",   "VFIO_STATE", "VFIO_REASON"};
    static const char *const policy[] = {"CONFIG_FILE", "CONFIG_LINE"};

    static const char *const request[] = {"VFIO_REQUEST", "VFIO_CALLER_UID", "VFIO_CALLER_PID",
                                          "VFIO_CALLER_UNIT", "VFIO_ADDRESS"};

    if (streq(kind, "REQUEST"))
        return word_index(request, ELEMENTS(request), field) >= 0;
    if (streq(kind, "DEVICE"))
        return word_index(device, ELEMENTS(device), field) >= 0;
    return streq(kind, "POLICY") && word_index(policy, ELEMENTS(policy), field) >= 0;
}

START_TEST(texts_use_only_fields_that_are_there)
{
    for (size_t i = 0; i < ELEMENTS(events); i++) {
        const char *entry = strstr(catalog, events[i].id);
        if (needs_no_words(i))
            continue;
        const char *end = strstr(entry, "\n-- ");
        for (const char *at = strchr(entry, '@'); at && (!end || at < end);) {
            const char *close = strchr(at + 1, '@');
            char field[64];
            ck_assert_ptr_nonnull(close);
            snprintf(field, sizeof(field), "%.*s", (int)(close - at - 1), at + 1);
            ck_assert_msg(has_field(events[i].fields, field), "%s uses @%s@", events[i].name,
                          field);
            at = strchr(close + 1, '@');
        }
    }
}
END_TEST

int main(int argc, char **argv)
{
    CLEANUP_CLOSE int root = rootfs_open_root("/");
    size_t size;

    if (argc != 2 || rootfs_read_file(root, argv[1] + 1, 1 << 20, &catalog, &size) < 0) {
        fprintf(stderr, "usage: catalog FILE (an absolute path)\n");
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("catalog");
    TCase *tcase = tcase_create("catalog");
    tcase_set_timeout(tcase, 60); /* shared machines are slow at times */
    tcase_add_test(tcase, every_event_has_an_entry);
    tcase_add_test(tcase, every_entry_has_an_event);
    tcase_add_test(tcase, every_reason_is_explained);
    tcase_add_test(tcase, texts_use_only_fields_that_are_there);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    free(catalog);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
