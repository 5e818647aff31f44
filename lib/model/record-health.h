/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device between two users: does it still answer, and is it reset as its rule says? Only
 * record-event.c uses this, since it knows when. Pure. */
#pragma once

#include "model/record.h"

/* Its user has closed it, or it had an error that the kernel could not recover from. When a device
 * is closed, the kernel resets it and blocks access to its configuration space meanwhile; this
 * begins shortly after the close. So the device is left alone for a moment. */
void record_health_doubt(struct record *r, const struct device *d, uint64_t until_usec);

/* The result of a test: 0, -EIO (it does not answer, or not as itself), or another negative errno:
 * a device that is gone is not dead, nor is one that could not be tested. */
void record_health_test(struct record *r, int result, uint64_t now_usec);

/* The result of writing this to its reset_method: 0 or errno. */
void record_health_reset_method(struct record *r, const char *text, int error);

/* Failed operations are to be tried again. */
void record_health_retry(struct record *r);
