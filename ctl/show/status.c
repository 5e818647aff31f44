/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: prints the state in a sentence, what to type next, and the selected devices. */
#include <errno.h>

#include "device-json.h"
#include "fields.h"
#include "open.h"
#include "physical.h"
#include "plan/alike.h"
#include "show/summary.h"

#define REMARKS_SHOWN 5
#define SAME_SHOWN 6

/* -- text -- */

static void print_fact(const char *name, const char *text)
{
    int at = printf("%8s: ", name);
    if (*text)
        ctl_wrap(stdout, text, (unsigned)at, (unsigned)at);
    else
        puts("-");
}

/* Turns a text with one item per line into a list. */
static char *commas(const char *lines)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (; *lines; lines++)
        fputs(*lines == '\n' ? ", " : (const char[]){*lines, '\0'}, f);
    return fclose(f) == 0 ? text : NULL;
}

/* Only if there is something to say. */
static void print_initramfs(const char *state)
{
    static const struct {
        const char *state, *text;
    } texts[] = {
        {"current", "vfio-bindd ran first, with this policy"},
        {"on-trial", "a policy is on trial, which the initramfs does not have"},
        {"other-policy", "this boot began with another policy (vfio-bindctl check)"},
        {"unfinished", "its pass did not finish (journalctl -b -t vfio-bindd-initramfs)"},
        {"gave-back", "the root file system did not appear, so devices were handed back to the "
                      "host (journalctl -b -t vfio-bindd-initramfs)"},
    };

    for (size_t i = 0; i < ELEMENTS(texts); i++)
        if (streq(texts[i].state, state))
            print_fact("Initrd", texts[i].text);
}

/* Can virtual machines use the nodes of devices? */
static bool has_iommufd(const struct source *s)
{
    return s->live.running ? streq(props_get(&s->live.manager, "Iommufd"), "yes")
                           : s->snapshot.iommufd && s->snapshot.device_nodes;
}

static void print_daemon(const struct source *s)
{
    const struct props *p = &s->live.manager;
    char text[200];

    if (!s->live.running) {
        print_fact("Daemon", s->silent      ? "does not answer"
                             : s->this_host ? "not running"
                                            : "(not part of this tree)");
        return;
    }
    snprintf(text, sizeof(text), "%.40s, version %.40s, first pass %llu ms, %.20s hot-plug events",
             props_get(p, "State"), props_get(p, "Version"),
             strtoull(props_get(p, "ReadyUSec"), NULL, 10) / 1000, props_get(p, "Events"));
    print_fact("Daemon", text);
    snprintf(text, sizeof(text), "%.40s%s", props_get(p, "Iommu"),
             has_iommufd(s) ? "; /dev/iommu for nodes of single devices" : "");
    print_fact("IOMMU", text);
    print_initramfs(props_get(p, "Initramfs"));
}

static void print_policy(const struct source *s)
{
    char *text = NULL;
    size_t size;

    if (s->live.running) {
        CLEANUP_FREE char *files = commas(props_get(&s->live.manager, "PolicyFiles"));
        print_fact("Policy", files ? files : "");
        return;
    }
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return;
    for (size_t i = 0; i < s->policy.n_files; i++)
        fprintf(f, "%s%s", i ? ", " : "", s->policy.files[i]);
    fprintf(f, "%s%zu rule%s", s->policy.n_files ? ": " : "no file, ", s->policy.n_rules,
            s->policy.n_rules == 1 ? "" : "s");
    if (fclose(f) == 0)
        print_fact("Policy", text);
    free(text);
}

/* Prints problems other than those of single devices. Errors in this host's files are printed to
 * standard error; the policy in force may have others. */
static void print_problems(const struct source *s)
{
    CLEANUP_FREE char *words = commas(props_get(&s->live.manager, "Problems"));
    CLEANUP_FREE char *errors = strdup(props_get(&s->live.manager, "PolicyErrors"));
    char *rest = errors, *line;

    if (words && *words)
        print_fact("Problems", words);
    while (s->diags.errors == 0 && rest && (line = strsep(&rest, "\n")))
        if (*line)
            print_fact("Error", line);
}

