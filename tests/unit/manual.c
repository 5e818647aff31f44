/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds the man pages to the words of the bus and the journal: whoever meets a word or a MESSAGE_ID
 * finds it there. usage: manual vfio-bindd.8 vfio-bindd.conf.5 org.vfio.Bindd1.5 */
#include "unit.h"

#include "base/rootfs.h"
#include "model/state.h"

enum page { DAEMON, POLICY, BUS, PAGES };
static char *pages[PAGES];

/* Is the word printed in bold between these two places? Roff writes a hyphen as "\-". */
static bool is_named(const char *from, const char *to, const char *word)
{
    char bold[3][80];
    size_t n = 0;
    char roff[64];

    for (const char *c = word; *c && n + 2 < sizeof(roff); c++) {
        if (*c == '-')
            roff[n++] = '\\';
        roff[n++] = *c;
    }
    roff[n] = '\0';
    snprintf(bold[0], sizeof(bold[0]), "\n.B %s\n", roff);
    snprintf(bold[1], sizeof(bold[1]), "\n.BR %s ", roff);
    snprintf(bold[2], sizeof(bold[2]), "\n.RB ( %s ", roff);
    for (size_t i = 0; i < ELEMENTS(bold); i++) {
        const char *at = strstr(from, bold[i]);
        if (at && at < to)
            return true;
    }
    return false;
}

/* The entry of a list that begins with this line, after the heading. */
static void check_entry(const char *heading, const char *first_line, const char *word)
{
    const char *section = strstr(pages[BUS], heading);
    const char *from = section ? strstr(section, first_line) : NULL;
    const char *to = from ? strstr(from, "\n.TP\n") : NULL;

    ck_assert_msg(to != NULL, "no entry %s", first_line);
    ck_assert_msg(is_named(from, to, word), "%s is not in the entry %s", word, first_line);
}

static bool is_anywhere(enum page page, const char *word)
{
    return is_named(pages[page], pages[page] + strlen(pages[page]), word);
}

START_TEST(every_message_id)
{
    static const char *const ids[] = {
#define EVENT(name, id, priority, fields, when) id,
#include "model/events.def"
#undef EVENT
    };

    for (size_t i = 0; i < ELEMENTS(ids); i++)
        ck_assert_msg(is_anywhere(DAEMON, ids[i]), "%s is not in vfio-bindd(8)", ids[i]);
}
END_TEST

START_TEST(every_state)
{
    for (enum device_state s = 0; s < STATE_MAX; s++) {
        check_entry("\n.SH DEVICE\n", "\n.BR State ", state_word(s));
        ck_assert_msg(is_anywhere(DAEMON, state_word(s)), "%s", state_word(s));
    }
}
END_TEST

/* Those about virtual functions are in vfio-bindd.conf(5). */
START_TEST(every_reason)
{
    for (enum reason r = REASON_NONE + 1; r < REASON_MAX; r++)
        ck_assert_msg(is_anywhere(DAEMON, reason_word(r)) || is_anywhere(POLICY, reason_word(r)),
                      "%s is in no page", reason_word(r));
}
END_TEST

START_TEST(every_problem)
{
    for (unsigned bit = 1; bit < PROBLEM_MAX; bit <<= 1) {
        const char *word = problem_word((enum problem)bit);
        if (!*word) /* a bit that is not used */
            continue;
        check_entry("\n.SH DEVICE\n", "\n.BR Problems ", word);
        ck_assert_msg(is_anywhere(DAEMON, word), "%s is not in vfio-bindd(8)", word);
    }
}
END_TEST

START_TEST(every_action)
{
    for (enum action_kind a = 0; a < ACTION_MAX; a++)
        check_entry("\n.SH MANAGER\n", "\n.BR Plan ", action_word(a));
}
END_TEST

int main(int argc, char **argv)
{
    CLEANUP_CLOSE int root = rootfs_open_root("/");
    size_t size;

    for (int i = 0; i < PAGES; i++)
        if (argc != PAGES + 1 ||
            rootfs_read_file(root, argv[i + 1] + 1, 1 << 20, &pages[i], &size) < 0) {
            fprintf(stderr, "usage: manual vfio-bindd.8 vfio-bindd.conf.5 org.vfio.Bindd1.5 "
                            "(absolute paths)\n");
            return EXIT_FAILURE;
        }
    const TTest *const tests[] = {every_message_id, every_state, every_reason, every_problem,
                                  every_action};
    Suite *suite = suite_create("manual");
    TCase *tcase = tcase_create("manual");
    tcase_set_timeout(tcase, 60); /* shared machines are slow at times */
    for (size_t i = 0; i < ELEMENTS(tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (int i = 0; i < PAGES; i++)
        free(pages[i]);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
