/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/bus-budget.h"

/* Ten full answers about 256 devices at once, or a busctl that asks for each of them; and then, for
 * ever, four such answers a second. */
static const struct budget_limits limits = {.most = 4096, .per_second = 1024};

uint64_t bus_budget_cost(const char *member, size_t n_devices)
{
    static const char *const whole[] = {"GetManagedObjects", "ListDevices", "Plan"};

    return 1 + (word_index(whole, ELEMENTS(whole), member) >= 0 ? n_devices : 0);
}

/* The sender's place: its own, a free one, or that of whoever was quiet for the longest time. */
static struct bus_sender *find_sender(struct bus_budgets *b, const char *name)
{
    struct bus_sender *oldest = &b->senders[0];

    for (size_t i = 0; i < BUS_SENDERS; i++) {
        struct bus_sender *s = &b->senders[i];
        if (streq(s->name, name))
            return s;
        if (s->called_usec < oldest->called_usec)
            oldest = s;
    }
    *oldest = (struct bus_sender){0};
    snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    return oldest;
}

bool bus_budget_take(struct bus_budgets *b, const char *sender, uint64_t cost, uint64_t now_usec)
{
    /* With more devices than a whole budget, one answer empties it. */
    if (cost > limits.most)
        cost = limits.most;
    struct bus_sender *s = find_sender(b, sender);
    s->called_usec = now_usec;
    return budget_take(&s->budget, &limits, cost, now_usec);
}
