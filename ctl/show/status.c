/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: one sentence on how things are, what to type next, and the devices concerned. */
#include "fields.h"
#include "open.h"
#include "physical.h"

#define SENTENCES_SHOWN 5

struct summary {
    size_t selected, bound, usable, of_state[STATE_MAX];
    const struct row *worst; /* the first that is not as it should be */
    char sentence[512];
    char next[160];
};

static void count(const struct source *s, struct summary *m)
{
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        if (!r->selected)
            continue;
        bool bound = streq(r->state, state_word(STATE_BOUND));
        bool good = bound && (r->usable || !driver_is_vfio(r->driver));
        m->selected++;
        m->bound += bound;
        m->usable += good;
        if (!good && (!m->worst || streq(m->worst->state, state_word(STATE_PENDING))))
            m->worst = r;
        for (enum device_state state = 0; state < STATE_MAX; state++)
            m->of_state[state] += streq(r->state, state_word(state));
    }
}

/* "14 of 16 selected devices are bound and usable; 1 refused, 1 stuck" */
static void tell_devices(struct summary *m)
{
    size_t at = (size_t)snprintf(m->sentence, sizeof(m->sentence),
                                 m->usable == m->selected && m->selected > 1
                                     ? "All %zu selected devices are bound and usable"
                                     : "%zu of %zu selected devices %s bound and usable",
                                 m->usable, m->selected, m->usable == 1 ? "is" : "are");
    const char *separator = "; ";

    for (enum device_state s = 0; s < STATE_MAX; s++) {
        size_t n = s == STATE_BOUND ? m->bound - m->usable : m->of_state[s];
        if (n == 0 || at >= sizeof(m->sentence) - 40)
            continue;
        at += (size_t)snprintf(m->sentence + at, sizeof(m->sentence) - at, "%s%zu %s", separator, n,
                               s == STATE_BOUND ? "not usable" : state_word(s));
        separator = ", ";
    }
    snprintf(m->sentence + at, sizeof(m->sentence) - at, ".");
}

static void say(struct summary *m, const char *sentence, const char *sudo, const char *next)
{
    snprintf(m->sentence, sizeof(m->sentence), "%s", sentence);
    snprintf(m->next, sizeof(m->next), "%s%s", sudo, next);
}

/* Are the devices meant for a cluster? */
static bool has_resource(const struct source *s)
{
    for (size_t i = 0; i < s->policy.n_rules; i++)
        if (s->policy.rules[i].resource)
            return true;
    return false;
}

static void next_for_devices(const struct source *s, struct summary *m)
{
    const char *host = s->remote ? s->ctl->host : "";

    if (m->worst) /* the rules of another host are read there */
        snprintf(m->next, sizeof(m->next), "vfio-bindctl %s%s%s%s %s", s->remote ? "-H " : "", host,
                 s->remote ? " " : "", s->remote ? "show" : "explain",
                 pci_addr_text(m->worst->d->addr).s);
    else
        snprintf(m->next, sizeof(m->next), "vfio-bindctl %s",
                 has_resource(s) ? "export kubevirt" : "tree");
}

/* The policy's number of rules, as the daemon has it or as the files say. */
static size_t count_rules(const struct source *s)
{
    return s->live.running ? strtoul(props_get(&s->live.manager, "Rules"), NULL, 10)
                           : s->policy.n_rules;
}

static void sum_up(const struct source *s, struct summary *m)
{
    const char *state = props_get(&s->live.manager, "State");
    char text[160];

    if (s->off || streq(state, "disabled")) {
        say(m, "vfio-bindd is disabled by the kernel command line (vfio_bindd=off).", "",
            "remove that parameter and reboot");
    } else if (s->diags.errors > 0) {
        snprintf(text, sizeof(text), "The policy has %zu error%s.", s->diags.errors,
                 s->diags.errors == 1 ? "" : "s");
        say(m, text, ctl_sudo(), "vfio-bindctl edit");
    } else if (count_rules(s) == 0 && m->selected == 0) {
        say(m, "Nothing is selected: the policy has no rule.", "", "vfio-bindctl suggest");
    } else if (streq(state, "starting")) {
        snprintf(text, sizeof(text), "vfio-bindd is at work: %zu of %zu selected devices bound.",
                 m->bound, m->selected);
        say(m, text, "", "vfio-bindctl wait");
    } else if (m->selected == 0 && s->plan.n_vfs > 0) {
        say(m, "No device is selected for virtual machines.", "", "vfio-bindctl list");
    } else if (m->selected == 0) {
        say(m, "No device of this host fits any rule.", "",
            "vfio-bindctl list, then explain ADDRESS");
    } else if (s->this_host && !s->live.running) {
        snprintf(text, sizeof(text), "vfio-bindd is not running; %zu of %zu selected devices %s.",
                 m->bound, m->selected, m->bound == 1 ? "is bound" : "are bound");
        say(m, text, ctl_sudo(), "systemctl enable --now vfio-bindd");
    } else {
        tell_devices(m);
        next_for_devices(s, m);
        if (!m->worst && streq(state, "degraded"))
            snprintf(m->next, sizeof(m->next), "journalctl -x -u vfio-bindd");
    }
}

/* -- text -- */

