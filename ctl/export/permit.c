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

/* Without the gate KubeVirt refuses hostDevices, but accepts gpus (1.9,
 * pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go:
 * validateHostDevicesWithPassthroughEnabled()). */
bool permit_needs_gate(const struct export *e, const struct permit_target *t)
{
    bool needed = false;

    for (size_t i = 0; i < e->n_items; i++)
        needed = needed || !e->items[i].gpu;
    return needed && t->gate;
}

/* kubectl apply removes fields that an earlier apply has set and the text lacks. With --server-side
 * it also does so for an object that was made by a plain apply, since it takes over the ownership
 * (client-go 0.36, util/csaupgrade/upgrade.go). This object is short, so all other fields would be
 * lost. */
static void say_command(const struct export *e, const struct permit_target *t, const char *name,
                        const char *namespace)
{
    if (e->ctl->patch) {
        ctl_note(e->ctl, "use it with: kubectl -n %s patch %s %s --type %s --patch-file FILE",
                 namespace, t->resource, name, e->ctl->patch);
    } else if (e->ctl->n_args > 1) {
        ctl_note(e->ctl, "use it with: kubectl replace -f FILE");
    } else {
        ctl_note(e->ctl, "this is for a cluster without the object: kubectl create -f FILE");
        ctl_note(e->ctl,
                 "to add it to an existing object: kubectl -n %s get %s %s -o yaml | vfio-bindctl "
                 "export %s - --patch json >FILE",
                 namespace, t->resource, name, e->ctl->args[0]);
        ctl_note(e->ctl, "never kubectl apply, with or without --server-side: kubectl removes "
                         "fields that this text lacks from the object");
    }
}

void permit_say_cluster(const struct export *e, const struct permit_target *t, const char *name,
                        const char *namespace)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (export_is_external(&e->items[i]))
            ctl_note(e->ctl,
                     "[device %s] wants driver %s: KubeVirt's own device plugin offers devices on "
                     "vfio-pci and NVIDIA's vGPU functions alone, so another one must offer %s "
                     "(externalResourceProvider)",
                     e->items[i].rule->name, e->items[i].driver, e->items[i].resource);
    say_command(e, t, name, namespace);
    /* 1.9.0, device_controller.go: splitPermittedDevices() does not restart a running plugin. */
    ctl_note(e->ctl,
             "virt-handler finds the devices of a new resource at once, but devices that are bound "
             "later, or come back, only when it is restarted: kubectl -n %s delete pod -l "
             "kubevirt.io=virt-handler --field-selector spec.nodeName=NODE",
             namespace);
    if (permit_needs_gate(e, t))
        ctl_note(e->ctl,
                 "HostDevices must not be in disabledFeatureGates as well: KubeVirt refuses "
                 "an object that has a feature gate in both lists");
}
