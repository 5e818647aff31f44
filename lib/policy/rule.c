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
    [KEY_VF_OF] = "vf-of",
    [KEY_VF_INDEX] = "vf-index",
    [KEY_SERIAL] = "serial",
    [KEY_DRIVER] = "driver",
    [KEY_GROUP] = "group",
    [KEY_HOTPLUG] = "hotplug",
    [KEY_FORCE] = "force",
    [KEY_EXPECT] = "expect",
    [KEY_RESOURCE] = "resource",
    [KEY_INTERFACE] = "interface",
    [KEY_RESET_METHOD] = "reset-method",
    [KEY_VFS] = "vfs",
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

static bool is_negated(const char *pattern)
{
    return pattern[0] == '!';
}

/* The value of a key that a pattern is compared with. For "vf-of" it is the address or slot of the
 * physical function, depending on the pattern. NULL: not known. */
static const char *key_text(enum rule_key key, const struct device *d, const char *pattern,
                            char *buf, size_t size)
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
    case KEY_VF_OF:
        if (!strchr(pattern, ':'))
            return d->pf_slot;
        snprintf(buf, size, "%s", pci_addr_text(d->pf).s);
        return d->vf ? buf : NULL;
    case KEY_VF_INDEX:
        snprintf(buf, size, "%u", d->vf_number - 1U);
        return d->vf_number > 0 ? buf : NULL;
    case KEY_SERIAL:
        return d->serial;
    default:
        return NULL;
    }
}

/* "0-3" or "7", as policy/select.c writes them. */
static bool is_in_range(const char *range, const char *number)
{
    char *dash;
    const unsigned long first = strtoul(range, &dash, 10), n = strtoul(number, NULL, 10);

    return n >= first && n <= (*dash == '-' ? strtoul(dash + 1, NULL, 10) : first);
}

static bool pattern_fits(enum rule_key key, const char *pattern, const char *text)
{
    return key == KEY_VF_INDEX ? is_in_range(pattern, text) : fnmatch(pattern, text, 0) == 0;
}

/* True if no negated pattern matches and a positive one does (or there is none). An unknown fact
 * matches nothing: "all but slot 3" must not take a device whose slot is unknown. */
static bool patterns_fit(const struct patterns *p, enum rule_key key, const struct device *d)
{
    bool positive = false, found = false;
    char buf[PCI_ADDR_MAX];

    for (size_t i = 0; i < p->n; i++) {
        const char *pattern = p->v[i] + is_negated(p->v[i]);
        const char *text = key_text(key, d, pattern, buf, sizeof(buf));
        if (!text)
            return false;
        bool fits = pattern_fits(key, pattern, text);
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
    if (key == KEY_ID)
        return ids_fit(r, d);
    return r->narrow[key].n == 0 || patterns_fit(&r->narrow[key], key, d);
}

int rule_test(const struct rule *r, const struct device *d)
{
    if (rule_makes_vfs(r) && d->vf)
        return KEY_VFS;
    for (enum rule_key k = 0; k < KEY_SELECTS_MAX; k++)
        if (!key_fits(r, d, k))
            return k;
    return -1;
}

/* The vendor of a virtual function is that of its physical function. */
bool rule_may_select_vfs_of(const struct rule *r, const struct device *pf)
{
    const struct device vf = {.vf = true, .pf = pf->addr, .pf_slot = pf->slot};
    bool vendor = r->n_ids == 0;

    for (size_t i = 0; i < r->n_ids; i++)
        vendor = vendor || r->ids[i].vendor == pf->vendor;
    return !rule_makes_vfs(r) && vendor && key_fits(r, &vf, KEY_VF_OF);
}

/* Can the pattern match only one slot? All of an address but the function must be given; for
 * "vf-of" the function as well. */
static bool is_one_slot(enum rule_key key, const char *pattern)
{
    size_t literal = strcspn(pattern, "*?[");
    const char *bus = strchr(pattern, ':'), *dev = bus ? strchr(bus + 1, ':') : NULL;

    if (is_negated(pattern) || key == KEY_VF_INDEX)
        return false;
    if (key != KEY_ADDRESS)
        return pattern[literal] == '\0';
    return dev && pattern + literal >= dev + strlen(":00");
}

bool rule_names_device(const struct rule *r, const struct device *d)
{
    for (enum rule_key k = KEY_ADDRESS; k <= KEY_SERIAL; k++) {
        for (size_t i = 0; i < r->narrow[k].n; i++) {
            char buf[PCI_ADDR_MAX];
            const char *pattern = r->narrow[k].v[i];
            const char *text = key_text(k, d, pattern, buf, sizeof(buf));
            if (text && is_one_slot(k, pattern) && pattern_fits(k, pattern, text))
                return true;
        }
    }
    return false;
}

static bool has_positive_pattern(const struct rule *r, enum rule_key k)
{
    for (size_t i = 0; i < r->narrow[k].n; i++)
        if (!is_negated(r->narrow[k].v[i]))
            return true;
    return false;
}

bool rule_trusts_addresses(const struct rule *r)
{
    return r->n_ids == 0 && has_positive_pattern(r, KEY_ADDRESS) &&
           !has_positive_pattern(r, KEY_SLOT) && !has_positive_pattern(r, KEY_SERIAL);
}

bool rule_vouches_for(const struct rule *r, const struct device *d)
{
    return rule_names_device(r, d) && !rule_trusts_addresses(r);
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
    if (rule_makes_vfs(wide) && !rule_makes_vfs(narrow)) /* leaves virtual functions to others */
        return false;
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
        if (has_positive_pattern(r, k))
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
