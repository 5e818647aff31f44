/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Golden plans: NAME.snapshot + NAME.conf (+ NAME.records) -> NAME.plan.
 *
 * usage: golden [--update] FOLDER
 *
 * The laws of plans (laws.h) must hold of every plan. It is also applied to a model of the kernel
 * (model.h), after which planning again must yield nothing to do. Each case is a test of its own
 * for check. NAME.records has lines "ADDRESS WORD..." (see read_record). */
#include "unit.h"

#include <errno.h>

#include "base/rootfs.h"
#include "laws.h"
#include "model.h"
#include "model/snapshot-text.h"
#include "plan/make.h"
#include "plan/text.h"
#include "policy/parse.h"

static const char *folder;
/* The first line of a policy that has one, of which the rest is in force. */
#define WITH_AN_ERROR "# with an error\n"

static bool update;
static char *names[256];
static size_t n_names;

/* The content of FOLDER/NAME.SUFFIX, "" if there is none. */
static char *read_case(const char *name, const char *suffix)
{
    CLEANUP_FREE char *path = NULL, *absolute = NULL;
    CLEANUP_CLOSE int root = rootfs_open_root("/");
    char *text;
    size_t size;

    ck_assert(asprintf(&path, "%s/%s.%s", folder, name, suffix) > 0);
    absolute = realpath(path, NULL);
    if (!absolute)
        return strdup("");
    ck_assert_int_eq(rootfs_read_file(root, absolute + 1, 1 << 20, &text, &size), 0);
    return text;
}

static void set_failed(struct record *r, int error, enum action_kind at)
{
    r->state = record_is_released(r) ? RECORD_RELEASE_FAILED : RECORD_FAILED;
    r->error = error;
    r->failed_at = at;
}

/* VENDOR:DEVICE:CLASS of what was refused there. */
static void read_refusal(struct record *r, const char *text)
{
    unsigned vendor, device, class_code;

    ck_assert_msg(sscanf(text, "%4x:%4x:%6x", &vendor, &device, &class_code) == 3, "%s", text);
    r->past = (struct record_past){.refused = true,
                                   .vendor = (uint16_t)vendor,
                                   .device = (uint16_t)device,
                                   .class_code = class_code};
}

/* "bind-error=22", "override-error=1"; "suspect", "dead", "reset-method=flr" (written),
 * "reset-error=22" (after it: it was refused); "offer-owed", "offer-due". Returns whether the word
 * is one of these. */
static bool read_trouble(struct record *r, const char *word)
{
    const char *method = after_prefix(word, "reset-method="),
               *error = after_prefix(word, "reset-error="),
               *bind = after_prefix(word, "bind-error="),
               *override = after_prefix(word, "override-error=");

    if (streq(word, "offer-owed") || streq(word, "offer-due"))
        r->offer = streq(word, "offer-due") ? OFFER_DUE : OFFER_OWED;
    else if (method)
        r->reset_method = strdup(method);
    else if (error)
        r->reset_error = atoi(error);
    else if (bind || override)
        set_failed(r, atoi(bind ? bind : override), bind ? ACTION_BIND : ACTION_OVERRIDE);
    else if (streq(word, "suspect") || streq(word, "dead"))
        r->health = streq(word, "dead") ? HEALTH_DEAD : HEALTH_SUSPECT;
    else
        return false;
    return true;
}

/* What is remembered of a physical function's virtual ones. */
static bool read_vfs_word(const char *word, struct record_vfs *v)
{
    const char *value;

    if ((value = after_prefix(word, "made=")))
        v->made = (uint16_t)atoi(value);
    else if (streq(word, "autoprobe-off"))
        v->autoprobe_off = true;
    else if (streq(word, "tried"))
        v->tried = true;
    else if (streq(word, "vfs-released"))
        v->released = true;
    else if ((value = after_prefix(word, "vfs-error=")))
        v->error = atoi(value), v->tried = true;
    else
        return false;
    return true;
}

