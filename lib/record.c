/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <errno.h>

#include "util.h"

static void free_texts(struct record *r)
{
    free(r->previous_driver);
    free(r->holder);
}

void records_done(struct records *r)
{
    for (size_t i = 0; i < r->n; i++)
        free_texts(&r->v[i]);
    free(r->v);
    fence_done(&r->fence);
    free(r->kept);
    *r = (struct records){0};
}

static size_t lower_bound(const struct records *r, struct pci_addr a)
{
    size_t low = 0, high = r->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pci_addr_cmp(r->v[middle].addr, a) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct record *records_find(const struct records *r, struct pci_addr a)
{
    size_t i = lower_bound(r, a);

    return i < r->n && pci_addr_cmp(r->v[i].addr, a) == 0 ? &r->v[i] : NULL;
}

struct record *records_get(struct records *r, struct pci_addr a)
{
    size_t i = lower_bound(r, a);

    if (i < r->n && pci_addr_cmp(r->v[i].addr, a) == 0)
        return &r->v[i];
    if (!grow(&r->v, &r->allocated, r->n, sizeof(*r->v)))
        return NULL;
    memmove(&r->v[i + 1], &r->v[i], (r->n - i) * sizeof(*r->v));
    r->v[i] = (struct record){.addr = a, .logged_state = -1};
    r->n++;
    return &r->v[i];
}

void record_reset(struct record *r)
{
    free_texts(r);
    *r = (struct record){.addr = r->addr, .logged_state = -1};
}

void records_drop(struct records *r, struct pci_addr a)
{
    struct record *old = records_find(r, a);

    if (!old)
        return;
    free_texts(old);
    r->n--;
    memmove(old, old + 1, (size_t)(&r->v[r->n] - old) * sizeof(*old));
}

static struct kept kept_of(const struct device *d)
{
    return (struct kept){d->addr, d->vendor, d->device, d->subvendor, d->subdevice, d->class_code};
}

void records_unkeep(struct records *r, struct pci_addr a)
{
    size_t left = 0;

    for (size_t i = 0; i < r->n_kept; i++)
        if (pci_addr_cmp(r->kept[i].addr, a) != 0)
            r->kept[left++] = r->kept[i];
    r->n_kept = left;
}

int records_keep(struct records *r, const struct device *d)
{
    if (records_is_kept(r, d))
        return 0;
    records_unkeep(r, d->addr);
    if (!grow(&r->kept, &r->kept_allocated, r->n_kept, sizeof(*r->kept)))
        return -ENOMEM;
    r->kept[r->n_kept++] = kept_of(d);
    return 0;
}

bool records_is_kept(const struct records *r, const struct device *d)
{
    for (size_t i = 0; i < r->n_kept; i++) {
        const struct kept *k = &r->kept[i];
        if (pci_addr_cmp(k->addr, d->addr) == 0)
            return k->vendor == d->vendor && k->device == d->device &&
                   k->subvendor == d->subvendor && k->subdevice == d->subdevice &&
                   k->class_code == d->class_code;
    }
    return false;
}

void record_retry(struct record *r)
{
    r->error = 0;
    r->contested = false;
    r->handed_back = false;
    r->flaps = 0;
    r->early = r->unverified = false;
    r->lost = 0;
    r->overridden = false; /* the target may be another, or somebody removed it */
    free(r->holder);
    r->holder = NULL;
}

void records_retry(struct records *r)
{
    for (size_t i = 0; i < r->n; i++)
        record_retry(&r->v[i]);
    fence_retry(&r->fence);
}

void records_clear(struct records *r)
{
    for (size_t i = 0; i < r->n; i++) {
        record_retry(&r->v[i]);
        r->v[i].released = r->v[i].dropped = false;
    }
    fence_retry(&r->fence);
    fence_unlearn(&r->fence);
}