static void print_fact(const char *name, const char *text)
{
    int at = printf("%8s: ", name);
    if (*text)
        ctl_wrap(stdout, text, (unsigned)at, (unsigned)at);
    else
        puts("-");
}

/* Items one a line become a list. */
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
        {"current", "vfio-bindd was there first, with this policy"},
        {"other-policy", "this boot began with another policy (vfio-bindctl check)"},
        {"unfinished",
         "the pass there did not come to its end (journalctl -b -t vfio-bindd-initramfs)"},
        {"gave-back", "the root file system did not appear: devices went back to the host "
                      "(journalctl -b -t vfio-bindd-initramfs)"},
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
        print_fact("Daemon", s->this_host ? "not running" : "(not part of this tree)");
        return;
    }
    snprintf(text, sizeof(text), "%.40s, version %.40s, first pass %llu ms, %.20s hot-plug events",
             props_get(p, "State"), props_get(p, "Version"),
             strtoull(props_get(p, "ReadyUSec"), NULL, 10) / 1000, props_get(p, "Events"));
    print_fact("Daemon", text);
    snprintf(text, sizeof(text), "%.40s%s", props_get(p, "Iommu"),
             has_iommufd(s) ? ", and /dev/iommu for devices by their own node" : "");
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

/* What the daemon knows beyond single devices. The errors of this host's files are told on standard
 * error; those of the policy it has in force may be others. */
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

static void print_sentences(const struct source *s)
{
    size_t shown = 0, left = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        const char *text = r->problem ? r->problem : r->sentence;
        if (!r->selected || !text || streq(r->state, state_word(STATE_PENDING)) ||
            (streq(r->state, state_word(STATE_BOUND)) && !r->problem))
            continue;
        if (shown++ >= SENTENCES_SHOWN) {
            left++;
            continue;
        }
        printf("%s- ", shown == 1 ? "\n" : "");
        ctl_wrap(stdout, text, 2, 2);
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

/* How those stand that are to have virtual functions. */
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

static int print_devices(const struct source *s, const struct ctl *c, const char *json_head)
{
    static const enum field text_fields[] = {FIELD_ADDRESS, FIELD_ID,    FIELD_RULE,   FIELD_GROUP,
                                             FIELD_DRIVER,  FIELD_STATE, FIELD_USABLE, FIELD_MODEL};
    static const enum field with_numa[] = {FIELD_ADDRESS, FIELD_ID,     FIELD_RULE,
                                           FIELD_GROUP,   FIELD_DRIVER, FIELD_STATE,
                                           FIELD_USABLE,  FIELD_NUMA,   FIELD_MODEL};
    CLEANUP(table_done) struct table t = {0};
    const bool numa = has_numa_nodes(s);
    const enum field *fields = c->json ? fields_json : numa ? with_numa : text_fields;
    size_t n = c->json ? n_fields_json : numa ? ELEMENTS(with_numa) : ELEMENTS(text_fields);

    fields_table(&t, c, "devices", fields, n);
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->rows[i].selected)
            fields_set(&t, table_line(&t, NULL), 0, &s->rows[i], fields, n);
    if (c->json)
        return table_print_after(&t, json_head);
    table_fit(&t, ctl_width());
    return table_print(&t);
}

/* -- JSON -- */

static void json_member(FILE *f, const char *name, const char *text)
{
    fprintf(f, "\"%s\": ", name);
    json_string(f, text && *text ? text : NULL);
    fputs(",\n   ", f);
}

static char *json_head(const struct source *s, const struct summary *m)
{
    CLEANUP(physicals_done) struct physicals all = {0};
    const struct props *p = &s->live.manager;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    json_member(f, "sentence", m->sentence);
    json_member(f, "next", m->next);
    fprintf(f, "\"running\": %s,\n   ", s->live.running ? "true" : "false");
    json_member(f, "state", props_get(p, "State"));
    json_member(f, "version", props_get(p, "Version"));
    json_member(f, "iommu", props_get(p, "Iommu"));
    json_member(f, "initramfs", props_get(p, "Initramfs"));
    fprintf(f, "\"iommufd\": %s,\n   ", has_iommufd(s) ? "true" : "false");
    fprintf(f, "\"rules\": %zu,\n   \"errors\": %zu,\n   ", count_rules(s), s->diags.errors);
    fprintf(f, "\"selected\": %zu,\n   \"bound\": %zu,\n   \"usable\": %zu", m->selected, m->bound,
            m->usable);
    if (physicals_read(s, &all) == 0) {
        fputs(",\n   \"physical_functions\": ", f);
        physicals_write_json(&all, f);
    }
    return fclose(f) == 0 ? text : NULL;
}

int verb_status(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    struct summary m = {0};
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r != 0)
        return r;
    count(&s, &m);
    sum_up(&s, &m);
    if (c->json) {
        CLEANUP_FREE char *head = json_head(&s, &m);
        return print_devices(&s, c, head ? head : "\"sentence\": null");
    }
    ctl_wrap(stdout, m.sentence, 0, 0);
    printf("Next: %s\n\n", m.next);
    print_daemon(&s);
    print_policy(&s);
    print_problems(&s);
    fflush(stdout);
    diags_print(&s.diags, stderr);
    if (m.selected > 0) {
        putchar('\n');
        r = print_devices(&s, c, NULL);
        print_sentences(&s);
    }
    print_physicals(&s);
    return r;
}
