/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: from claims to rules. */
#pragma once

#include "import/rules.h"

/* Makes the rules of all claims; what cannot be said becomes a remark. */
void import_rules_make(struct found *f, struct import_rules *ret);
