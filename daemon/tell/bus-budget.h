/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A budget for each sender on the bus: who calls without end is answered with an error that costs
 * next to nothing, so that hot-plug and other callers do not wait. The costs are rough: 1 for a
 * call, 1 more for each device that the answer tells of. */
#pragma once

#include <stdint.h>

#include "base/budget.h"

#define BUS_SENDERS 64 /* remembered; one that was forgotten begins anew */
#define BUS_SENDER_MAX 24

struct bus_budgets {
    struct bus_sender {
        char name[BUS_SENDER_MAX]; /* ":1.42" */
        struct budget budget;
        uint64_t called_usec; /* the last time */
    } senders[BUS_SENDERS];
};

/* Takes the cost out of the sender's budget; false if it is used up. */
bool bus_budget_take(struct bus_budgets *b, const char *sender, uint64_t cost, uint64_t now_usec);

/* What a call costs if there are so many devices. */
uint64_t bus_budget_cost(const char *member, size_t n_devices);
