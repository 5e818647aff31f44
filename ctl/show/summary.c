/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "show/summary.h"

#include <errno.h>

/* -- counting -- */

/* 0: in order; a higher number is more urgent. */
static unsigned urgency(const struct row *r)
{
    static const unsigned char by_state[STATE_MAX] = {
        [STATE_PENDING] = 1,   [STATE_RELEASED] = 2, [STATE_REFUSED] = 4, [STATE_BUSY] = 5,
        [STATE_CONTESTED] = 6, [STATE_FAILED] = 7,   [STATE_STUCK] = 8,
    };
    enum device_state state = state_parse(r->state);

    if (state == STATE_BOUND)
        return r->usable || !driver_is_vfio(r->driver) ? 0 : 3;
    return state < STATE_MAX ? by_state[state] : 8;
}

static void count_row(const struct row *r, struct summary *m)
{
    enum device_state state = state_parse(r->state);
    unsigned urgent = urgency(r);

    counts_add(&m->all, r->d->addr, r->comes_along, r->leader);
    if (state == STATE_BOUND)
        counts_add(&m->all_bound, r->d->addr, r->comes_along, r->leader);
    if (urgent == 0)
        counts_add(&m->all_usable, r->d->addr, r->comes_along, r->leader);
    if (state < STATE_MAX)
        m->of_state[state]++;
    if (urgent > (m->worst ? urgency(m->worst) : 0))
        m->worst = r;
}

/* The daemon knows what its policy expects. */
static bool has_mismatch(const struct source *s)
{
    if (s->live.running)
        return strstr(props_get(&s->live.manager, "Problems"),
                      problem_word(PROBLEM_EXPECT_MISMATCH)) != NULL;
    for (size_t i = 0; i < s->policy.n_rules; i++)
        if (plan_is_unexpected(&s->plan, &s->policy.rules[i]))
            return true;
    return false;
}

size_t summary_rules(const struct source *s)
{
    return s->live.running ? strtoul(props_get(&s->live.manager, "Rules"), NULL, 10)
                           : s->policy.n_rules;
}

/* -- words -- */

/* ": 2 pending, 1 not usable" */
static void tell_states(const struct summary *m, const char *separator, FILE *f)
{
    size_t unusable = counts_total(&m->all_bound) - counts_total(&m->all_usable);

    for (enum device_state s = 0; s < STATE_MAX; s++) {
        size_t n = s == STATE_BOUND ? unusable : m->of_state[s];
        if (n == 0)
            continue;
        fprintf(f, "%s%zu %s", separator, n, s == STATE_BOUND ? "not usable" : state_word(s));
        separator = ", ";
    }
}

/* "4 devices and their 4 companion functions are bound and usable." */
static void tell_devices(const struct summary *m, FILE *f)
{
    size_t all = counts_total(&m->all), usable = counts_total(&m->all_usable);
    char text[COUNTS_TEXT_MAX];

    if (usable == all && m->all.companions == 0 && all > 1) {
        fprintf(f, "All %zu selected devices are bound and usable", all);
    } else if (usable == 0) {
        counts_text(&m->all, text);
        fprintf(f, "%s %s", text,
                all == 1 ? "is selected, and not usable" : "are selected, and none is usable");
        tell_states(m, ": ", f);
    } else {
        counts_part_text(&m->all_usable, &m->all, text);
        fprintf(f, "%s %s bound and usable", text, usable == 1 ? "is" : "are");
        tell_states(m, "; ", f);
    }
    fputc('.', f);
}

/* The names of the rules are taken from the files. */
static void tell_mismatches(const struct source *s, const struct summary *m, FILE *f)
{
    bool named = false;

    for (size_t i = 0; m->mismatch && i < s->policy.n_rules; i++) {
        const struct rule *r = &s->policy.rules[i];
        if (!plan_is_unexpected(&s->plan, r))
            continue;
        named = true;
        fprintf(f, "[device %s] expects %d device%s and matches %d. ", r->name, r->expect,
                plural_s((size_t)r->expect), plan_count_matched(&s->plan, r));
    }
    if (m->mismatch && !named) /* the policy of another host, or the files have changed since */
        fputs("A rule does not match the number of devices that it expects. ", f);
}

static void tell_not_running(const struct source *s, const struct summary *m, FILE *f)
{
    size_t all = counts_total(&m->all), bound = counts_total(&m->all_bound);
    char text[COUNTS_TEXT_MAX];

    counts_text(&m->all, text);
    fprintf(f, "vfio-bindd %s; %s %s selected, and ",
            s->silent ? "does not answer" : "is not running", text, all == 1 ? "is" : "are");
    if (bound == all)
        fputs(all == 1 ? "is bound." : "all are bound.", f);
    else if (bound == 0)
        fputs(all == 1 ? "is not bound." : "none is bound.", f);
    else
        fprintf(f, "%zu of these %s bound.", bound, bound == 1 ? "is" : "are");
}

/* -- what to type next -- */

