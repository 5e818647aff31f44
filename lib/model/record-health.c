/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record-health.h"

#include <errno.h>

#include "base/util.h"

void record_health_doubt(struct record *r, const struct device *d, uint64_t until_usec)
{
    if (!record_is_confirmed(r) || !d || !driver_is_vfio(d->driver))
        return;
    r->health = HEALTH_SUSPECT;
    if (!record_is_waiting(r))
        r->not_before_usec = until_usec;
}

void record_health_test(struct record *r, int result)
{
    const enum record_health before = r->health;

    r->health =
        result < 0 && result != -ENOENT && result != -ENODEV ? HEALTH_DEAD : HEALTH_UNTESTED;
    if (r->health == HEALTH_DEAD || before == HEALTH_DEAD)
        r->told.any = false; /* its state is still "bound", but this must be reported */
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
