/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan: prints what would be done now and, for another policy, what that would change. */
#include <errno.h>

#include "bus.h"
#include "device-json.h"
#include "model/kinds.h"
#include "open.h"
#include "physical.h"
#include "plan-diff.h"
#include "plan/assume.h"
#include "plan/preview.h"
#include "plan/text.h"

struct plan_view {
    struct source *s;
    const struct policy *policy;
    const struct plan *plan;
    const struct plan *old; /* with --policy: the plan for the current files */
    struct plan next_boot;
    struct live live; /* what the daemon has, in the order of addresses; empty with --policy */
};

static void plan_view_done(struct plan_view *v)
{
    plan_done(&v->next_boot);
    live_done(&v->live);
}

/* -- beyond the plan -- */

static int live_by_address(const void *x, const void *y)
{
    const struct live_device *a = x, *b = y;

    return pci_addr_cmp(a->addr, b->addr);
}

static void read_handed_back(struct plan_view *v)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;

    if (!v->s->this_host || v->old || bus_open(v->s->ctl, &bus) < 0)
        return;
    if (live_read(bus, &v->live, &error) < 0) {
        live_done(&v->live);
        v->live = (struct live){0};
    }
    if (v->live.n > 0)
        qsort(v->live.devices, v->live.n, sizeof(*v->live.devices), live_by_address);
}

/* Is its rule gone from the files, but not yet from the policy in force? Only the daemon knows what
 * it has bound. */
static bool is_handed_back(const struct plan_view *v, const struct live_device *d)
{
    return !plan_find(v->plan, d->addr) &&
           streq(props_get(&d->props, "State"), state_word(STATE_BOUND));
}

/* Is it left alone now because it is in use, but may be taken when this host boots again? Few file
 * systems are mounted then, and no link is up. */
static bool is_taken_at_boot(const struct plan_view *v, const struct verdict *now)
{
    const struct verdict *later = plan_find(&v->next_boot, now->addr);
    const struct device *d = snapshot_find(&v->s->snapshot, now->addr);

    return !v->s->snapshot.cold_boot && now->state == STATE_BUSY && later &&
           later->state == STATE_PENDING && d && device_may_carry_host(d);
}

static void taken_at_boot_sentence(const struct verdict *v, char text[static SENTENCE_MAX])
{
    snprintf(text, SENTENCE_MAX,
             "%s is in use now. The next boot takes it unless it is in use so early: if this host "
             "needs it, remove it from [device %s]",
             pci_addr_text(v->addr).s, v->rule->name);
}

/* -- text -- */

/* Breaks lines at the width; continuation lines are indented further. */
static void print_lines(char *text)
{
    char *line;

    while (text && (line = strsep(&text, "\n"))) {
        unsigned indent = (unsigned)strspn(line, " ");
        if (!*line)
            continue;
        printf("%*s", (int)indent, "");
        ctl_wrap(stdout, line + indent, indent, indent + (indent == 2 ? 2 : 0));
    }
}

static size_t print_handed_back(const struct plan_view *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->live.n; i++) {
        const struct live_device *d = &v->live.devices[i];
        if (!is_handed_back(v, d))
            continue;
        if (n++ == 0)
            puts("No longer selected: a reload hands these back, unless they are in use:");
        printf("  %s (%s, rule %s)\n", pci_addr_text(d->addr).s, props_get(&d->props, "Id"),
               props_get(&d->props, "Rule"));
    }
    return n;
}

static void print_taken_at_boot(const struct plan_view *v)
{
    char text[SENTENCE_MAX];

    for (size_t i = 0; i < v->plan->n_verdicts; i++)
        if (is_taken_at_boot(v, &v->plan->verdicts[i])) {
            taken_at_boot_sentence(&v->plan->verdicts[i], text);
            ctl_wrap(stdout, text, 0, 2);
        }
}

static int print_plan(const struct plan_view *v)
{
    const struct source *s = v->s;
    const struct preview preview = {.policy = v->policy,
                                    .snapshot = &s->snapshot,
                                    .records = &s->records,
                                    .plan = v->plan,
                                    .next_boot = s->snapshot.cold_boot ? NULL : &v->next_boot,
                                    .steps = s->ctl->verbose,
                                    .work_only = v->old != NULL};
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return ctl_errno(-ENOMEM);
    preview_write(&preview, f);
    if (fclose(f) != 0)
        return ctl_errno(-ENOMEM);
    static const char nothing[] = "Nothing to do.\n";
    const char *rest = print_handed_back(v) > 0 ? after_prefix(text, nothing) : NULL;
    print_lines(rest ? text + strlen(nothing) : text);
    print_taken_at_boot(v);
    return EXIT_SUCCESS;
}

/* -- JSON -- */

static void add_actions_json(struct json *j, const struct plan *p)
{
    static const char *const phases[] = {
        [PHASE_OVERRIDE] = "override", [PHASE_BIND] = "bind",       [PHASE_DYNIDS] = "dynamic-ids",
        [PHASE_REBIND] = "rebind",     [PHASE_RELEASE] = "release",
    };

    json_array(j, "actions");
    for (size_t i = 0; i < p->n_actions; i++) {
        const struct action *a = &p->actions[i];
        bool dynid = action_is_dynid(a->kind);
        json_object(j, NULL);
        json_text(j, "address", dynid ? NULL : pci_addr_text(a->addr).s);
        json_text(j, "phase", phases[a->phase]);
        json_text(j, "action", action_word(a->kind));
        json_text(j, "driver", a->driver);
        json_text(j, "dynamic_id", dynid ? dynid_words(a->dynid).s : NULL);
        json_end(j);
    }
    json_end(j);
}

