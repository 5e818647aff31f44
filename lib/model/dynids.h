/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dynamic IDs: entries that are added to vfio-pci's table through its file new_id. They make
 * vfio-pci take a device as soon as it is plugged in, before any driver that was registered later
 * is asked. The kernel does not show the table, and the table is lost with the module, so the
 * entries are recorded here. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

#define DYNID_DRIVER "vfio-pci"
#define DYNID_ANY UINT32_MAX /* PCI_ANY_ID */
#define DYNIDS_MAX 256       /* each write makes the kernel go through all devices */

/* The fields of new_id. */
struct dynid {
    uint32_t vendor, device, subvendor, subdevice; /* DYNID_ANY: any */
    uint32_t class_code, class_mask;
};

enum dynid_state {
    DYNID_OPEN,    /* not in the kernel's table */
    DYNID_BEGUN,   /* being written; after a crash the entry may be in the table */
    DYNID_ARMED,   /* in the table */
    DYNID_LEAVING, /* being removed; after a crash the entry may be in the table */
};

struct dynid_entry {
    struct dynid id;
    enum dynid_state state;
    uint64_t
        added;    /* position: the kernel searches in this order; 0: unknown, or not in the table */
    bool learned; /* made for a device that came along; still wanted without that device */
    bool narrowed; /* also matches devices that the rule does not select; removed at a stop */
    int error; /* errno of a failed write, which is not repeated until dynids_retry(); 0: none */
};

struct dynids {
    uint64_t order;        /* the registration of vfio-pci that has these entries (snapshot.h) */
    struct dynid_entry *v; /* sorted by their IDs */
    size_t n, allocated;
    uint64_t last_added;
    bool in_flight;   /* a worker is writing entries */
    unsigned lost;    /* number of workers in a row that died before they had written an entry */
    unsigned hanging; /* writes that have not returned; their entries are in effect nevertheless */
};

/* "10de 20f1 ffffffff ffffffff 0 0 0". All seven fields are written: with fewer, the kernel rejects
 * an entry that another one covers. */
#define DYNID_TEXT_MAX 56 /* so that it fits into an operation of a worker */
struct dynid_text {
    char s[DYNID_TEXT_MAX];
};
struct dynid_text dynid_text(const struct dynid *id);
bool dynid_parse(const char *text, struct dynid *ret);

/* The same in messages: "10de:20f1", "10de:* class 030200/ffff00". */
struct dynid_text dynid_words(const struct dynid *id);

bool dynid_same(const struct dynid *a, const struct dynid *b);

/* Does the entry match the device, so that vfio-pci would take it? Needs only the fields of the
 * modalias. */
bool dynid_fits(const struct dynid *id, const struct device *d);

/* Iterates over the entries that match a device, whatever their state. Start with {0}; returns NULL
 * at the end. An entry for any vendor is always for any device as well; no other kind is ever
 * written. */
struct dynids_walk {
    unsigned part;
    bool begun;
    size_t at;
};
const struct dynid_entry *dynids_next(const struct dynids *f, const struct device *d,
                                      struct dynids_walk *w);

/* Does an entry match the device that is, or may be, in the kernel's table? */
bool dynids_has(const struct dynids *f, const struct device *d);

/* Returns NULL if there is no such entry. */
struct dynid_entry *dynids_find(const struct dynids *f, const struct dynid *id);

/* Finds or adds an entry; NULL when out of memory. */
struct dynid_entry *dynids_get(struct dynids *f, const struct dynid *id);
void dynids_drop(struct dynids *f, const struct dynid *id);
void dynids_done(struct dynids *f);

/* Records the current registration of vfio-pci (0: there is none). A new registration begins with
 * an empty table. */
void dynids_follow(struct dynids *f, uint64_t order);

/* Record that an entry is being added at the end of the kernel's table, and the result: 0, or the
 * errno if it was not added. dynids_begin() returns NULL when out of memory. If the same job
 * removes the entry first, its state stays DYNID_LEAVING until the result of the removal is
 * known. */
struct dynid_entry *dynids_begin(struct dynids *f, const struct dynid *id);
void dynids_end(struct dynids *f, struct dynid_entry *e, int error);

/* Record that an entry is being removed, and the result: 0, or the errno if it is still there. */
void dynids_begin_removal(struct dynids *f, const struct dynid *id);
void dynids_end_removal(struct dynid_entry *e, int error);

/* Finds which entries must be removed from the kernel's table, and in which order, so that all
 * entries for which `goes` is true leave it. remove_id removes the first entry of the table that
 * matches; so an older entry that also matches is removed first, even if it should stay. In this
 * order each removal hits exactly its own entry. An entry whose removal has failed stays until a
 * retry, and so does every entry whose removal could hit it. Writes the entries to ret, which has
 * room for f->n, and returns their number. */
typedef bool (*dynids_goes)(const void *userdata, const struct dynid_entry *e);
size_t dynids_removals(const struct dynids *f, dynids_goes goes, const void *userdata,
                       const struct dynid_entry **ret);

/* Failed writes may be tried again. */
void dynids_retry(struct dynids *f);

/* Forgets which entries were made for devices that came along, because there is a new policy. */
void dynids_unlearn(struct dynids *f);
