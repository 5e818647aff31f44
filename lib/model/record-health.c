/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record-health.h"

#include <errno.h>

#include "base/fact.h"
#include "base/util.h"

/* How long to wait before a test that could not be made is tried again. */
#define UNTESTED_USEC (10 * USEC_PER_SEC)

void record_health_doubt(struct record *r, const struct device *d, uint64_t until_usec)
{
    if (!record_is_confirmed(r) || !d || !driver_is_vfio(d->driver))
        return;
    r->health = HEALTH_SUSPECT;
    if (!record_is_waiting(r))
        r->not_before_usec = until_usec;
}

void record_health_test(struct record *r, int result, uint64_t now_usec)
{
    if (result != -EIO && fact_error(result) < 0) { /* this says nothing about the device */
        r->not_before_usec = now_usec + UNTESTED_USEC;
        return;
    }
    r->health = result == -EIO ? HEALTH_DEAD : HEALTH_UNTESTED;
}

void record_health_reset_method(struct record *r, const char *text, int error)
{
    free(r->reset_method);
    r->reset_method = text ? strdup(text) : NULL;
    r->reset_error = error;
}

void record_health_retry(struct record *r)
{
    if (r->health == HEALTH_DEAD)
        r->health = HEALTH_SUSPECT;
    if (r->reset_error != 0)
        record_health_reset_method(r, NULL, 0);
}