static void read_record(char *line, struct records *records)
{
    char *save = NULL, *word = strtok_r(line, " ", &save);
    struct pci_addr a;

    ck_assert_msg(pci_addr_parse(word, &a) == 0, "%s", word);
    struct record *r = records_get(records, a);
    while ((word = strtok_r(NULL, " ", &save))) {
        const char *value;
        if (streq(word, "hotplugged"))
            r->arrival = ARRIVAL_PLUGGED;
        else if (streq(word, "fresh"))
            r->fresh = true, r->arrival = ARRIVAL_PLUGGED;
        else if (streq(word, "unused-before"))
            r->arrival = ARRIVAL_UNUSED;
        else if (streq(word, "ours")) /* by an earlier run */
            r->override = OVERRIDE_MAYBE;
        else if (streq(word, "overridden"))
            r->override = OVERRIDE_OURS, r->override_text = strdup("vfio-pci");
        else if (strncmp(word, "overridden=", strlen("overridden=")) == 0) /* by an earlier run */
            r->override = OVERRIDE_MAYBE, r->override_text = strdup(word + strlen("overridden="));
        else if (streq(word, "placeholder"))
            r->placeholder = true;
        else if (streq(word, "touched"))
            r->touched = true;
        else if (streq(word, "waiting"))
            r->not_before_usec = 1;
        else if (streq(word, "released"))
            r->state = RECORD_RELEASING;
        else if (streq(word, "handed-back")) /* and asked for, where "released" stands before */
            r->state = record_is_released(r) ? RECORD_RELEASED : RECORD_HANDED_BACK;
        else if (streq(word, "contested"))
            r->state = RECORD_CONTESTED;
        else if (streq(word, "unverified"))
            r->state = RECORD_UNVERIFIED;
        else if (streq(word, "in-flight") || streq(word, "stuck"))
            r->work = streq(word, "stuck") ? WORK_STUCK : WORK_RUNNING;
        else if (streq(word, "going-back"))
            r->state = RECORD_HANDING_BACK;
        else if (streq(word, "bound")) /* by us */
            r->binding = BINDING_OURS;
        else if (streq(word, "probing")) /* the link is there, probe() has not returned */
            r->binding = BINDING_UNKNOWN;
        else if (read_trouble(r, word))
            continue;
        else if (streq(word, "users"))
            set_failed(r, EBUSY, ACTION_CHECK), r->holder = strdup("Xorg (PID 7)");
        else if (streq(word, "group-busy"))
            set_failed(r, EBUSY, ACTION_HOLD);
        else if ((value = after_prefix(word, "refused=")))
            read_refusal(r, value);
        else if (streq(word, "had-driver")) /* when it was refused */
            r->past.had_driver = true;
        else if ((value = after_prefix(word, "previous=")))
            r->previous_driver = strdup(value);
        else if (!read_vfs_word(word, &r->vfs))
            ck_abort_msg("unknown word %s", word);
    }
}

/* "dynid armed|begun|learned|narrowed|failed|stays SEVEN FIELDS": an entry, and its state; in the
 * order in which they were added; "stays": it could not be removed. "dynid in-flight" and "dynid
 * hanging": a write of one. */
static void read_entry(const char *line, struct dynids *f)
{
    char word[16];
    struct dynid id;
    int n;

    ck_assert_msg(sscanf(line, "dynid %15s %n", word, &n) == 1 && dynid_parse(line + n, &id), "%s",
                  line);
    struct dynid_entry *e = dynids_get(f, &id);
    e->state = streq(word, "begun")    ? DYNID_BEGUN
               : streq(word, "failed") ? DYNID_OPEN
                                       : DYNID_ARMED;
    if (e->state != DYNID_OPEN)
        e->added = ++f->last_added;
    e->learned = streq(word, "learned");
    e->narrowed = streq(word, "narrowed");
    e->error = streq(word, "failed") ? EINVAL : streq(word, "stays") ? EROFS : 0;
}

static void read_records(char *text, const struct snapshot *s, struct records *records)
{
    char *rest = text, *line;

    for (size_t i = 0; i < s->n; i++)
        if (driver_is_vfio(s->devices[i].driver))
            records_get(records, s->devices[i].addr)->binding = BINDING_FOUND;
    while ((line = strsep(&rest, "\n")))
        if (streq(line, "iommu given-up"))
            records->iommu_given_up = true;
        else if (streq(line, "dynid in-flight"))
            records->dynids.in_flight = true;
        else if (streq(line, "dynid hanging"))
            records->dynids.hanging = 1;
        else if (after_prefix(line, "dynid "))
            read_entry(line, &records->dynids);
        else if (*line && *line != '#')
            read_record(line, records);
}

