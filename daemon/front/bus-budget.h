/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits the calls of each user. A caller without budget gets an error, which costs next to
 * nothing, so that others need not wait. A user has one budget for all connections; root has one
 * for each connection. A connection has a small budget of its own until the bus has named its user.
 * What such connections spend is charged to a budget that they all share, and passed on to the user
 * as soon as the bus has named it, as far as its budget covers it. So connecting anew does not
 * help, not even if one disconnects before that. Costs are approximate: 1 for a call, and 1 for
 * each device in the answer. */
#pragma once

#include <stdint.h>

#include "base/budget.h"

/* How many are remembered; one that was forgotten starts with a new budget. dbus-daemon allows a
 * user 256 connections. */
#define BUS_SENDERS 512
#define BUS_USERS 64
#define BUS_SENDER_MAX 24

struct bus_sender {
    char name[BUS_SENDER_MAX]; /* ":1.42" */
    bool known;                /* the user is known */
    uint32_t uid;
    struct budget budget;
    uint64_t called_usec; /* last call */
};

struct bus_user {
    uint32_t uid;
    struct budget budget;
    uint64_t called_usec; /* last call; 0: the place is free */
};

struct bus_budgets {
    struct budget unnamed; /* of all whose user is not known, and never will be for some */
    struct bus_sender senders[BUS_SENDERS];
    struct bus_user users[BUS_USERS];
};

/* Remembers the sender. Returns true if it is new; the bus must then be asked for its user. */
bool bus_budget_is_new(struct bus_budgets *b, const char *sender, uint64_t now_usec);

/* The bus has named the sender's user, who is charged for what the sender has spent so far. */
void bus_budget_is_of(struct bus_budgets *b, const char *sender, uint32_t uid, uint64_t now_usec);

/* Charges the sender. Returns false if its budget is used up. */
bool bus_budget_take(struct bus_budgets *b, const char *sender, uint64_t cost, uint64_t now_usec);

/* The cost of a call of an object's method, given the number of devices. */
uint64_t bus_budget_cost(const char *path, const char *member, size_t n_devices);
