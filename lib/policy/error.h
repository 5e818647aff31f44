/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an error in the value of a key is reported. Pure. */
#pragma once

#include "policy/policy.h"

/* The origin of a value that a diagnostic is about. */
struct key_context {
    struct policy *policy;
    struct diags *diags;
    struct origin origin;
};

/* Reports an error in the value that the context points at. */
void policy_error(const struct key_context *c, const char *format, ...) PRINTF(2, 3);
