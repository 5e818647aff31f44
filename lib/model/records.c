/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/records.h"

#include "base/search.h"
#include "base/util.h"

void records_done(struct records *r)
{
    for (size_t i = 0; i < r->n; i++)
        record_done(&r->v[i]);
    free(r->v);
    dynids_done(&r->dynids);
    *r = (struct records){0};
}

static size_t record_position(const struct records *r, struct pci_addr a)
{
    return lower_bound(&a, r->v, r->n, sizeof(*r->v), pci_addr_compare);
}

struct record *records_find(const struct records *r, struct pci_addr a)
{
    size_t i = record_position(r, a);

    return i < r->n && pci_addr_cmp(r->v[i].addr, a) == 0 ? &r->v[i] : NULL;
}

struct record *records_get(struct records *r, struct pci_addr a)
{
    size_t i = record_position(r, a);

    if (i < r->n && pci_addr_cmp(r->v[i].addr, a) == 0)
        return &r->v[i];
    if (!grow(&r->v, &r->allocated, r->n, sizeof(*r->v)))
        return NULL;
    memmove(&r->v[i + 1], &r->v[i], (r->n - i) * sizeof(*r->v));
    r->v[i] = (struct record){.addr = a};
    r->n++;
    return &r->v[i];
}

static void drop(struct records *r, struct record *old)
{
    record_done(old);
    r->n--;
    memmove(old, old + 1, (size_t)(&r->v[r->n] - old) * sizeof(*old));
}

void records_apply(struct records *r, struct pci_addr a, const struct record_event *e)
{
    struct record *found = records_find(r, a);

    if (!found)
        return;
    record_apply(found, e);
    if (found->state == RECORD_GONE && found->work == WORK_NONE && !record_has_past(found))
        drop(r, found);
}

void records_apply_all(struct records *r, const struct record_event *e)
{
    for (size_t i = 0; i < r->n; i++)
        record_apply(&r->v[i], e);
    if (e->kind != RECORD_EVENT_RELOAD && e->kind != RECORD_EVENT_RESCAN)
        return;
    dynids_retry(&r->dynids);
    if (e->kind == RECORD_EVENT_RELOAD)
        dynids_unlearn(&r->dynids);
    r->iommu_given_up = false;
}

uint64_t records_next_usec(const struct records *r)
{
    uint64_t next = 0;

    for (size_t i = 0; i < r->n; i++) {
        uint64_t t = r->v[i].not_before_usec;
        if (t != 0 && (next == 0 || t < next))
            next = t;
    }
    return next;
}
