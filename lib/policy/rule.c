/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/rule.h"

#include <fnmatch.h>

#include "base/util.h"

static const char *const key_names[KEY_MAX] = {
    [KEY_ID] = "id",
    [KEY_CLASS] = "class",
    [KEY_SUBSYSTEM] = "subsystem",
    [KEY_ADDRESS] = "address",
    [KEY_SLOT] = "slot",
    [KEY_SERIAL] = "serial",
    [KEY_DRIVER] = "driver",
    [KEY_GROUP] = "group",
    [KEY_HOTPLUG] = "hotplug",
    [KEY_FORCE] = "force",
    [KEY_EXPECT] = "expect",
    [KEY_RESOURCE] = "resource",
    [KEY_INTERFACE] = "interface",
    [KEY_RESET_METHOD] = "reset-method",
};

const char *rule_key_name(enum rule_key key)
{
    return key_names[key];
}

const char *interface_word(enum interface_mode m)
{
    static const char *const words[INTERFACE_MAX] = {
        [INTERFACE_ANY] = "any", [INTERFACE_GROUP] = "group", [INTERFACE_IOMMUFD] = "iommufd"};

    return words[m];
}

void rule_done(struct rule *r)
{
    for (int k = 0; k < KEY_SELECTS_MAX; k++) {
        for (size_t i = 0; i < r->narrow[k].n; i++)
            free(r->narrow[k].v[i]);
        free(r->narrow[k].v);
    }
    free(r->name);
    free(r->ids);
    free(r->driver);
    free(r->resource);
    free(r->reset_method);
}

bool rule_is_native(const struct rule *r)
{
    return streq(r->driver, "native");
}

bool rule_is_auto(const struct rule *r)
{
    return streq(r->driver, "auto");
}

const char *rule_target(const struct rule *r)
{
    if (rule_is_native(r))
        return NULL;
    return rule_is_auto(r) ? "vfio-pci" : r->driver;
}

/* -- matching -- */

static bool ids_fit(const struct rule *r, const struct device *d)
{
    for (size_t i = 0; i < r->n_ids; i++)
        if (r->ids[i].vendor == d->vendor &&
            (r->ids[i].any_device || r->ids[i].device == d->device))
            return true;
    return r->n_ids == 0;
}

/* The device's value of a key, spelled as in patterns. NULL: not known. */
static const char *key_text(enum rule_key key, const struct device *d, char *buf, size_t size)
{
    switch (key) {
    case KEY_CLASS:
        snprintf(buf, size, "%06x", d->class_code);
        return buf;
    case KEY_SUBSYSTEM:
        snprintf(buf, size, "%04x:%04x", d->subvendor, d->subdevice);
        return buf;
    case KEY_ADDRESS:
        snprintf(buf, size, "%s", pci_addr_text(d->addr).s);
        return buf;
    case KEY_SLOT:
        return d->slot;
    case KEY_SERIAL:
        return d->serial;
    default:
        return NULL;
    }
}

static bool is_negated(const char *pattern)
{
    return pattern[0] == '!';
}

/* No negated pattern fits, and a positive one does (or there is none). A fact that is not known
 * fits nothing: "all but slot 3" must not take a device of which no slot is known. */
static bool patterns_fit(const struct patterns *p, const char *text)
{
    bool positive = false, found = false;

    if (!text)
        return false;
    for (size_t i = 0; i < p->n; i++) {
        bool fits = fnmatch(p->v[i] + is_negated(p->v[i]), text, 0) == 0;
        if (is_negated(p->v[i])) {
            if (fits)
                return false;
        } else {
            positive = true;
            found = found || fits;
        }
    }
    return found || !positive;
}

static bool key_fits(const struct rule *r, const struct device *d, enum rule_key key)
{
    const struct patterns *p = &r->narrow[key];
    char buf[PCI_ADDR_MAX];

    if (key == KEY_ID)
        return ids_fit(r, d);
    return p->n == 0 || patterns_fit(p, key_text(key, d, buf, sizeof(buf)));
}

int rule_test(const struct rule *r, const struct device *d)
{
    for (enum rule_key k = 0; k < KEY_SELECTS_MAX; k++)
        if (!key_fits(r, d, k))
            return k;
    return -1;
}

/* Can the pattern fit only one slot? All of an address but the function must be written out. */
static bool is_one_slot(enum rule_key key, const char *pattern)
{
    size_t literal = strcspn(pattern, "*?[");
    const char *bus = strchr(pattern, ':'), *dev = bus ? strchr(bus + 1, ':') : NULL;

    if (is_negated(pattern))
        return false;
    if (key != KEY_ADDRESS)
        return pattern[literal] == '\0';
    return dev && pattern + literal >= dev + strlen(":00");
}

bool rule_names_device(const struct rule *r, const struct device *d)
{
    for (enum rule_key k = KEY_ADDRESS; k <= KEY_SERIAL; k++) {
        char buf[PCI_ADDR_MAX];
        const char *text = key_text(k, d, buf, sizeof(buf));

        for (size_t i = 0; text && i < r->narrow[k].n; i++)
            if (is_one_slot(k, r->narrow[k].v[i]) && fnmatch(r->narrow[k].v[i], text, 0) == 0)
                return true;
    }
    return false;
}

bool rule_names_by_vendor(const struct rule *r, const struct device *d)
{
    bool wildcard = false;

    for (size_t i = 0; i < r->n_ids; i++) {
        if (r->ids[i].vendor == d->vendor && !r->ids[i].any_device && r->ids[i].device == d->device)
            return false;
        wildcard = wildcard || (r->ids[i].vendor == d->vendor && r->ids[i].any_device);
    }
    return wildcard && r->narrow[KEY_CLASS].n == 0 && !rule_names_device(r, d);
}

/* -- rules compared -- */

static bool patterns_same(const struct patterns *a, const struct patterns *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!streq(a->v[i], b->v[i]))
            return false;
    return true;
}

static bool id_covers(const struct rule *wide, struct id_pattern id)
{
    for (size_t i = 0; i < wide->n_ids; i++)
        if (wide->ids[i].vendor == id.vendor &&
            (wide->ids[i].any_device || (!id.any_device && wide->ids[i].device == id.device)))
            return true;
    return wide->n_ids == 0;
}

bool rule_covers(const struct rule *wide, const struct rule *narrow)
{
    for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++)
        if (wide->narrow[k].n > 0 && !patterns_same(&wide->narrow[k], &narrow->narrow[k]))
            return false;
    if (narrow->n_ids == 0)
        return wide->n_ids == 0;
    for (size_t i = 0; i < narrow->n_ids; i++)
        if (!id_covers(wide, narrow->ids[i]))
            return false;
    return true;
}

bool rule_has_positive(const struct rule *r)
{
    if (r->n_ids > 0)
        return true;
    for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++)
        for (size_t i = 0; i < r->narrow[k].n; i++)
            if (!is_negated(r->narrow[k].v[i]))
                return true;
    return false;
}

void rule_drop_key(struct rule *r, enum rule_key k)
{
    if (k == KEY_ID)
        r->n_ids = 0;
    for (size_t i = 0; i < r->narrow[k].n; i++)
        free(r->narrow[k].v[i]);
    r->narrow[k].n = 0;
}