static void write_case(const char *name, const char *text)
{
    CLEANUP_FREE char *path = NULL;
    ck_assert(asprintf(&path, "%s/%s.plan", folder, name) > 0);
    CLEANUP(fclosep) FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
}

static bool makes_vfs(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_actions; i++)
        if (plan->actions[i].kind == ACTION_SET_VFS ||
            plan->actions[i].kind == ACTION_RESTORE_AUTOPROBE)
            return true;
    return false;
}

START_TEST(golden)
{
    const char *name = names[_i];
    CLEANUP_FREE char *conf = read_case(name, "conf"), *snapshot = read_case(name, "snapshot"),
                      *records_text = read_case(name, "records"), *wanted = read_case(name, "plan"),
                      *found = NULL;
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(plan_done) struct plan plan = {0}, again = {0};
    struct model m;
    char why[256];
    unsigned line = 0;
    size_t size;

    policy_init(&p);
    ck_assert_int_eq(policy_parse(&p, name, conf, strlen(conf), &d), 0);
    policy_finish(&p, &d);
    const bool wrong = strncmp(conf, WITH_AN_ERROR, strlen(WITH_AN_ERROR)) == 0;
    ck_assert_msg((d.errors > 0) == wrong, "%s", d.n ? d.v[0].text : "no error");
    ck_assert_msg(snapshot_read(&s, snapshot, &line) == 0, "%s.snapshot:%u", name, line);
    records.dynids.order = snapshot_order(&s, DYNID_DRIVER);
    read_records(records_text, &s, &records);

    ck_assert_int_eq(plan_make(&p, &s, &records, &plan), 0);
    FILE *f = open_memstream(&found, &size);
    plan_write(&plan, &s, &records, f);
    for (size_t i = 0; i < plan.n_actions; i++)
        if (plan.actions[i].kind == ACTION_NEW_ID && plan.actions[i].narrowed)
            fprintf(f, "narrowed: %s\n", dynid_words(plan.actions[i].dynid).s);
    fclose(f);
    if (update)
        write_case(name, found);
    else
        ck_assert_msg(streq(found, wanted), "%s.plan\n--- wanted\n%s--- found\n%s", name, wanted,
                      found);

    ck_assert_msg(laws_hold(&p, &s, &records, &plan, why), "%s", why);
    model_init(&m, &s, &records, &plan);
    ck_assert_msg(model_apply(&m, &plan, plan.n_actions), "%s", m.why);
    ck_assert_msg(model_table_is_on_record(&m), "%s", m.why);
    ck_assert_int_eq(plan_make(&p, &s, &records, &again), 0);
    /* Virtual functions that were made are bound by a plan of their own. */
    for (int i = 0; i < 3 && again.n_actions > 0 && (makes_vfs(&plan) || makes_vfs(&again)); i++) {
        model_take_vfs(&m, &again);
        ck_assert_msg(laws_hold(&p, &s, &records, &again, why), "%s", why);
        ck_assert_msg(model_apply(&m, &again, again.n_actions), "%s", m.why);
        plan_done(&again);
        ck_assert_int_eq(plan_make(&p, &s, &records, &again), 0);
    }
    ck_assert_msg(again.n_actions == 0, "%zu actions are left after applying", again.n_actions);
}
END_TEST

static int by_text(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

int main(int argc, char **argv)
{
    update = argc > 1 && streq(argv[1], "--update");
    folder = argc > 1 + update ? argv[1 + update] : ".";
    CLEANUP(closedirp) DIR *dir = opendir(folder);
    const struct dirent *e;

    while (dir && (e = readdir(dir)) && n_names < ELEMENTS(names)) {
        const char *dot = strstr(e->d_name, ".snapshot");
        if (dot)
            names[n_names++] = strndup(e->d_name, (size_t)(dot - e->d_name));
    }
    if (n_names == 0) {
        fprintf(stderr, "no NAME.snapshot in %s\n", folder);
        return EXIT_FAILURE;
    }
    qsort(names, n_names, sizeof(*names), by_text);

    Suite *suite = suite_create("golden");
    TCase *tcase = tcase_create("golden");
    tcase_set_timeout(tcase, 60); /* shared machines are slow at times */
    tcase_add_loop_test(tcase, golden, 0, (int)n_names);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    if (update)
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (size_t i = 0; i < n_names; i++)
        free(names[i]);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