/* A sentence about a device in addition to its line in the table, or NULL. */
static const char *remark_on(const struct row *r)
{
    if (!r->selected || streq(r->state, state_word(STATE_PENDING)))
        return NULL;
    return r->problem ? r->problem : streq(r->state, state_word(STATE_BOUND)) ? NULL : r->sentence;
}

static bool has_same_remark(const struct row *a, const struct row *b)
{
    return remark_on(b) && sentences_are_alike(remark_on(a), a->d, remark_on(b), b->d);
}

static bool was_remarked(const struct source *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (remark_on(&s->rows[k]) && has_same_remark(&s->rows[k], &s->rows[i]))
            return true;
    return false;
}

/* "The same applies to 0000:07:00.0, 0000:08:00.0 and 4 more." */
static void print_same(const struct source *s, size_t first)
{
    char text[160] = "";
    size_t n = 0;

    for (size_t i = first + 1; i < s->snapshot.n; i++) {
        size_t used = strlen(text);
        if (!has_same_remark(&s->rows[first], &s->rows[i]))
            continue;
        if (n++ < SAME_SHOWN)
            snprintf(text + used, sizeof(text) - used, "%s %s", n > 1 ? "," : "",
                     pci_addr_text(s->rows[i].d->addr).s);
    }
    if (n == 0)
        return;
    size_t used = strlen(text);
    if (n > SAME_SHOWN)
        snprintf(text + used, sizeof(text) - used, " and %zu more", n - SAME_SHOWN);
    char line[sizeof(text) + 32];
    snprintf(line, sizeof(line), "The same applies to%s.", text);
    fputs("  ", stdout);
    ctl_wrap(stdout, line, 2, 2);
}

static void print_remarks(const struct source *s)
{
    size_t shown = 0, left = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        const char *text = remark_on(&s->rows[i]);
        if (!text || was_remarked(s, i))
            continue;
        if (shown++ >= REMARKS_SHOWN) {
            left++;
            continue;
        }
        printf("%s- ", shown == 1 ? "\n" : "");
        ctl_wrap(stdout, text, 2, 2);
        print_same(s, i);
    }
    if (left > 0)
        printf("- and %zu more: vfio-bindctl explain ADDRESS\n", left);
}

static bool has_numa_nodes(const struct source *s)
{
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->rows[i].numa_node > 0)
            return true;
    return false;
}

/* Prints the state of devices that are to have virtual functions. */
static void print_physicals(const struct source *s)
{
    CLEANUP(physicals_done) struct physicals all = {0};

    if (physicals_read(s, &all) < 0)
        return;
    for (size_t i = 0; i < all.n; i++) {
        printf("%s- ", i == 0 ? "\n" : "");
        ctl_wrap(stdout, all.v[i].sentence, 2, 2);
    }
}

static int print_devices(const struct source *s)
{
    static const enum field text_fields[] = {FIELD_ADDRESS, FIELD_ID,    FIELD_RULE,   FIELD_GROUP,
                                             FIELD_DRIVER,  FIELD_STATE, FIELD_USABLE, FIELD_MODEL};
    static const enum field with_numa[] = {FIELD_ADDRESS, FIELD_ID,     FIELD_RULE,
                                           FIELD_GROUP,   FIELD_DRIVER, FIELD_STATE,
                                           FIELD_USABLE,  FIELD_NUMA,   FIELD_MODEL};
    CLEANUP(table_done) struct table t = {0};
    const bool numa = has_numa_nodes(s);
    const enum field *fields = numa ? with_numa : text_fields;
    size_t n = numa ? ELEMENTS(with_numa) : ELEMENTS(text_fields);

    fields_table(&t, s->ctl, fields, n);
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->rows[i].selected)
            fields_set(&t, table_line(&t, NULL), 0, &s->rows[i], fields, n);
    table_fit(&t, ctl_width());
    return table_print(&t);
}

