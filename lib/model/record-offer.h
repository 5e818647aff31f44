/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Must the device be offered to native drivers again, because one may have skipped it? The kernel
 * offers a device to a driver once, at some moment of the driver's registration, and the driver
 * skips it while our override or placeholder is there. Until the registration is over, the driver
 * cannot be told to take the device. Only record-event.c uses this, since it knows when. Pure. */
#pragma once

#include "model/record.h"

/* It is about to get a placeholder; drivers up to this order have been offered the device. */
void record_offer_set_placeholder(struct record *r, uint64_t order);
void record_offer_clear_placeholder(struct record *r);

/* It was bound to its native driver by name, if that driver exists; it exists if its order is not
 * above this one. */
void record_offer_native(struct record *r, uint64_t order);

/* The drivers were read: `newest` is the highest order of a driver whose registration is over;
 * `registering` says whether another one may still take devices, because it is being registered or
 * an entry is being written. */
void record_offer_drivers(struct record *r, uint64_t newest, bool registering);