static void suggest_next(struct summary *m, const char *sudo, const char *next)
{
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

/* Were all devices released, so that it helps little to bind one? */
static bool is_all_released(const struct summary *m)
{
    const size_t all = counts_total(&m->all);

    return m->of_state[STATE_RELEASED] == all && all - m->all.companions > 1;
}

static void suggest_for_worst(const struct source *s, struct summary *m)
{
    const struct row *r = m->worst;
    bool released = streq(r->state, state_word(STATE_RELEASED));
    const char *host = s->remote ? s->ctl->host : "";

    snprintf(m->next, sizeof(m->next), "%svfio-bindctl %s%.80s%s%s %s",
             released && !s->remote ? ctl_sudo() : "", s->remote ? "-H " : "", host,
             s->remote ? " " : "",
             released    ? "bind"
             : s->remote ? "show" /* the rules of another host cannot be read here */
                         : "explain",
             is_all_released(m) ? "--all" : pci_addr_text(r->d->addr).s);
}

static void suggest_for_devices(const struct source *s, struct summary *m)
{
    if (m->worst && !(m->mismatch && urgency(m->worst) <= 2))
        suggest_for_worst(s, m);
    else if (m->mismatch && s->remote)
        snprintf(m->next, sizeof(m->next), "ssh %.80s vfio-bindctl", s->ctl->host);
    else if (m->mismatch)
        suggest_next(m, "", "vfio-bindctl list");
    else if (streq(props_get(&s->live.manager, "State"), "degraded"))
        suggest_next(m, "", "journalctl -b -x -u vfio-bindd -p warning");
    else
        suggest_next(m, "vfio-bindctl ", has_resource(s) ? "export kubevirt" : "tree");
}

/* If the daemon runs, it has read the files that only root may read. */
static size_t count_errors(const struct source *s)
{
    return s->diags.errors - (s->live.running ? s->texts.hidden : 0);
}

static void suggest_for_errors(const struct source *s, struct summary *m)
{
    size_t i = 0;

    while (i < s->diags.n && s->diags.v[i].level != DIAG_ERROR)
        i++;
    texts_remedy(i < s->diags.n ? s->diags.v[i].file : NULL, m->next, sizeof(m->next));
    if (after_prefix(m->next, "# "))
        memmove(m->next, m->next + 2, strlen(m->next + 2) + 1);
}

/* -- all of it -- */

static void sum_up(const struct source *s, struct summary *m, FILE *f)
{
    const char *state = props_get(&s->live.manager, "State");
    size_t selected = counts_total(&m->all);
    char text[COUNTS_TEXT_MAX];

    m->good = false;
    if (s->off || streq(state, "disabled")) {
        fputs("vfio-bindd is disabled by the kernel command line (vfio_bindd=off).", f);
        suggest_next(m, "", "remove that parameter and reboot");
    } else if (s->texts.hidden > 0 && !s->live.running) {
        fputs("Only root can read the whole policy.", f);
        suggest_next(m, ctl_sudo(), "vfio-bindctl status");
    } else if (count_errors(s) > 0) {
        fprintf(f, "The policy has %zu error%s.", count_errors(s), plural_s(count_errors(s)));
        suggest_for_errors(s, m);
    } else if (summary_rules(s) == 0 && selected == 0) {
        fputs("Nothing is selected: the policy has no rule.", f);
        suggest_next(m, "", "vfio-bindctl suggest");
        m->good = !streq(state, "degraded");
    } else if (streq(state, "starting")) {
        counts_part_text(&m->all_bound, &m->all, text);
        fprintf(f, "vfio-bindd is working: %s bound.", text);
        suggest_next(m, "", "vfio-bindctl wait");
    } else if (selected == 0 && s->plan.n_vfs > 0) {
        fputs("No device is selected for virtual machines.", f);
        suggest_next(m, "", "vfio-bindctl list");
        m->good = !streq(state, "degraded");
    } else if (selected == 0) {
        tell_mismatches(s, m, f);
        fputs("No device of this host matches any rule.", f);
        suggest_next(m, "", "vfio-bindctl list");
        m->good = !m->mismatch && !streq(state, "degraded");
    } else if (s->this_host && !s->live.running) {
        tell_mismatches(s, m, f);
        tell_not_running(s, m, f);
        if (s->silent)
            suggest_next(m, "", "systemctl status vfio-bindd vfio-bindd-front dbus");
        else
            suggest_next(m, ctl_sudo(), "systemctl enable --now vfio-bindd");
    } else {
        tell_mismatches(s, m, f);
        tell_devices(m, f);
        suggest_for_devices(s, m);
        m->good = (!m->worst || streq(m->worst->state, state_word(STATE_RELEASED))) &&
                  !m->mismatch && !streq(state, "degraded");
    }
}

int summary_make(const struct source *s, struct summary *ret)
{
    size_t size;

    *ret = (struct summary){0};
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->rows[i].selected)
            count_row(&s->rows[i], ret);
    ret->mismatch = has_mismatch(s);
    FILE *f = open_memstream(&ret->sentence, &size);
    if (!f)
        return -ENOMEM;
    sum_up(s, ret, f);
    return fclose(f) == 0 ? 0 : -ENOMEM;
}

void summary_done(struct summary *m)
{
    free(m->sentence);
    *m = (struct summary){0};
}
