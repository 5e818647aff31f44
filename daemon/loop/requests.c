/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/requests.h"

#include <errno.h>

#include "host/pci-files.h"
#include "model/kinds.h"

int requests_policy_invalid(const struct view *view, struct refusal *why)
{
    return refuse(why, REFUSAL_POLICY_INVALID, "%s%s; the policy in force stays",
                  view->n_errors > 0 ? view->errors[0] : "out of memory",
                  view->n_errors > 1 ? " (and more: vfio-bindd --check-policy)" : "");
}

/* The verdict of the device that a caller names. */
static const struct verdict *requested(const struct view *view, struct pci_addr a,
                                       struct refusal *why)
{
    const struct verdict *v = plan_find(&view->plan, a);

    if (view->disabled) {
        refuse(why, REFUSAL_REFUSED,
               "vfio-bindd is disabled by the kernel command line (vfio_bindd=off)");
        return NULL;
    }
    bool there = snapshot_find(&view->snapshot, a) != NULL;

    if (v && there)
        return v;
    if (there)
        refuse(
            why, REFUSAL_REFUSED,
            "no rule selects %s, so vfio-bindd does not control it: add a rule and reload. A "
            "device whose rule was removed is handed back at the next reload when it is not in use",
            pci_addr_text(a).s);
    else
        refuse(why, REFUSAL_NO_SUCH_DEVICE, "there is no PCI device %s: see \"lspci -D\"",
               pci_addr_text(a).s);
    return NULL;
}

/* Refuses a release while a virtual machine has the device. */
static int check_release(const struct view *view, const struct verdict *v, struct refusal *why)
{
    const struct snapshot *s = &view->snapshot;
    const struct device *d = snapshot_find(s, v->addr);

    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct device *other = snapshot_find(s, view->plan.verdicts[i].addr);
        if (!other || (other != d && (d->group == NO_GROUP || other->group != d->group)))
            continue;
        int r = pci_has_vfs(view->root_fd, other->addr);
        if (r < 0)
            return refuse(why, REFUSAL_REFUSED,
                          "it is unknown whether %s has virtual functions, which would disappear "
                          "(%s)",
                          pci_addr_text(other->addr).s, strerror(-r));
        if (r > 0)
            return refuse(why, REFUSAL_REFUSED,
                          "%s has virtual functions, which would disappear: write 0 to its "
                          "sriov_numvfs first",
                          pci_addr_text(other->addr).s);
        if (driver_is_vfio(other->driver) && !device_can_be_kept(&view->snapshot, other))
            return refuse(why, REFUSAL_REFUSED,
                          "%s has no node in /dev/vfio that shows whether a virtual machine uses "
                          "it: if none does, unbind it by hand",
                          pci_addr_text(other->addr).s);
    }
    return 0;
}

/* Applies the request to all devices of the IOMMU group that have a verdict. */
static void ask_of_group(struct view *view, const struct verdict *v, enum record_event_kind what)
{
    const struct record_event e = {.kind = what};
    const struct snapshot *s = &view->snapshot;
    uint32_t group = snapshot_find(s, v->addr)->group;

    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *other = &view->plan.verdicts[i];
        const struct device *d = snapshot_find(s, other->addr);
        if (d && (other == v || (group != NO_GROUP && d->group == group)))
            records_apply(&view->records, other->addr, &e);
    }
}

/* Is it a physical function of which only the virtual functions are ours? */
static bool is_physical(const struct view *view, struct pci_addr a)
{
    return !view->disabled && plan_find_vfs(&view->plan, a) && !plan_find(&view->plan, a);
}

/* Removes its virtual functions, if we created them. */
static int mark_release_of_vfs(struct view *view, struct pci_addr a, struct refusal *why)
{
    const struct vfs_verdict *v = plan_find_vfs(&view->plan, a);
    const struct record_event e = {.kind = RECORD_EVENT_RELEASE_VFS};

    if (v->state == STATE_STUCK || (v->state == STATE_PENDING && v->reason == REASON_NONE))
        return refuse(why, REFUSAL_BUSY, "work on %s is still in progress (%s)", pci_addr_text(a).s,
                      state_word(v->state));
    if (v->there > 0 && !v->ours)
        return refuse(why, REFUSAL_REFUSED,
                      "vfio-bindd did not create the virtual functions of %s: if they are not "
                      "needed, write 0 to its sriov_numvfs",
                      pci_addr_text(a).s);
    records_apply(&view->records, a, &e);
    return 0;
}

int requests_mark_bind(struct view *view, struct pci_addr a, struct refusal *why)
{
    const struct record_event bind = {.kind = RECORD_EVENT_BIND};

    if (is_physical(view, a)) {
        records_apply(&view->records, a, &bind);
        return 0;
    }
    const struct verdict *v = requested(view, a, why);

    if (!v)
        return -ENODEV;
    ask_of_group(view, v, RECORD_EVENT_BIND);
    return 0;
}

int requests_mark_release(struct view *view, struct pci_addr a, struct refusal *why)
{
    if (is_physical(view, a))
        return mark_release_of_vfs(view, a, why);
    const struct verdict *v = requested(view, a, why);

    if (!v)
        return -ENODEV;
    if (v->state == STATE_STUCK || v->state == STATE_PENDING)
        return refuse(why, REFUSAL_BUSY, "work on %s is still in progress (%s)", pci_addr_text(a).s,
                      state_word(v->state));
    if (v->state != STATE_BOUND && v->state != STATE_RELEASED)
        return refuse(why, REFUSAL_REFUSED,
                      "%s is not bound by vfio-bindd, but %s: there is nothing to release",
                      pci_addr_text(a).s, state_word(v->state));
    int r = check_release(view, v, why);
    if (r < 0)
        return r;
    ask_of_group(view, v, RECORD_EVENT_RELEASE);
    return 0;
}

void requests_mark_give_back(struct view *view)
{
    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        const struct device *d = snapshot_find(&view->snapshot, v->addr);
        const struct record *r = records_find(&view->records, v->addr);
        if (d && device_may_carry_host(d) && r && record_is_owned(r))
            ask_of_group(view, v, RECORD_EVENT_RELEASE);
    }
}
