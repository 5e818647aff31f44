/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of all devices and of vfio-pci's table. daemon/record-file.h keeps in /run what must
 * survive a restart. Pure. */
#pragma once

#include "model/dynids.h"
#include "model/record-event.h"

struct records {
    struct record *v; /* sorted by address */
    size_t n, allocated;
    uint64_t newest; /* the highest order (snapshot.h) of any device known so far; 0: none yet */
    uint64_t newest_at_boot; /* the value of .newest when the boot was over: a higher order came
                              * later. 0: the boot is not over, as far as is known */
    uint64_t drivers;        /* all drivers up to this order were registered at the last look */
    struct dynids dynids;    /* our entries in vfio-pci's table */
    bool iommu_given_up; /* the IOMMU that the firmware announces did not come, and nobody waits for
                          * it any more. Cleared by reload and rescan. */
};

void records_done(struct records *r);

/* NULL: there is none. Valid until a record is added or dropped. */
struct record *records_find(const struct records *r, struct pci_addr a);

/* Finds or adds; NULL when out of memory. */
struct record *records_get(struct records *r, struct pci_addr a);

/* Applies an event to the record of a device, if there is one. The record of a device that is gone
 * is dropped, unless a worker has the device or something is remembered for its return. */
void records_apply(struct records *r, struct pci_addr a, const struct record_event *e);

/* Applies RECORD_EVENT_RELOAD, _RESCAN, _TIME or _DRIVERS to every record. The first two also
 * concern the dynamic IDs and .iommu_given_up. */
void records_apply_all(struct records *r, const struct record_event *e);

/* The earliest time at which something is to be done again; 0: nothing waits. */
uint64_t records_next_usec(const struct records *r);