static int print_status(const struct source *s, const struct summary *m)
{
    ctl_wrap(stdout, m->sentence, 0, 0);
    printf("Next: %s\n\n", m->next);
    print_daemon(s);
    print_policy(s);
    if (texts_are_on_trial(&s->texts))
        print_fact("Trial",
                   "the policy is taken back unless it is confirmed (vfio-bindctl confirm)");
    print_problems(s);
    fflush(stdout);
    diags_print(&s->diags, stderr);
    int r = EXIT_SUCCESS;
    if (counts_total(&m->all) > 0) {
        putchar('\n');
        r = print_devices(s);
        print_remarks(s);
    }
    print_physicals(s);
    return r;
}

/* -- JSON -- */

/* What the daemon reports about itself; null if it was not asked. */
static void add_daemon(struct json *j, const struct source *s)
{
    const struct props *p = &s->live.manager;

    json_bool(j, "running", s->live.running);
    json_text(j, "state", props_get(p, "State"));
    json_text(j, "version", props_get(p, "Version"));
    json_text(j, "iommu", props_get(p, "Iommu"));
    json_text(j, "initramfs", props_get(p, "Initramfs"));
    json_bool(j, "iommufd", has_iommufd(s));
    json_digits(j, "ready_usec", props_get(p, "ReadyUSec"));
    json_digits(j, "events", props_get(p, "Events"));
    json_words(j, "problems", props_get(p, "Problems"), "\n");
}

/* The policy in force or, without a daemon, the one of the files. */
static void add_policy(struct json *j, const struct source *s)
{
    json_number(j, "rules", summary_rules(s));
    if (s->live.running) {
        json_words(j, "policy_files", props_get(&s->live.manager, "PolicyFiles"), "\n");
        json_words(j, "policy_errors", props_get(&s->live.manager, "PolicyErrors"), "\n");
        return;
    }
    json_array(j, "policy_files");
    for (size_t i = 0; i < s->policy.n_files; i++)
        json_text(j, NULL, s->policy.files[i]);
    json_end(j);
    json_array(j, "policy_errors");
    for (size_t i = 0; i < s->diags.n; i++) {
        CLEANUP_FREE char *text = diag_text(&s->diags.v[i]);
        if (s->diags.v[i].level == DIAG_ERROR)
            json_text(j, NULL, text);
    }
    json_end(j);
}

static void add_physicals(struct json *j, const struct source *s)
{
    CLEANUP(physicals_done) struct physicals all = {0};

    (void)physicals_read(s, &all); /* out of memory: some are left out */
    physicals_json(j, &all);
}

static void add_tally(struct json *j, const struct summary *m)
{
    json_number(j, "matched", counts_total(&m->all));
    json_number(j, "companions", m->all.companions);
    json_number(j, "bound", counts_total(&m->all_bound));
    json_number(j, "usable", counts_total(&m->all_usable));
}

static int print_status_json(const struct source *s, const struct summary *m)
{
    struct json j;

    diags_print(&s->diags, stderr);
    json_begin(&j, stdout, false);
    json_bool(&j, "good", m->good);
    json_text(&j, "sentence", m->sentence);
    json_text(&j, "next", m->next);
    add_daemon(&j, s);
    add_policy(&j, s);
    add_tally(&j, m);
    mismatches_json(&j, &s->policy, &s->plan);
    selected_json(&j, s);
    add_physicals(&j, s);
    json_finish(&j);
    return EXIT_SUCCESS;
}

int verb_status(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(summary_done) struct summary m = {0};
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r != 0)
        return r;
    if (summary_make(&s, &m) < 0)
        return ctl_errno(-ENOMEM);
    r = c->json ? print_status_json(&s, &m) : print_status(&s, &m);
    return r == EXIT_SUCCESS && !m.good ? EXIT_FAILURE : r;
}
