/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include <errno.h>

#include "base/search.h"
#include "base/util.h"

void device_done(struct device *d)
{
    free(d->pf_slot);
    free(d->slot);
    free(d->serial);
    free(d->use);
    free(d->evidence);
    free(d->claimant);
    free(d->module);
    free(d->variant);
    free(d->cdev);
}

void snapshot_done(struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        device_done(&s->devices[i]);
    free(s->devices);
    for (size_t i = 0; i < s->n_names; i++)
        free(s->names[i]);
    free(s->names);
    free(s->registered);
    *s = (struct snapshot){0};
}

/* The index of the first device whose address is not less than a. */
static size_t device_position(const struct snapshot *s, struct pci_addr a)
{
    return lower_bound(&a, s->devices, s->n, sizeof(*s->devices), pci_addr_compare);
}

struct device *snapshot_find(const struct snapshot *s, struct pci_addr a)
{
    size_t i = device_position(s, a);

    return i < s->n && pci_addr_cmp(s->devices[i].addr, a) == 0 ? &s->devices[i] : NULL;
}

const char *snapshot_name(struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->n_names; i++)
        if (streq(s->names[i], name))
            return s->names[i];

    char **names = reallocarray(s->names, s->n_names + 1, sizeof(*names));
    if (!names)
        return NULL;
    s->names = names;
    names[s->n_names] = strdup(name);
    return names[s->n_names] ? names[s->n_names++] : NULL;
}

/* Prepares a device for the snapshot: its driver name becomes the snapshot's own copy. Frees the
 * texts on failure. */
static bool own_device(struct snapshot *s, const struct device *d, struct device *ret)
{
    *ret = *d;
    if (d->driver)
        ret->driver = snapshot_name(s, d->driver);
    if (d->driver && !ret->driver) {
        device_done(ret);
        return false;
    }
    return true;
}

int snapshot_keep(struct snapshot *s, const struct device *d)
{
    struct device copy = *d;
    char **texts[] = {&copy.pf_slot,  &copy.slot,   &copy.serial,  &copy.use, &copy.evidence,
                      &copy.claimant, &copy.module, &copy.variant, &copy.cdev};
    bool copied = true;

    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        const bool there = *texts[i] != NULL;
        *texts[i] = there ? strdup(*texts[i]) : NULL;
        copied = copied && (*texts[i] || !there);
    }
    if (copied)
        return snapshot_put(s, &copy);
    device_done(&copy);
    return -ENOMEM;
}

enum fact snapshot_unknown(const struct snapshot *s, const struct device **ret_device,
                           int *ret_error)
{
    *ret_device = NULL;
    *ret_error = s->unknown.error;
    for (size_t i = 0; i < s->n && s->unknown.fact == FACT_NONE; i++)
        if (s->devices[i].unknown.fact != FACT_NONE) {
            *ret_device = &s->devices[i];
            *ret_error = s->devices[i].unknown.error;
            return s->devices[i].unknown.fact;
        }
    return s->unknown.fact;
}

static int insert(struct snapshot *s, size_t at, const struct device *d)
{
    struct device new;

    if (!own_device(s, d, &new))
        return -ENOMEM;
    if (!grow(&s->devices, &s->allocated, s->n, sizeof(*s->devices))) {
        device_done(&new);
        return -ENOMEM;
    }
    memmove(&s->devices[at + 1], &s->devices[at], (s->n - at) * sizeof(*s->devices));
    s->devices[at] = new;
    s->n++;
    return 0;
}

int snapshot_append(struct snapshot *s, const struct device *d)
{
    return insert(s, s->n, d);
}

void snapshot_sort(struct snapshot *s)
{
    if (s->n > 1)
        qsort(s->devices, s->n, sizeof(*s->devices), pci_addr_compare);
}

int snapshot_put(struct snapshot *s, const struct device *d)
{
    struct device *old = snapshot_find(s, d->addr), new;

    if (!old)
        return insert(s, device_position(s, d->addr), d);
    if (!own_device(s, d, &new))
        return -ENOMEM;
    device_done(old);
    *old = new;
    return 0;
}

void snapshot_remove(struct snapshot *s, struct pci_addr a)
{
    struct device *d = snapshot_find(s, a);

    if (!d)
        return;
    device_done(d);
    s->n--;
    memmove(d, d + 1, (size_t)(&s->devices[s->n] - d) * sizeof(*d));
}

bool snapshot_is_registered(const struct snapshot *s, const char *driver)
{
    for (size_t i = 0; i < s->n_registered; i++)
        if (streq(s->registered[i].name, driver))
            return true;
    return false;
}

uint64_t snapshot_order(const struct snapshot *s, const char *driver)
{
    for (size_t i = 0; i < s->n_registered; i++)
        if (streq(s->registered[i].name, driver))
            return s->registered[i].order;
    return 0;
}

int snapshot_add_registered(struct snapshot *s, const char *driver, uint64_t order)
{
    if (snapshot_is_registered(s, driver))
        return 0;

    const char *name = snapshot_name(s, driver);
    struct registered *registered =
        reallocarray(s->registered, s->n_registered + 1, sizeof(*registered));
    if (registered)
        s->registered = registered;
    if (!registered || !name)
        return -ENOMEM;
    registered[s->n_registered++] = (struct registered){name, order};
    return 0;
}

bool device_can_be_kept(const struct snapshot *s, const struct device *d)
{
    return !d->noiommu && (d->node || (d->cdev && s->iommufd));
}

struct node_text device_group_node(const struct device *d)
{
    struct node_text t = {""};

    if (d->node)
        snprintf(t.s, sizeof(t.s), "/dev/vfio/%s%u", d->noiommu ? "noiommu-" : "", d->group);
    return t;
}

struct node_text device_own_node(const struct device *d)
{
    struct node_text t = {""};

    if (d->cdev)
        snprintf(t.s, sizeof(t.s), "/dev/vfio/devices/%.32s", d->cdev);
    return t;
}

bool driver_is_vfio(const char *driver)
{
    return driver && strstr(driver, "vfio");
}
