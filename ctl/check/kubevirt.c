/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/kubevirt.h"

#include "check/containers.h"
#include "check/files.h"
#include "offer/kubelet.h"
#include "offer/kubevirt.h"

#define VERSION_MAX 32

/* KubeVirt 1.9.0, pkg/virt-handler/device-manager/nvidia.go. */
bool kubevirt_is_vgpu(struct check *c, const struct device *d)
{
    char path[96];

    if (!d->driver || !streq(d->driver, "nvidia"))
        return false;
    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/sriov_totalvfs", pci_addr_text(d->addr).s);
    if (check_exists(c, path))
        return false;
    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/nvidia/current_vgpu_type",
             pci_addr_text(d->addr).s);
    CLEANUP_FREE char *type = check_read(c, path);
    return type && strtoul(type, NULL, 10) != 0;
}

/* -- which version -- */

struct version_search {
    char version[VERSION_MAX]; /* "1.9.0"; "": unknown */
};

static void see_version(const char *description, void *data)
{
    static const char image[] = "/virt-handler:v";
    struct version_search *search = data;
    const char *at = strstr(description, image);

    if (!at || *search->version)
        return;
    at += strlen(image);
    size_t n = strspn(at, "0123456789.abcdefghijklmnopqrstuvwxyz-");
    if (n < sizeof(search->version))
        snprintf(search->version, sizeof(search->version), "%.*s", (int)n, at);
}

/* -- character devices -- */

struct cdev_search {
    size_t entries, nodes;
};

static void see_cdev(struct check *c, const char *path, const char *name, void *data)
{
    struct cdev_search *search = data;
    char node[320];
    (void)path;

    search->entries++;
    if (snprintf(node, sizeof(node), "dev/vfio/devices/%s", name) < (int)sizeof(node))
        search->nodes += check_exists(c, node);
}

/* KubeVirt 1.9.0 gives a pod the node of every entry in a device's vfio-dev/, and the runtime fails
 * if the node is missing (kubevirt#18895). Kernels without CONFIG_VFIO_DEVICE_CDEV have the entries
 * nevertheless, Debian's up to 7.2 among them. #18905 fixes it. */
static void check_cdevs(struct check *c)
{
    struct cdev_search cdevs = {0};
    struct version_search kubevirt = {0};

    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        char path[64];
        if (!c->s->rows[i].selected || !kubevirt_offers(c->s->rows[i].d))
            continue;
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vfio-dev",
                 pci_addr_text(c->s->rows[i].d->addr).s);
        check_each(c, path, "", see_cdev, &cdevs);
    }
    if (cdevs.entries == cdevs.nodes)
        return;
    check_containers(c, see_version, &kubevirt);
    if (*kubevirt.version && !streq(kubevirt.version, "1.9.0")) {
        check_add(c, FINDING_OK, "kubevirt",
                  "KubeVirt is %s; only 1.9.0 is known to need the nodes below /dev/vfio/devices, "
                  "which this kernel does not make",
                  kubevirt.version);
        return;
    }
    check_add(c, *kubevirt.version ? FINDING_FAIL : FINDING_WARN, "kubevirt",
              "%s fails to start virtual machines with devices of this node: %zu have an entry in "
              "vfio-dev/ and no node below /dev/vfio/devices, since the kernel is built without "
              "VFIO_DEVICE_CDEV (kubevirt#18895)",
              *kubevirt.version ? "KubeVirt 1.9.0" : "If KubeVirt is 1.9.0, it",
              cdevs.entries - cdevs.nodes);
    check_remedy(c,
                 "kubectl get kubevirts -A -o jsonpath='{.items[*].status.observedKubeVirtVersion}'"
                 "   # v1.9.0: take a version with #18905, or 1.8");
}

static bool is_registered(const char *checkpoint, const char *resource)
{
    struct kubelet_devices list = {0};
    int r = kubelet_find(checkpoint, resource, &list);

    free(list.groups);
    return r > 0;
}

/* With the gate, every launcher pod requests the resource, with or without devices (1.9.0,
 * pkg/virt-controller/services/template.go), but its plugin registers it without a healthy
 * device. */
static void check_iommufd(struct check *c, const char *checkpoint)
{
    if (!is_registered(checkpoint, "devices.kubevirt.io/iommufd") || check_exists(c, "dev/iommu"))
        return;
    check_add(c, FINDING_FAIL, "kubevirt",
              "KubeVirt's feature gate IOMMUFD is on, and this node has no /dev/iommu: no virtual "
              "machine can run here, with or without devices");
    check_remedy(c, "modprobe iommufd   # if the kernel has it");
    check_remedy(c, "kubectl edit kubevirts -A   # or take IOMMUFD out of featureGates");
}

void check_kubevirt(struct check *c, const char *checkpoint)
{
    if (is_registered(checkpoint, "devices.kubevirt.io/kvm"))
        check_cdevs(c);
    check_iommufd(c, checkpoint);
}
