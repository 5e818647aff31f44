/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/dynids.h"

#include "base/search.h"
#include "base/util.h"
#include "model/snapshot.h"

/* -- one entry -- */

struct dynid_text dynid_text(const struct dynid *id)
{
    struct dynid_text t;

    snprintf(t.s, sizeof(t.s), "%x %x %x %x %x %x 0", id->vendor, id->device, id->subvendor,
             id->subdevice, id->class_code, id->class_mask);
    return t;
}

static size_t add_pair(char *buf, size_t size, const char *before, uint32_t first, uint32_t second)
{
    char x[9], y[9];

    snprintf(x, sizeof(x), first == DYNID_ANY ? "*" : "%04x", first);
    snprintf(y, sizeof(y), second == DYNID_ANY ? "*" : "%04x", second);
    return (size_t)snprintf(buf, size, "%s%s:%s", before, x, y);
}

struct dynid_text dynid_words(const struct dynid *id)
{
    struct dynid_text t;
    size_t n = add_pair(t.s, sizeof(t.s), "", id->vendor, id->device);

    if (id->subvendor != DYNID_ANY)
        n += add_pair(t.s + n, sizeof(t.s) - n, " subsystem ", id->subvendor, id->subdevice);
    if (id->class_mask != 0)
        snprintf(t.s + n, sizeof(t.s) - n, " class %06x/%06x", id->class_code, id->class_mask);
    return t;
}

bool dynid_parse(const char *text, struct dynid *ret)
{
    struct dynid id;
    int n = 0;

    if (strlen(text) >= DYNID_TEXT_MAX ||
        sscanf(text, "%8x %8x %8x %8x %6x %6x 0%n", &id.vendor, &id.device, &id.subvendor,
               &id.subdevice, &id.class_code, &id.class_mask, &n) != 6 ||
        n == 0 || text[n])
        return false;
    *ret = id;
    return true;
}

/* Vendor and device come first, so that only few entries have to be examined for a device: those
 * for its ID, for any device of its vendor, and for any vendor. DYNID_ANY sorts last. */
