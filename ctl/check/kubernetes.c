/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: how a cluster treats the devices, as far as this node shows it: the devices that kubelet
 * counts, from its device plugin checkpoint (the pod-resources socket would need gRPC for the same
 * data), and the devices that KubeVirt's plugin would find now. */
#include <errno.h>

#include "check/files.h"
#include "check/kubevirt.h"
#include "check/parts.h"
#include "offer/kubelet.h"
#include "offer/kubevirt.h"

#define SHOWN 4

/* -- what KubeVirt offers -- */

/* Is this the device's resource according to its rule? */
static bool gives_resource(const struct row *r, const char *resource)
{
    return r->v && !r->v->comes_along && r->v->rule->resource &&
           streq(r->v->rule->resource, resource);
}

static bool is_offered(const struct row *r, const char *resource)
{
    return gives_resource(r, resource) && kubevirt_offers(r->d);
}

/* KubeVirt identifies a device by its IOMMU group, so each group counts once. */
static bool is_first_of_group(const struct check *c, const struct row *r, const char *resource)
{
    for (const struct row *other = c->s->rows; other < r; other++)
        if (other->d->group == r->d->group && is_offered(other, resource))
            return false;
    return true;
}

/* NVIDIA's vGPU functions are on nvidia, and no rule of ours selects them, but they are offered
 * under the same resource if their ID is permitted (check/kubevirt.h). */
static bool is_group_offered(struct check *c, uint32_t group, const char *resource)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (r->d->group == group && (is_offered(r, resource) || kubevirt_is_vgpu(c, r->d)))
            return true;
    }
    return false;
}

/* -- what kubelet counts -- */

struct resource_check {
    const char *resource;
    struct kubelet_devices counted;
    size_t offered; /* groups that KubeVirt would offer if it searched now */
    size_t missing; /* those of them that kubelet does not count */
    char *missing_groups;
    size_t stale; /* groups that kubelet counts and KubeVirt no longer offers */
    size_t unusable;
    const struct row *first_unusable;
};

static bool is_counted(const struct kubelet_devices *counted, uint32_t group)
{
    for (size_t i = 0; i < counted->n; i++)
        if (counted->groups[i] == group)
            return true;
    return false;
}

static void compare(struct check *c, struct resource_check *rc)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (!is_offered(r, rc->resource) || !is_first_of_group(c, r, rc->resource))
            continue;
        rc->offered++;
        if (!r->usable && rc->unusable++ == 0)
            rc->first_unusable = r;
        if (!is_counted(&rc->counted, r->d->group) && rc->missing++ < SHOWN)
            check_append(c, &rc->missing_groups, ", ", "%u", r->d->group);
    }
    if (rc->missing > SHOWN)
        check_append(c, &rc->missing_groups, ", ", "...");
    for (size_t i = 0; i < rc->counted.n; i++)
        rc->stale += !is_group_offered(c, rc->counted.groups[i], rc->resource);
}

/* -- what to say -- */

/* A running plugin finds neither new devices nor devices that came back. A change of the KubeVirt
 * object does not help either (1.9.0, pkg/virt-handler/device-manager/device_controller.go). */
static void restart_handler(struct check *c)
{
    check_remedy(c, "kubectl delete pod -A -l kubevirt.io=virt-handler --field-selector "
                    "spec.nodeName=\"$(hostname)\"");
}

static void say_unregistered(struct check *c, const struct resource_check *rc)
{
    check_add(c, FINDING_WARN, "kubelet",
              "kubelet knows no %s, of which KubeVirt would offer %zu: is it permitted in the "
              "KubeVirt object?",
              rc->resource, rc->offered);
    check_remedy(c, "kubectl get kubevirts -A -o jsonpath='{.items[*].spec.configuration."
                    "permittedHostDevices}'");
}

static void say_missing(struct check *c, const struct resource_check *rc)
{
    check_add(c, FINDING_WARN, "kubelet",
              "kubelet counts %zu of %zu devices of %s, not those of the IOMMU group%s %s: "
              "virt-handler looks for devices of a resource once",
              rc->offered - rc->missing, rc->offered, rc->resource, rc->missing == 1 ? "" : "s",
              rc->missing_groups);
    restart_handler(c);
}

