/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several devices with the same message: it is printed for the first, and the others refer to it.
 * Pure. */
#pragma once

#include "plan/plan.h"

/* Do the two sentences (text.h) differ only in the address and ID of their devices? */
bool sentences_are_alike(const char *x, const struct device *dx, const char *y,
                         const struct device *dy);

#define TOLD_MAX 16

/* Sentences that were printed. Zero-initialise. */
struct told {
    size_t n;
    struct {
        const struct device *device;
        char sentence[SENTENCE_MAX];
    } v[TOLD_MAX];
};

/* Returns the device for which a sentence like this was printed. NULL: none; the sentence is kept,
 * unless there are TOLD_MAX already. */
const struct device *told_before(struct told *t, const struct device *d, const char *sentence);
