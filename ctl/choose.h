/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that a verb's arguments name: by address, by ID, by the name of a rule, or --all. */
#pragma once

#include "source.h"

struct chosen {
    const struct row **v; /* in the order of the snapshot, each once */
    size_t n;
};

void chosen_done(struct chosen *c);

/* Returns 0, or the exit code after saying what is wrong: EXIT_USAGE for a word that names nothing
 * by any of these, EXIT_FAILURE where no such device is here. */
int choose(const struct source *s, struct chosen *ret);

/* All devices, whether or not a rule selects them. Returns 0 or the exit code. */
int choose_everything(const struct source *s, struct chosen *ret);
