/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device between two users: does it still answer, and is it reset as its rule wants? For
 * record-event.c, which knows when; for nobody else. Pure. */
#pragma once

#include "model/record.h"

/* Its user has closed it, or it had an error that the kernel could not recover from. A close resets
 * the device; the kernel keeps others out of its configuration space meanwhile, and begins soon: it
 * is left alone until then. */
void record_health_doubt(struct record *r, const struct device *d, uint64_t until_usec);

/* The result of a test: 0 or negative errno. A device that is gone meanwhile is not dead. */
void record_health_test(struct record *r, int result);

/* This was written to its reset_method: 0 or errno. */
void record_health_reset_method(struct record *r, const char *text, int error);

/* What failed is to be tried again. */
void record_health_retry(struct record *r);
