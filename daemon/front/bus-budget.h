/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Budgets of those who call on the bus: who calls without end is answered with an error that costs
 * next to nothing, so that others do not wait. A user has one budget for all connections, and root
 * one for each. Before the bus has said whose a connection is, it has a small one of its own. The
 * costs are rough: 1 for a call, 1 more for each device that the answer tells of. */
#pragma once

#include <stdint.h>

#include "base/budget.h"

/* Remembered; one that was forgotten begins anew. A user may have 256 connections. */
#define BUS_SENDERS 512
#define BUS_USERS 64
#define BUS_SENDER_MAX 24

struct bus_sender {
    char name[BUS_SENDER_MAX]; /* ":1.42" */
    bool known;                /* whose it is */
    uint32_t uid;
    struct budget budget;
    uint64_t called_usec; /* the last time */
};

struct bus_user {
    uint32_t uid;
    struct budget budget;
    uint64_t called_usec; /* the last time; 0: nobody's place */
};

struct bus_budgets {
    struct bus_sender senders[BUS_SENDERS];
    struct bus_user users[BUS_USERS];
};

/* Remembers the sender. Returns whether it was not known before: then the bus is to be asked. */
bool bus_budget_is_new(struct bus_budgets *b, const char *sender, uint64_t now_usec);

/* The bus says whose the sender is, who has spent what was spent till now. */
void bus_budget_is_of(struct bus_budgets *b, const char *sender, uint32_t uid, uint64_t now_usec);

/* Takes the cost out of the budget that the sender has; false if it is used up. */
bool bus_budget_take(struct bus_budgets *b, const char *sender, uint64_t cost, uint64_t now_usec);

/* What a call costs if there are so many devices. */
uint64_t bus_budget_cost(const char *member, size_t n_devices);
