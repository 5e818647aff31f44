/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-budget.h"

#include "offer/bus-names.h"

/* Enough for a burst of ten complete answers about 256 devices, or for a busctl that asks for each
 * device, and then for four complete answers a second. */
static const struct budget_limits limits = {.most = 4096, .per_second = 1024};
/* For a connection whose user the bus has not named yet. Calls can arrive before that answer. With
 * the full budget, a client could get a new one by reconnecting. */
static const struct budget_limits unknown_limits = {.most = 512, .per_second = 1024};

uint64_t bus_budget_cost(const char *path, const char *member, size_t n_devices)
{
    static const char *const whole[] = {"GetManagedObjects", "ListDevices", "Plan"};
    const bool names_all = streq(member, "Introspect") && streq(path, BUS_DEVICE_PREFIX);

    return 1 + (names_all || word_index(whole, ELEMENTS(whole), member) >= 0 ? n_devices : 0);
}

static struct bus_sender *known_sender(struct bus_budgets *b, const char *name)
{
    for (size_t i = 0; i < BUS_SENDERS; i++)
        if (streq(b->senders[i].name, name))
            return &b->senders[i];
    return NULL;
}

/* Finds the sender's place: its own, a free one, or that of the sender that has been quiet
 * longest. */
static struct bus_sender *place_for(struct bus_budgets *b, const char *name, bool *ret_new)
{
    struct bus_sender *place = known_sender(b, name);

    *ret_new = !place;
    if (place)
        return place;
    place = &b->senders[0];
    for (size_t i = 1; i < BUS_SENDERS; i++)
        if (b->senders[i].called_usec < place->called_usec)
            place = &b->senders[i];
    *place = (struct bus_sender){0};
    snprintf(place->name, sizeof(place->name), "%s", name);
    return place;
}

bool bus_budget_is_new(struct bus_budgets *b, const char *sender, uint64_t now_usec)
{
    bool new;

    place_for(b, sender, &new)->called_usec = now_usec;
    return new;
}

static struct bus_user *find_user(struct bus_budgets *b, uint32_t uid)
{
    struct bus_user *oldest = &b->users[0];

    for (size_t i = 0; i < BUS_USERS; i++) {
        struct bus_user *u = &b->users[i];
        if (u->called_usec > 0 && u->uid == uid)
            return u;
        if (u->called_usec < oldest->called_usec)
            oldest = u;
    }
    *oldest = (struct bus_user){.uid = uid};
    return oldest;
}

/* An answer that costs more than a full budget takes all of it. */
static bool take_cost(struct budget *b, uint64_t cost, uint64_t now_usec)
{
    return budget_take(b, &limits, cost < limits.most ? cost : limits.most, now_usec);
}

static struct budget *budget_of_user(struct bus_budgets *b, uint32_t uid, uint64_t now_usec)
{
    struct bus_user *u = find_user(b, uid);

    u->called_usec = now_usec;
    return &u->budget;
}

/* Takes the cost out of the budget, or what is left. Returns how much that was. */
static uint64_t take_what_is_left(struct budget *b, uint64_t cost, uint64_t now_usec)
{
    (void)budget_take(b, &limits, 0, now_usec); /* it refills */
    const uint64_t taken = cost < b->left ? cost : b->left;
    b->left -= taken;
    return taken;
}

void bus_budget_is_of(struct bus_budgets *b, const char *sender, uint32_t uid, uint64_t now_usec)
{
    struct bus_sender *s = known_sender(b, sender);

    if (!s)
        return;
    const uint64_t spent = s->budget.seen_usec > 0 ? unknown_limits.most - s->budget.left : 0;
    s->known = true;
    s->uid = uid;
    s->budget = (struct budget){0};
    struct budget *of = uid == 0 ? &s->budget : budget_of_user(b, uid, now_usec);
    b->unnamed.left += take_what_is_left(of, spent, now_usec);
    if (b->unnamed.left > limits.most)
        b->unnamed.left = limits.most;
}

bool bus_budget_take(struct bus_budgets *b, const char *sender, uint64_t cost, uint64_t now_usec)
{
    bool new;
    struct bus_sender *s = place_for(b, sender, &new);

    s->called_usec = now_usec;
    if (!s->known) {
        cost = cost < unknown_limits.most ? cost : unknown_limits.most;
        return budget_take(&s->budget, &unknown_limits, cost, now_usec) &&
               budget_take(&b->unnamed, &limits, cost, now_usec);
    }
    return take_cost(s->uid == 0 ? &s->budget : budget_of_user(b, s->uid, now_usec), cost,
                     now_usec);
}
