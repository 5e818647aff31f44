/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>

void kernel_add_vf(struct kernel *k, size_t vf, size_t pf)
{
    k->devices[vf].physical = (int)pf;
    k->devices[pf].total_vfs++;
}

bool kernel_needs_override(const struct kernel *k, size_t device)
{
    const struct kernel_device *d = &k->devices[device];

    return d->physical != NO_PHYSICAL && k->devices[d->physical].autoprobe_off && !d->has_override;
}

int kernel_set_autoprobe(struct kernel *k, size_t pf, bool on)
{
    if (!k->devices[pf].there)
        return -ENOENT;
    k->devices[pf].autoprobe_off = !on;
    return 0;
}

/* In the order in which they were added. */
static void change_number(struct kernel *k, size_t pf, unsigned number)
{
    k->devices[pf].n_vfs = number;
    for (size_t i = 0; i < k->n_devices; i++) {
        if (k->devices[i].physical != (int)pf)
            continue;
        if (k->devices[i].there && number == 0)
            kernel_unplug(k, i);
        else if (!k->devices[i].there && number > 0)
            kernel_plug(k, i), number--;
    }
}

/* With the lock of the physical function, whose driver does it (sriov_configure). */
int kernel_set_numvfs(struct kernel *k, size_t pf, unsigned number)
{
    struct kernel_device *d = &k->devices[pf];
    int r = 0;

    if (!d->there)
        return -ENOENT;
    if (number > d->total_vfs)
        return -ERANGE;
    if (kernel_hooks.lock)
        kernel_hooks.lock(pf);
    if (number == d->n_vfs)
        r = 0;
    else if (d->driver == NOBODY)
        r = -ENOENT;
    else if (number > 0 && d->n_vfs > 0)
        r = -EBUSY;
    else {
        if (kernel_hooks.inside)
            kernel_hooks.inside(pf);
        change_number(k, pf, number);
    }
    if (kernel_hooks.unlock)
        kernel_hooks.unlock(pf);
    return r;
}
