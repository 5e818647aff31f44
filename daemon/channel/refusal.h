/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a request was not carried out: the kind of error for the caller, and a sentence. */
#pragma once

#include "base/util.h"

enum refusal_kind {
    REFUSAL_NONE,
    REFUSAL_FAILED,
    REFUSAL_REFUSED, /* by the policy, or to protect the host */
    REFUSAL_BUSY,
    REFUSAL_NO_SUCH_DEVICE,
    REFUSAL_POLICY_INVALID,
    REFUSAL_KINDS
};

#define REFUSAL_TEXT_MAX 1024

struct refusal {
    enum refusal_kind kind;
    char text[REFUSAL_TEXT_MAX];
};

/* Fills *why. Returns a negative errno. */
int refuse(struct refusal *r, enum refusal_kind kind, const char *format, ...) PRINTF(3, 4);
