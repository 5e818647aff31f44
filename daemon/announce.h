/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal and systemd are told after a pass: a line for each device whose state is news, a
 * summary, the STATUS= text. */
#pragma once

#include "plan.h"

struct tally {
    size_t selected, bound, usable, refused, failed, stuck, busy, released, pending;
    size_t mistakes;   /* in the policy */
    size_t unexpected; /* rules whose expect = N is not met */
};

struct tally tally_make(const struct plan *plan, const struct policy *p, size_t mistakes);

/* Is everything selected bound and usable, and the policy free of mistakes? */
bool tally_is_good(const struct tally *t);

/* One sentence for STATUS= and the summary. */
void tally_sentence(const struct tally *t, char *buf, size_t size);

/* Logs what is news about devices and notes in the records that it was told. Devices on which work
 * goes on are left for later. */
void announce_devices(const struct plan *plan, const struct policy *p, const struct snapshot *s,
                      struct records *r);

/* Logs the rules whose expect = N is not met. */
void announce_expect(const struct plan *plan, const struct policy *p);
