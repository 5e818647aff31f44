/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/say.h"

#define SENTENCES_SHOWN 5

/* -- what is lost -- */

static bool has_item(const struct export *e, const struct rule *r)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (e->items[i].rule == r)
            return true;
    return false;
}

/* "class, slot" */
static void narrowing_keys(const struct rule *r, char *buf, size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++)
        if (r->narrow[k].n > 0 && used < size)
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
                                     rule_key_name(k));
}

/* Reports that the IDs alone match more than the rule does, unless the rule has nothing but IDs. */
static void say_narrowed(struct export *e, const struct rule *r)
{
    char keys[80];

    for (size_t i = 0; i < r->n_ids; i++)
        if (r->ids[i].any_device) {
            export_cannot(e,
                          "[device %s] has \"id = %04x:*\": a list of IDs has no wildcards; it "
                          "contains the IDs that are present now",
                          r->name, r->ids[i].vendor);
            break;
        }
    narrowing_keys(r, keys, sizeof(keys));
    if (*keys)
        export_cannot(
            e,
            "[device %s] selects by %s: a list of IDs cannot tell its devices from others "
            "of the same ID",
            r->name, keys);
}

void export_say_lost(struct export *e)
{
    const struct policy *p = &e->source->policy;

    for (size_t i = 0; i < p->n_rules; i++) {
        const struct rule *r = &p->rules[i];
        if (rule_is_native(r))
            continue;
        if (!driver_is_vfio(rule_target(r))) {
            export_cannot(e,
                          "[device %s] wants driver %s, which hands nothing to virtual machines: "
                          "it is not listed",
                          r->name, rule_target(r));
            continue;
        }
        if (export_selects_any(e, r) || has_item(e, r))
            say_narrowed(e, r);
    }
}

/* -- how things are -- */

static void say_names(const struct export *e)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (!e->items[i].named)
            ctl_note(e->ctl, "[device %s] gives no resource: %s is called %s",
                     e->items[i].rule->name, export_id(e->items[i].vendor, e->items[i].device).s,
                     e->items[i].resource);
}

static void say_counts(const struct export *e)
{
    for (size_t i = 0; i < e->n_items; i++) {
        const struct export_item *item = &e->items[i];
        const char *id = export_id(item->vendor, item->device).s;
        if (!item->present)
            continue;
        if (export_is_external(item))
            ctl_note(e->ctl, "%s %s: %zu selected here, %zu bound, %zu usable", item->resource, id,
                     item->selected, item->bound, item->usable);
        else
            ctl_note(e->ctl,
                     "%s %s: %zu selected here, %zu bound; KubeVirt offers %zu, one for each IOMMU "
                     "group, of which %zu are usable",
                     item->resource, id, item->selected, item->bound, item->offered, item->usable);
        if (item->usable < item->offered)
            ctl_note(e->ctl,
                     "KubeVirt does not check whether a group is usable: it also offers the %zu "
                     "that %s not, and a virtual machine that gets one fails to start; see "
                     "\"vfio-bindctl check\"",
                     item->offered - item->usable,
                     item->offered - item->usable == 1 ? "is" : "are");
    }
}

static void say_unusable(const struct export *e)
{
    size_t n = 0;

    for (size_t i = 0; i < e->source->snapshot.n; i++) {
        const struct row *r = &e->source->rows[i];
        const char *text = r->problem ? r->problem : r->sentence;
        if (!export_lists(r) || r->usable || n++ >= SENTENCES_SHOWN)
            continue;
        ctl_note(e->ctl, "%s%s", text ? text : pci_addr_text(r->d->addr).s,
                 text ? ""
                      : " is not selected by the running vfio-bindd: systemctl reload vfio-bindd");
    }
    if (n > SENTENCES_SHOWN)
        ctl_note(e->ctl, "and %zu more are not usable now: vfio-bindctl status",
                 n - SENTENCES_SHOWN);
}

void export_say_state(const struct export *e)
{
    say_names(e);
    say_counts(e);
    say_unusable(e);
}
