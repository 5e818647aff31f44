/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a device beyond what /sys shows now: what was done to it, what was there before.
 * Pure; daemon/held.h keeps the lasting part in /run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fence.h"
#include "pciaddr.h"
#include "snapshot.h"
#include "state.h"

struct record {
    struct pci_addr addr;
    bool hotplugged;    /* appeared while we were running */
    bool unused_before; /* and after the host had come up: nothing can have used it before */
    bool in_flight;     /* a worker has work for it */
    bool stuck;         /* that worker is past its deadline */
    bool replaced;      /* in flight, and unplugged meanwhile: what comes of it says nothing of the
                         * device that is there now */
    bool released;      /* an administrator wants it handed back, until reload or bind */
    bool contested;     /* too many foreign unbinds: we stopped fighting */
    unsigned flaps;     /* foreign unbinds in a row, each less than a minute after the first */
    uint64_t flap_usec; /* when the first of them came */
    bool handed_back;   /* that, or the like for what no rule names, was carried out to its end */
    bool overridden;    /* driver_override was written by us */
    bool ours;      /* likewise, and that is kept: it may be handed back when no rule names it */
    bool parked;    /* its override may be the parking one */
    bool fresh;     /* nobody has had it since it was plugged in, but perhaps the fence */
    bool dropped;   /* the new policy does not name it any more: to be handed back */
    bool touched;   /* a native driver was seen on it */
    bool confirmed; /* a bind of ours returned, or a bind event came, or it was bound at start */
    unsigned lost;  /* how often a bind found another driver there (EBUSY) in a row */
    int error;  /* errno of the write that failed; 0: none. Cleared by reload, rescan and Bind. */
    bool early; /* the kernel refused a bind, for it is not done with adding the device yet: it
                 * will bind it itself. Not to be tried at once. */
    bool unverified; /* every write succeeded, the driver link does not show it */
    enum action_kind failed_at;
    char *previous_driver; /* the native driver it was taken from, or NULL */
    char *holder;          /* who was found to have it open, in words, or NULL */
    uint64_t seen_usec;    /* CLOCK_MONOTONIC, when it was first seen */
    uint64_t bound_usec;   /* how long from then until it was verified; 0: not yet */
    int logged_state;      /* the state the journal was last told; -1: none */
    int logged_reason;
};

/* A device that was left to the host because that may need it. It is known by place and identity,
 * and outlives its record: when it comes back it is as little known to be free as before. */
struct kept {
    struct pci_addr addr;
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class_code;
};

struct records {
    struct record *v; /* sorted by address */
    size_t n, allocated;
    uint64_t newest;    /* the highest order (snapshot.h) of any device known so far; 0: none yet */
    struct fence fence; /* what is in vfio-pci's table by us */
    struct kept *kept;
    size_t n_kept, kept_allocated;
};

void records_done(struct records *r);

/* NULL: nothing is known. Valid until one is added or dropped. */
struct record *records_find(const struct records *r, struct pci_addr a);

/* Finds or adds; NULL when out of memory. */
struct record *records_get(struct records *r, struct pci_addr a);

/* Forgets all that is known of the device; the record stays. */
void record_reset(struct record *r);

void records_drop(struct records *r, struct pci_addr a);

/* Keeps a device for the host; what stood for its place before is another card's. Returns 0 or
 * -ENOMEM. */
int records_keep(struct records *r, const struct device *d);
void records_unkeep(struct records *r, struct pci_addr a);
bool records_is_kept(const struct records *r, const struct device *d);

/* Forgets a failure, so that the next plan tries again. */
void record_retry(struct record *r);
void records_retry(struct records *r);

/* The same, and what an administrator released is to be taken again: a new policy begins. */
void records_clear(struct records *r);
