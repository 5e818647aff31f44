/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal and systemd are told after a pass: a line for each device whose state is news, a
 * summary, the STATUS= text. */
#pragma once

#include "view.h"

struct tally {
    size_t selected, bound, usable, refused, failed, stuck, busy, released, contested, pending;
    size_t good;       /* as they should be, or being worked on */
    size_t errors;     /* in the policy */
    size_t unexpected; /* rules whose expect = N is not met */
    size_t vfs_wrong;  /* physical functions without the virtual functions that they are to have */
    bool unknown;      /* something could not be read */
};

struct tally tally_make(const struct view *view);

/* Is everything as it should be: devices bound and usable, the policy free of errors? Devices that
 * an administrator released are as they should be, and work under way is no fault yet. */
bool tally_is_good(const struct tally *t);

/* One sentence on how things are, for STATUS= and the summary. */
void announce_status(const struct view *view, char *buf, size_t size);

/* Logs what is news about devices and notes in the records that it was told. Devices on which work
 * goes on are left for later. */
void announce_devices(struct view *view);

/* Logs the summary of a pass over everything that took `usec`. */
void announce_summary(const struct view *view, uint64_t usec);

/* Logs what is wrong with the pass in the initramfs, if anything is. */
void announce_early(const struct view *view);

/* Logs the first thing that could not be read, if there is one. */
void announce_unknown(const struct view *view);

/* Logs whether a device that no rule names was handed back, if work on it has ended. */
void announce_handed_back(const struct view *view, struct pci_addr a);
