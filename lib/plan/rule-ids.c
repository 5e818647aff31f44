/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/rule-ids.h"

#include <string.h>

#include "base/util.h"

static bool is_literal(const char *pattern)
{
    return pattern[0] != '!' && !strpbrk(pattern, "*?[");
}

/* A class pattern as value and mask: "0302*" is 030200/ffff00. Returns false if no mask can express
 * it. */
static bool class_of_pattern(const char *pattern, uint32_t *ret_class, uint32_t *ret_mask)
{
    size_t digits = strspn(pattern, "0123456789abcdef");

    if (pattern[0] == '!' || !streq(pattern + digits, digits == 6 ? "" : "*") || digits > 6)
        return false;
    const size_t open_bits = 4 * (6 - digits);
    *ret_class = (uint32_t)strtoul(pattern, NULL, 16) << open_bits;
    *ret_mask = 0xffffffU >> open_bits << open_bits;
    return true;
}

/* All combinations of the values that a rule lists. */
struct ids {
    struct dynid *v;
    size_t n, max;
};

static void add_classes(const struct rule *r, struct dynid id, struct ids *ids, bool *narrowed)
{
    const struct patterns *p = &r->narrow[KEY_CLASS];
    bool any = false;

    for (size_t i = 0; i < p->n; i++) {
        if (!class_of_pattern(p->v[i], &id.class_code, &id.class_mask)) {
            *narrowed = true;
            continue;
        }
        any = true;
        if (ids->n < ids->max)
            ids->v[ids->n++] = id;
    }
    id.class_code = id.class_mask = 0;
    if (!any && (id.vendor != DYNID_ANY || id.subvendor != DYNID_ANY) && ids->n < ids->max)
        ids->v[ids->n++] = id; /* never one that matches every device of the host */
}

static void add_subsystems(const struct rule *r, struct dynid id, struct ids *ids, bool *narrowed)
{
    const struct patterns *p = &r->narrow[KEY_SUBSYSTEM];
    bool any = false;

    for (size_t i = 0; i < p->n; i++) {
        unsigned v, d;
        if (!is_literal(p->v[i]) || sscanf(p->v[i], "%4x:%4x", &v, &d) != 2) {
            *narrowed = true;
            continue;
        }
        any = true;
        id.subvendor = v;
        id.subdevice = d;
        add_classes(r, id, ids, narrowed);
    }
    id.subvendor = id.subdevice = DYNID_ANY;
    if (!any)
        add_classes(r, id, ids, narrowed);
}

size_t dynids_of_rule(const struct rule *r, struct dynid *v, size_t max, bool *ret_narrowed)
{
    struct ids ids = {v, 0, max};
    struct dynid id = {
        .vendor = DYNID_ANY, .device = DYNID_ANY, .subvendor = DYNID_ANY, .subdevice = DYNID_ANY};
    bool narrowed = false;

    for (enum rule_key k = KEY_ADDRESS; k < KEY_SELECTS_MAX; k++)
        narrowed = narrowed || r->narrow[k].n > 0;
    for (size_t i = 0; i < r->n_ids; i++) {
        id.vendor = r->ids[i].vendor;
        id.device = r->ids[i].any_device ? DYNID_ANY : r->ids[i].device;
        add_subsystems(r, id, &ids, &narrowed);
    }
    if (r->n_ids == 0)
        add_subsystems(r, id, &ids, &narrowed);
    *ret_narrowed = narrowed;
    return ids.n;
}
