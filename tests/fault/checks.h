/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does what the daemon shows agree with what is? */
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

/* Is all of it true? If not, says what is not. */
bool is_true(const struct display *d, char problem[static PROBLEM_SIZE]);

void picture_take(const struct display *d, struct picture *ret);

/* What need not be the same: addresses, each with all of its group; NULL: none. */
struct exempt {
    const char *device; /* at all */
    const char *past;   /* how it came to be so: a device that refused to go back to its native
                         * driver was never there */
    bool all_pasts;
};

bool picture_is_same(const struct picture *now, const struct picture *then,
                     const struct exempt *exempt, char problem[static PROBLEM_SIZE]);