/* KubeVirt does not check viability, so the remedy is to repair the devices that it offers. */
static void say_unusable_offer(struct check *c, const struct resource_check *rc)
{
    struct pci_addr_text address = pci_addr_text(rc->first_unusable->d->addr);

    check_add(c, FINDING_FAIL, "offer",
              "KubeVirt offers %zu device%s of %s, and %zu of them not usable (%s first): a "
              "virtual machine that gets one fails to start",
              rc->offered, rc->offered == 1 ? "" : "s", rc->resource, rc->unusable, address.s);
    check_remedy(c,
                 "vfio-bindctl show %s   # says why; see the remedy of \"group\" or \"node\" above",
                 address.s);
}

static void say_stale(struct check *c, const struct resource_check *rc)
{
    check_add(c, FINDING_WARN, "kubelet",
              "kubelet still counts %zu device%s of %s that KubeVirt would not offer now",
              rc->stale, rc->stale == 1 ? "" : "s", rc->resource);
    restart_handler(c);
}

static void check_resource(struct check *c, const char *checkpoint, const char *resource)
{
    struct resource_check rc = {.resource = resource};
    int r = kubelet_find(checkpoint, resource, &rc.counted);

    if (r < 0) {
        c->tree.failed = c->tree.failed || r == -ENOMEM;
        return;
    }
    compare(c, &rc);
    if (rc.offered > 0 && r == 0)
        say_unregistered(c, &rc);
    else if (rc.counted.others > 0)
        check_add(c, FINDING_OK, "kubelet",
                  "%s comes from another device plugin than KubeVirt's, which names devices "
                  "differently: not compared",
                  resource);
    else if (rc.missing > 0)
        say_missing(c, &rc);
    else if (rc.offered > 0)
        check_add(c, FINDING_OK, "kubelet", "kubelet counts all %zu devices of %s", rc.offered,
                  resource);
    if (rc.unusable > 0)
        say_unusable_offer(c, &rc);
    if (rc.stale > 0 && rc.counted.others == 0)
        say_stale(c, &rc);
    free(rc.missing_groups);
    free(rc.counted.groups);
}

/* -- groups that are promised twice -- */

/* Checked even if there is no cluster, since the policy assigns resources. */
static void check_shared_groups(struct check *c)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        const char *resource = r->v && !r->v->comes_along ? r->v->rule->resource : NULL;
        for (const struct row *other = c->s->rows; resource && other < r; other++) {
            if (r->d->group == NO_GROUP || other->d->group != r->d->group || !other->v ||
                other->v->comes_along || !other->v->rule->resource)
                continue;
            bool same = streq(other->v->rule->resource, resource);
            struct pci_addr_text first = pci_addr_text(other->d->addr);
            check_add(c, same ? FINDING_WARN : FINDING_FAIL, "resource",
                      same ? "%s (%s) and %s (%s) are in one IOMMU group: KubeVirt offers the two "
                             "once, and attaches one of them"
                           : "%s (%s) and %s (%s) are in one IOMMU group: KubeVirt hands out "
                             "groups, and would promise this one to two virtual machines",
                      first.s, other->v->rule->resource, pci_addr_text(r->d->addr).s, resource);
            check_remedy(c, "%svfio-bindctl edit   # %s", ctl_sudo(),
                         same ? "name one of them by address; the other comes along"
                              : "one resource a group: name one device of it");
            break;
        }
    }
}

/* Is this the first rule with this resource? Several rules may have the same one. */
static bool is_first(const struct policy *p, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (p->rules[j].resource && streq(p->rules[j].resource, p->rules[i].resource))
            return false;
    return true;
}

void check_kubernetes(struct check *c)
{
    const struct policy *p = &c->s->policy;
    struct kubelet_devices any = {0};

    check_shared_groups(c);
    CLEANUP_FREE char *checkpoint = check_read(c, KUBELET_CHECKPOINT);
    if (!checkpoint)
        return;
    int r = kubelet_find(checkpoint, "", &any);
    free(any.groups);
    if (r < 0) {
        check_unseen(c, "/" KUBELET_CHECKPOINT, r);
        return;
    }
    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].resource && is_first(p, i))
            check_resource(c, checkpoint, p->rules[i].resource);
    check_kubevirt(c, checkpoint);
}
