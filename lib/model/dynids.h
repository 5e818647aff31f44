/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dynamic IDs: entries in vfio-pci's table (its new_id file), by which it takes a device that is
 * plugged in before any driver registered later is asked. The kernel shows the table to nobody, and
 * it dies with the module, so what we put there is on record here. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

#define DYNID_DRIVER "vfio-pci"
#define DYNID_ANY UINT32_MAX /* PCI_ANY_ID */
#define DYNIDS_MAX 256       /* each write makes the kernel walk along all devices */

/* What new_id takes. */
struct dynid {
    uint32_t vendor, device, subvendor, subdevice; /* DYNID_ANY: any */
    uint32_t class_code, class_mask;
};

enum dynid_state {
    DYNID_OPEN,    /* not in the kernel's table */
    DYNID_BEGUN,   /* being written; after a crash: perhaps there */
    DYNID_ARMED,   /* in the table */
    DYNID_LEAVING, /* being removed; after a crash: perhaps there */
};

struct dynid_entry {
    struct dynid id;
    enum dynid_state state;
    uint64_t added; /* the kernel searches its table in this order; 0: not known, or not there */
    bool learned;   /* learned from a device that comes along: stays wanted when that is gone */
    bool narrowed;  /* also fits devices that the rule does not select: not to be left behind */
    int error;      /* errno of a failed write: not tried again until a retry. 0: none */
};

struct dynids {
    uint64_t order;        /* the registration of vfio-pci to which the entries went (snapshot.h) */
    struct dynid_entry *v; /* sorted by their IDs */
    size_t n, allocated;
    uint64_t last_added;
    bool in_flight;   /* a worker is writing entries */
    unsigned lost;    /* workers in a row that died before they had written an entry */
    unsigned hanging; /* writes that have not returned; their entries are at work all the same */
};

/* "10de 20f1 ffffffff ffffffff 0 0 0": all seven fields, for with fewer the kernel refuses an entry
 * that another one covers. */
#define DYNID_TEXT_MAX 56 /* fits an operation of a worker */
struct dynid_text {
    char s[DYNID_TEXT_MAX];
};
struct dynid_text dynid_text(const struct dynid *id);
bool dynid_parse(const char *text, struct dynid *ret);

/* The same for people: "10de:20f1", "10de:* class 030200/ffff00". */
struct dynid_text dynid_words(const struct dynid *id);

bool dynid_same(const struct dynid *a, const struct dynid *b);

/* Would vfio-pci take the device by this entry? Needs only what the modalias tells. */
bool dynid_fits(const struct dynid *id, const struct device *d);

/* Walks along the entries that fit a device, whatever their state: from {0} on, until NULL. An
 * entry of any vendor is one of any device; the kernel's table is never given another. */
struct dynids_walk {
    unsigned part;
    bool begun;
    size_t at;
};
const struct dynid_entry *dynids_next(const struct dynids *f, const struct device *d,
                                      struct dynids_walk *w);

/* Does any entry fit that is in the kernel's table, or may be? */
bool dynids_has(const struct dynids *f, const struct device *d);

/* NULL: no such entry. */
struct dynid_entry *dynids_find(const struct dynids *f, const struct dynid *id);

/* Finds or adds; NULL when out of memory. */
struct dynid_entry *dynids_get(struct dynids *f, const struct dynid *id);
void dynids_drop(struct dynids *f, const struct dynid *id);
void dynids_done(struct dynids *f);

/* Records the driver's registration (0: it is gone). Another one has an empty table. */
void dynids_follow(struct dynids *f, uint64_t order);

/* Records that an entry is being added to the kernel's table, at its end, and how that came out: 0,
 * or an errno and it is not there. dynids_begin() returns NULL when out of memory. One that is
 * being removed as well stays on record as that until it is known how the removal came out. */
struct dynid_entry *dynids_begin(struct dynids *f, const struct dynid *id);
void dynids_end(struct dynids *f, struct dynid_entry *e, int error);

/* Records that it is being removed, and how that came out: 0, or an errno and it is still there. */
void dynids_begin_removal(struct dynids *f, const struct dynid *id);
void dynids_end_removal(struct dynid_entry *e, int error);

/* The removals that take out of the kernel's table what is to go, and nothing that would not be on
 * record: remove_id takes the first entry of the table that it fits, so what stands before and fits
 * as well is removed first, whether it is to go or not. In this order each removal takes just its
 * own entry. Writes them to ret, which has room for f->n, and returns how many. What could not be
 * removed once stays, and what would hit it, until a retry. */
typedef bool (*dynids_goes)(const void *userdata, const struct dynid_entry *e);
size_t dynids_removals(const struct dynids *f, dynids_goes goes, const void *userdata,
                       const struct dynid_entry **ret);

/* Lets failed writes be tried again. */
void dynids_retry(struct dynids *f);

/* Forgets what was learned from companion functions: a new policy begins. */
void dynids_unlearn(struct dynids *f);
