/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of all devices, and of vfio-pci's table. daemon/record-file.h saves in /run what must
 * survive a restart. Pure. */
#pragma once

#include "model/dynids.h"
#include "model/record-event.h"

struct records {
    struct record *v; /* sorted by address */
    size_t n, allocated;
    uint64_t newest;         /* the highest order (snapshot.h) of any known device; 0: none yet */
    uint64_t newest_at_boot; /* the value of .newest at the end of the boot: devices with a higher
                                order came later. 0: the boot is not over, as far as is known */
    uint64_t drivers; /* all drivers up to this order were registered when drivers were last read */
    struct dynids dynids; /* our entries in vfio-pci's table */
    bool iommu_given_up;  /* the IOMMU that the firmware announces did not appear, and we no longer
                             wait for it. Cleared by reload and rescan. */
};

void records_done(struct records *r);

/* Returns NULL if there is none. Valid until a record is added or dropped. */
struct record *records_find(const struct records *r, struct pci_addr a);

/* Finds or adds a record; NULL when out of memory. */
struct record *records_get(struct records *r, struct pci_addr a);

/* Applies an event to the record of a device, if there is one. The record of a device that is gone
 * is dropped, unless a worker has the device or something is remembered for its return. */
void records_apply(struct records *r, struct pci_addr a, const struct record_event *e);

/* Applies RECORD_EVENT_RELOAD, _RESCAN, _TIME or _DRIVERS to every record. The first two also
 * affect the dynamic IDs and .iommu_given_up. */
void records_apply_all(struct records *r, const struct record_event *e);

/* The earliest time at which there is something to do again; 0: nothing is waiting. */
uint64_t records_next_usec(const struct records *r);