static void add_next_boot_json(struct json *j, const struct plan_view *v)
{
    const struct source *s = v->s;
    char text[SENTENCE_MAX];

    json_array(j, "next_boot");
    for (size_t i = 0; !s->snapshot.cold_boot && i < v->next_boot.n_verdicts; i++) {
        const struct verdict *later = &v->next_boot.verdicts[i];
        if (!preview_is_news(later, v->plan))
            continue;
        verdict_sentence(later, &s->snapshot, &s->records, text);
        json_object(j, NULL);
        json_text(j, "address", pci_addr_text(later->addr).s);
        json_text(j, "state", state_word(later->state));
        json_text(j, "reason", reason_word(later->reason));
        json_text(j, "sentence", text);
        json_end(j);
    }
    json_end(j);
}

static void add_handed_back_json(struct json *j, const struct plan_view *v)
{
    json_array(j, "handed_back");
    for (size_t i = 0; i < v->live.n; i++) {
        const struct live_device *d = &v->live.devices[i];
        if (!is_handed_back(v, d))
            continue;
        json_object(j, NULL);
        json_text(j, "address", pci_addr_text(d->addr).s);
        json_text(j, "id", props_get(&d->props, "Id"));
        json_text(j, "rule", props_get(&d->props, "Rule"));
        json_end(j);
    }
    json_end(j);
}

static void add_taken_at_boot_json(struct json *j, const struct plan_view *v)
{
    char text[SENTENCE_MAX];

    json_array(j, "taken_at_boot");
    for (size_t i = 0; i < v->plan->n_verdicts; i++) {
        const struct verdict *now = &v->plan->verdicts[i];
        if (!is_taken_at_boot(v, now))
            continue;
        taken_at_boot_sentence(now, text);
        json_object(j, NULL);
        json_text(j, "address", pci_addr_text(now->addr).s);
        json_text(j, "rule", now->rule->name);
        json_text(j, "sentence", text);
        json_end(j);
    }
    json_end(j);
}

static int print_plan_json(const struct plan_view *v)
{
    CLEANUP(physicals_done) struct physicals physicals = {0};
    struct json j;
    int r = physicals_of_plan(v->s, v->plan, &physicals);

    if (r < 0)
        return ctl_errno(r);
    json_begin(&j, stdout, false);
    plan_json_devices(&j, v->s, v->old, v->plan);
    physicals_json(&j, &physicals);
    add_actions_json(&j, v->plan);
    add_handed_back_json(&j, v);
    mismatches_json(&j, v->policy, v->plan);
    add_next_boot_json(&j, v);
    add_taken_at_boot_json(&j, v);
    json_finish(&j);
    return EXIT_SUCCESS;
}

/* -- which plan -- */

static int show_plan(struct plan_view *v)
{
    int r = plan_next_boot(v->policy, &v->s->snapshot, &v->next_boot);

    if (r < 0)
        return ctl_errno(r);
    read_handed_back(v);
    return v->s->ctl->json ? print_plan_json(v) : print_plan(v);
}

static int plan_running(struct source *s)
{
    CLEANUP(plan_view_done)
    struct plan_view v = {.s = s, .policy = &s->policy, .plan = &s->plan};

    diags_print(&s->diags, stderr);
    for (size_t i = 0; i < s->snapshot.n_registered; i++)
        if (plan_is_assumed(&s->snapshot.registered[i]))
            ctl_note(s->ctl, "the driver %s is not loaded; the plan assumes that it can be loaded",
                     s->snapshot.registered[i].name);
    if (s->texts.hidden > 0)
        return ctl_error("only root can read the whole policy: %svfio-bindctl plan", ctl_sudo());
    if (s->off)
        ctl_note(s->ctl, "disabled by the kernel command line: none of this would be done");
    int r = show_plan(&v);
    return s->diags.errors > 0 ? EXIT_FAILURE : r;
}

static int plan_changed(struct source *s, const char *path)
{
    CLEANUP(change_done) struct change change = {0};
    CLEANUP(plan_view_done)
    struct plan_view v = {.s = s, .policy = &change.policy, .plan = &change.plan, .old = &s->plan};
    char *bytes;
    size_t size;
    int r = source_read_policy(path, &bytes, &size);

    if (r != 0)
        return r;
    r = change_make(s, path, bytes, size, &change);
    if (r < 0)
        return ctl_errno(r);
    diags_print(&change.diags, stderr);
    if (change.diags.errors > 0)
        return ctl_error("%zu error%s: a reload would refuse this policy and keep the one in force",
                         change.diags.errors, change.diags.errors == 1 ? "" : "s");
    if (!s->ctl->json)
        change_print(s, &change);
    return show_plan(&v);
}

int verb_plan(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    int r = source_open(c, SOURCE_FILES | SOURCE_DYNIDS, &s);

    if (r != 0)
        return r;
    return c->policy ? plan_changed(&s, c->policy) : plan_running(&s);
}
