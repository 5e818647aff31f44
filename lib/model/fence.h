/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fence: entries in vfio-pci's table of dynamic IDs (its new_id file), by which it takes a
 * device that is plugged in before any driver registered later is asked. The kernel shows the table
 * to nobody, and it dies with the module, so what we put there is on record here. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

#define FENCE_DRIVER "vfio-pci"
#define FENCE_ANY UINT32_MAX  /* PCI_ANY_ID */
#define FENCE_ENTRIES_MAX 256 /* each write makes the kernel walk along all devices */

/* What new_id takes. */
struct fence_id {
    uint32_t vendor, device, subvendor, subdevice; /* FENCE_ANY: any */
    uint32_t class_code, class_mask;
};

enum fence_state {
    FENCE_OPEN,    /* not in the kernel's table */
    FENCE_BEGUN,   /* being written; after a crash: perhaps there */
    FENCE_ARMED,   /* in the table */
    FENCE_LEAVING, /* being removed; after a crash: perhaps there */
};

struct fence_entry {
    struct fence_id id;
    enum fence_state state;
    uint64_t added; /* the kernel searches its table in this order; 0: not known, or not there */
    bool companion; /* learned from a device that comes along: stays wanted when that is gone */
    bool narrowed;  /* also fits devices that the rule does not select: not to be left behind */
    int error;      /* errno of a failed write: not tried again until a retry. 0: none */
};

struct fence {
    uint64_t order;        /* the registration of vfio-pci to which the entries went (snapshot.h) */
    struct fence_entry *v; /* sorted by their IDs */
    size_t n, allocated;
    uint64_t last_added;
    bool in_flight;   /* a worker is writing entries */
    unsigned lost;    /* workers in a row that died before they had written an entry */
    unsigned hanging; /* writes that have not returned; their entries are at work all the same */
};

/* "10de 20f1 ffffffff ffffffff 0 0 0": all seven fields, for with fewer the kernel refuses an entry
 * that another one covers. */
#define FENCE_TEXT_MAX 56 /* fits an operation of a worker */
struct fence_text {
    char s[FENCE_TEXT_MAX];
};
struct fence_text fence_text(const struct fence_id *id);
bool fence_parse(const char *text, struct fence_id *ret);

/* The same for people: "10de:20f1", "10de:* class 030200/ffff00". */
struct fence_text fence_words(const struct fence_id *id);

bool fence_same(const struct fence_id *a, const struct fence_id *b);

/* Would vfio-pci take the device by this entry? Needs only what the modalias tells. */
bool fence_fits(const struct fence_id *id, const struct device *d);

/* Walks along the entries that fit a device, whatever their state: from {0} on, until NULL. An
 * entry of any vendor is one of any device; the kernel's table is never given another. */
struct fence_walk {
    unsigned part;
    bool begun;
    size_t at;
};
const struct fence_entry *fence_next(const struct fence *f, const struct device *d,
                                     struct fence_walk *w);

/* Does any entry fit that is in the kernel's table, or may be? */
bool fence_has(const struct fence *f, const struct device *d);

/* NULL: no such entry. */
struct fence_entry *fence_find(const struct fence *f, const struct fence_id *id);

/* Finds or adds; NULL when out of memory. */
struct fence_entry *fence_get(struct fence *f, const struct fence_id *id);
void fence_drop(struct fence *f, const struct fence_id *id);
void fence_done(struct fence *f);

/* Notes the driver's registration (0: it is gone). Another one has an empty table. */
void fence_follow(struct fence *f, uint64_t order);

/* Notes that an entry is being added to the kernel's table, at its end, and how that came out: 0,
 * or an errno and it is not there. fence_begin() returns NULL when out of memory. One that is being
 * removed as well stays on record as that until it is known how the removal came out. */
struct fence_entry *fence_begin(struct fence *f, const struct fence_id *id);
void fence_end(struct fence *f, struct fence_entry *e, int error);

/* Notes that it is being removed, and how that came out: 0, or an errno and it is still there. */
void fence_begin_removal(struct fence *f, const struct fence_id *id);
void fence_end_removal(struct fence_entry *e, int error);

/* The removals that take out of the kernel's table what is to go, and nothing that would not be on
 * record: remove_id takes the first entry of the table that it fits, so what stands before and fits
 * as well is removed first, whether it is to go or not. In this order each removal takes just its
 * own entry. Writes them to ret, which has room for f->n, and returns how many. What could not be
 * removed once stays, and what would hit it, until a retry. */
typedef bool (*fence_goes)(const void *userdata, const struct fence_entry *e);
size_t fence_removals(const struct fence *f, fence_goes goes, const void *userdata,
                      const struct fence_entry **ret);

/* Lets failed writes be tried again. */
void fence_retry(struct fence *f);

/* Forgets what was learned from companions: a new policy begins. */
void fence_unlearn(struct fence *f);