static int id_cmp(const struct dynid *a, const struct dynid *b)
{
    const uint32_t x[] = {a->vendor,    a->device,     a->subvendor,
                          a->subdevice, a->class_code, a->class_mask};
    const uint32_t y[] = {b->vendor,    b->device,     b->subvendor,
                          b->subdevice, b->class_code, b->class_mask};

    for (size_t i = 0; i < ELEMENTS(x); i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

bool dynid_same(const struct dynid *a, const struct dynid *b)
{
    return id_cmp(a, b) == 0;
}

static bool field_fits(uint32_t wanted, uint32_t found)
{
    return wanted == DYNID_ANY || wanted == found;
}

bool dynid_fits(const struct dynid *id, const struct device *d)
{
    return field_fits(id->vendor, d->vendor) && field_fits(id->device, d->device) &&
           field_fits(id->subvendor, d->subvendor) && field_fits(id->subdevice, d->subdevice) &&
           ((id->class_code ^ d->class_code) & id->class_mask) == 0;
}

/* -- the table -- */

static int compare_id(const void *key, const void *element)
{
    return id_cmp(key, &((const struct dynid_entry *)element)->id);
}

static size_t entry_position(const struct dynids *f, const struct dynid *id)
{
    return lower_bound(id, f->v, f->n, sizeof(*f->v), compare_id);
}

/* The position of the first entry of this vendor and device, or where it would be. */
static size_t start_of(const struct dynids *f, uint32_t vendor, uint32_t device)
{
    return entry_position(f, &(struct dynid){.vendor = vendor, .device = device});
}

const struct dynid_entry *dynids_next(const struct dynids *f, const struct device *d,
                                      struct dynids_walk *w)
{
    const struct {
        uint32_t vendor, device;
    } parts[] = {{d->vendor, d->device}, {d->vendor, DYNID_ANY}, {DYNID_ANY, DYNID_ANY}};

    for (; w->part < ELEMENTS(parts); w->part++, w->begun = false) {
        if (!w->begun)
            w->at = start_of(f, parts[w->part].vendor, parts[w->part].device);
        w->begun = true;
        while (w->at < f->n && f->v[w->at].id.vendor == parts[w->part].vendor &&
               f->v[w->at].id.device == parts[w->part].device) {
            const struct dynid_entry *e = &f->v[w->at++];
            if (dynid_fits(&e->id, d))
                return e;
        }
    }
    return NULL;
}

bool dynids_has(const struct dynids *f, const struct device *d)
{
    struct dynids_walk walk = {0};
    const struct dynid_entry *e;

    while ((e = dynids_next(f, d, &walk)))
        if (e->state != DYNID_OPEN)
            return true;
    return false;
}

struct dynid_entry *dynids_find(const struct dynids *f, const struct dynid *id)
{
    size_t i = entry_position(f, id);

    return i < f->n && dynid_same(&f->v[i].id, id) ? &f->v[i] : NULL;
}

struct dynid_entry *dynids_get(struct dynids *f, const struct dynid *id)
{
    size_t i = entry_position(f, id);

    if (i < f->n && dynid_same(&f->v[i].id, id))
        return &f->v[i];
    if (!grow(&f->v, &f->allocated, f->n, sizeof(*f->v)))
        return NULL;
    memmove(&f->v[i + 1], &f->v[i], (f->n - i) * sizeof(*f->v));
    f->v[i] = (struct dynid_entry){.id = *id};
    f->n++;
    return &f->v[i];
}

void dynids_drop(struct dynids *f, const struct dynid *id)
{
    struct dynid_entry *e = dynids_find(f, id);

    if (!e)
        return;
    f->n--;
    memmove(e, e + 1, (size_t)(&f->v[f->n] - e) * sizeof(*e));
}

void dynids_done(struct dynids *f)
{
    free(f->v);
    *f = (struct dynids){0};
}

void dynids_follow(struct dynids *f, uint64_t order)
{
    if (f->order == order)
        return;
    f->order = order;
    for (size_t i = 0; i < f->n; i++) {
        f->v[i].state = DYNID_OPEN;
        f->v[i].added = 0;
        f->v[i].error = 0;
    }
}

struct dynid_entry *dynids_begin(struct dynids *f, const struct dynid *id)
{
    struct dynid_entry *e = dynids_get(f, id);

    if (e && e->state == DYNID_OPEN) {
        e->state = DYNID_BEGUN;
        e->added = ++f->last_added;
    }
    return e;
}

void dynids_end(struct dynids *f, struct dynid_entry *e, int error)
{
    e->state = error ? DYNID_OPEN : DYNID_ARMED;
    e->added = error ? 0 : ++f->last_added;
    e->error = error;
}

void dynids_begin_removal(struct dynids *f, const struct dynid *id)
{
    struct dynid_entry *e = dynids_find(f, id);

    if (e && e->state == DYNID_ARMED)
        e->state = DYNID_LEAVING;
}

void dynids_end_removal(struct dynid_entry *e, int error)
{
    e->error = error;
    if (error == 0) {
        e->state = DYNID_OPEN;
        e->added = 0;
    } else if (e->state == DYNID_LEAVING) {
        e->state = DYNID_ARMED;
    }
}

/* -- removing: which, and in what order -- */

static bool dynid_removal_hits(const struct dynid *id, const struct dynid *entry)
{
    return id->vendor == entry->vendor && id->device == entry->device &&
           field_fits(id->subvendor, entry->subvendor) &&
           field_fits(id->subdevice, entry->subdevice) &&
           ((id->class_code ^ entry->class_code) & id->class_mask) == 0;
}

static int by_age(const void *x, const void *y)
{
    const struct dynid_entry *a = *(const struct dynid_entry *const *)x,
                             *b = *(const struct dynid_entry *const *)y;

    return (a->added > b->added) - (a->added < b->added);
}

/* Is it unknown whether the entry is in the kernel's table, or at which position? Then its removal
 * might remove another entry. */
static bool is_uncertain(const struct dynid_entry *e)
{
    return e->state == DYNID_BEGUN || e->state == DYNID_LEAVING || e->added == 0;
}

static bool same_bucket(const struct dynid_entry *a, const struct dynid_entry *b)
{
    return a->id.vendor == b->id.vendor && a->id.device == b->id.device;
}

/* Marks further entries that must be removed. remove_id removes the first entry that matches, so an
 * older entry that also matches must go first. If the position of an entry is uncertain, all
 * entries of its vendor and device are removed: then it does not matter which removal hits which
 * entry. */
static void mark_what_is_hit(const struct dynid_entry *const *v, bool *marks, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; marks[j] && is_uncertain(v[j]) && i < n; i++)
            marks[i] = marks[i] || same_bucket(v[i], v[j]);
    for (size_t j = n; j-- > 0;)
        for (size_t i = 0; marks[j] && i < j; i++)
            marks[i] = marks[i] || dynid_removal_hits(&v[j]->id, &v[i]->id);
}

/* An entry whose removal has failed stays, and so does every entry whose removal could hit it
 * instead. */
static void spare_what_stays(const struct dynid_entry *const *v, bool *marks, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; marks[j] && v[j]->error != 0 && i < n; i++)
            if (i != j && same_bucket(v[i], v[j]))
                marks[i] = false;
    for (size_t j = 0; j < n; j++)
        marks[j] = marks[j] && v[j]->error == 0;
}

size_t dynids_removals(const struct dynids *f, dynids_goes goes, const void *userdata,
                       const struct dynid_entry **ret)
{
    size_t n = 0, kept = 0;
    bool any = false;

    for (size_t i = 0; i < f->n; i++)
        if (f->v[i].state != DYNID_OPEN) {
            ret[n++] = &f->v[i];
            any = any || is_uncertain(&f->v[i]) || goes(userdata, &f->v[i]);
        }
    if (!any)
        return 0;
    CLEANUP_FREE bool *marks = calloc(n, sizeof(*marks));
    if (!marks)
        return 0; /* nothing is removed this time */
    qsort(ret, n, sizeof(const struct dynid_entry *), by_age);
    for (size_t i = 0; i < n; i++)
        marks[i] = is_uncertain(ret[i]) || goes(userdata, ret[i]);
    mark_what_is_hit(ret, marks, n);
    spare_what_stays(ret, marks, n);
    for (size_t i = 0; i < n; i++)
        if (marks[i])
            ret[kept++] = ret[i];
    return kept;
}

void dynids_retry(struct dynids *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->v[i].error = 0;
}

void dynids_unlearn(struct dynids *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->v[i].learned = false;
}
