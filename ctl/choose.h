/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that the arguments of a verb name: by address, ID, name of a rule, or --all. */
#pragma once

#include "source.h"

struct chosen {
    const struct row **v; /* in the order of the snapshot, without duplicates */
    size_t n;
};

void chosen_done(struct chosen *c);

/* Returns 0, or the exit code after printing the error: EXIT_USAGE for a word that is none of
 * these, EXIT_FAILURE if there is no such device. */
int choose(const struct source *s, struct chosen *ret);

/* All devices, whether or not a rule selects them. Returns 0 or the exit code. */
int choose_everything(const struct source *s, struct chosen *ret);
