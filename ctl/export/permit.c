/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/permit.h"

const char *const permit_gate_path[PERMIT_DEPTH_MAX] = {"spec", "configuration",
                                                        "developerConfiguration", "featureGates"};

void permit_add_device(struct doc *d, const struct permit_target *t, const struct export_item *item)
{
    doc_map(d);
    doc_pair(d, t->selector, export_id(item->vendor, item->device).s);
    doc_pair(d, "resourceName", item->resource);
    if (export_is_external(item)) {
        doc_text(d, "externalResourceProvider");
        doc_plain(d, "true");
    }
    doc_map_end(d);
}

bool permit_needs_gate(const struct export *e, const struct permit_target *t)
{
    bool needed = false;

    for (size_t i = 0; i < e->n_items; i++)
        needed = needed || !e->items[i].gpu;
    return needed && t->gate;
}

/* A plain apply compares with the last one, and takes away what only that one had. */
static void say_command(const struct export *e, const struct permit_target *t, const char *name,
                        const char *namespace)
{
    if (e->ctl->patch)
        ctl_note(e->ctl, "apply it with: kubectl -n %s patch %s %s --type %s --patch-file FILE",
                 namespace, t->resource, name, e->ctl->patch);
    else if (e->ctl->n_args > 1)
        ctl_note(e->ctl, "apply it with: kubectl replace -f FILE");
    else
        ctl_note(e->ctl, "apply it with: kubectl apply --server-side --field-manager=vfio-bindd -f "
                         "FILE");
}

void permit_say_cluster(const struct export *e, const struct permit_target *t, const char *name,
                        const char *namespace)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (export_is_external(&e->items[i]))
            ctl_note(e->ctl,
                     "[device %s] wants driver %s: KubeVirt's own device plugin advertises devices "
                     "on vfio-pci alone, so another one must advertise %s "
                     "(externalResourceProvider)",
                     e->items[i].rule->name, e->items[i].driver, e->items[i].resource);
    say_command(e, t, name, namespace);
    ctl_note(e->ctl,
             "virt-handler looks for devices when it starts and when this object changes; those "
             "that are bound later it sees after: kubectl -n %s rollout restart "
             "daemonset/virt-handler",
             namespace);
}
