/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is what the daemon shows the same as what the model has? */
#pragma once

#include "run.h"

/* What the daemon shows, copied in one piece. */
struct display {
    unsigned updates, events;
    struct shown cards[CARDS_MAX];
    struct pci_id ids[KERNEL_IDS_MAX];
    size_t n_ids, n_open;
};

void display_take(struct display *ret);

/* Has the daemon done all that it can do? If not, *ret_why says what is still open. */
bool is_quiet(const struct display *d, const char **ret_why);

/* Is everything that the daemon shows true? If not, `problem` says what is not. */
bool is_true(const struct display *d, char problem[static PROBLEM_SIZE]);

void picture_take(const struct display *d, struct picture *ret);

/* What need not be the same. Each address stands for its whole group; NULL: none. */
struct exempt {
    const char *device; /* everything about it */
    const char *past;   /* who had it before: a device that refused to go back to its native driver
                         * was never on that driver */
    bool all_pasts;
    const bool *unsaved; /* NULL, or for each card: everything about it and its group */
};

bool picture_is_same(const struct picture *now, const struct picture *then,
                     const struct exempt *exempt, char problem[static PROBLEM_SIZE]);
