/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Must the device be offered to native drivers again, because one may have passed it by? The kernel
 * offers a device to a driver once, at some moment of the driver's registration, and passes it by
 * while our override or our placeholder is there. Until the registration is over, nobody can tell
 * the driver to take the device. For record-event.c, which knows when; for nobody else. Pure. */
#pragma once

#include "model/record.h"

/* It is about to get a placeholder; drivers up to this order have been offered it. */
void record_offer_set_placeholder(struct record *r, uint64_t order);
void record_offer_clear_placeholder(struct record *r);

/* It was bound to its native driver by name, if that was there: drivers up to this order were. */
void record_offer_native(struct record *r, uint64_t order);

/* The drivers were looked at: the highest order of a driver whose registration is over, and whether
 * another one may still take devices: it is being registered, or an entry is being written. */
void record_offer_drivers(struct record *r, uint64_t newest, bool registering);
