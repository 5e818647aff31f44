/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is logged and sent to systemd after a pass: a line for each device with a new state, a
 * summary, and the STATUS= text. */
#pragma once

#include "plan/counts.h"
#include "view.h"

struct tally {
    struct device_counts all, all_bound;
    size_t selected, bound, usable, refused, failed, stuck, busy, released, contested, pending;
    size_t good;       /* in the wanted state, or being worked on */
    size_t errors;     /* in the policy */
    size_t unexpected; /* rules whose expect = N is not met */
    size_t vfs_wrong;  /* physical functions without the wanted number of virtual functions */
    bool unknown;      /* something could not be read */
};

struct tally tally_make(const struct view *view);

/* Does the state match the policy: all devices bound and usable, no errors in the policy? Devices
 * that an administrator released count as matching, and so does work in progress. */
bool tally_is_good(const struct tally *t);

/* The state in one sentence, for STATUS= and the summary. */
void announce_status(const struct view *view, char *buf, size_t size);

/* Logs new states of devices, and notes in the records that they were logged. Devices that are
 * still being worked on are logged later. */
void announce_devices(struct view *view);

/* Logs the summary of a pass over everything that took `usec`. */
void announce_summary(const struct view *view, uint64_t usec);

/* Logs what went wrong with the pass in the initramfs, if anything did. */
void announce_early(const struct view *view);

/* Logs the first thing that could not be read, if there is one. */
void announce_unknown(const struct view *view);

/* Logs whether a device that no rule selects was handed back, once work on it has ended. */
void announce_handed_back(const struct view *view, struct pci_addr a);
