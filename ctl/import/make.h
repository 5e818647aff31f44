/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: makes rules from claims. */
#pragma once

#include "import/rules.h"

/* Makes the rules for all claims; claims that no rule can express become remarks. */
void import_rules_make(struct found *f, struct import_rules *ret);
