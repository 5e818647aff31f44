/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of all devices, and of vfio-pci's table. daemon/record-file.h keeps the
 * lasting part in /run. Pure. */
#pragma once

#include "model/dynids.h"
#include "model/record-event.h"

struct records {
    struct record *v; /* sorted by address */
    size_t n, allocated;
    uint64_t newest; /* the highest order (snapshot.h) of any device known so far; 0: none yet */
    uint64_t newest_at_boot; /* the same when the host had come up: what is higher came later. 0: it
                              * has not, as far as is known */
    struct dynids dynids;    /* what is in vfio-pci's table by us */
    bool iommu_given_up; /* the IOMMU that the firmware announces did not come, and nobody waits for
                          * it any more. Cleared by reload and rescan. */
};

void records_done(struct records *r);

/* NULL: nothing is known. Valid until one is added or dropped. */
struct record *records_find(const struct records *r, struct pci_addr a);

/* Finds or adds; NULL when out of memory. */
struct record *records_get(struct records *r, struct pci_addr a);

/* Applies an event to the record of a device, where there is one; of one that is gone only what
 * concerns its coming back is kept. */
void records_apply(struct records *r, struct pci_addr a, const struct record_event *e);

/* The same for every record: RECORD_EVENT_RELOAD, _RESCAN, _TIME; and what these mean for the
 * dynamic IDs. */
void records_apply_all(struct records *r, const struct record_event *e);

/* The earliest time at which something is to be done again; 0: nothing waits. */
uint64_t records_next_usec(const struct records *r);
