/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: what is done with the rules when all are there, each in a file of its own. */
#pragma once

#include "import/rules.h"

/* Drops rules that add nothing to others, and those that contradict an earlier one (overlap.c). */
void import_rules_thin_out(struct found *f, struct import_rules *r);

/* Keeps from coming along what was left alone so far (companions.c). */
void import_rules_hold_companions(struct found *f, struct import_rules *r);

/* Adds what is known of the devices to the comments, and says which blacklists are not needed for
 * their sake (about.c). */
void import_rules_describe(struct found *f, struct import_rules *r);
