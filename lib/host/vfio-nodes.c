/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/vfio-nodes.h"

#include <errno.h>

#include "base/rootfs.h"
#include "base/search.h"
#include "base/util.h"
#include "host/pci-files.h"

#define NODE_PATH_MAX (sizeof("sys/bus/pci/devices//vfio-dev") + PCI_ADDR_MAX + NAME_MAX)

void vfio_nodes_read(int root_fd, bool unsafe_noiommu, struct vfio_nodes *ret)
{
    int devices = rootfs_exists(root_fd, "dev/vfio/devices");
    int iommufd = rootfs_exists(root_fd, "dev/iommu");

    *ret = (struct vfio_nodes){.read = true,
                               .unsafe_noiommu = unsafe_noiommu,
                               .devices = devices > 0,
                               .iommufd = iommufd > 0,
                               .error = fact_error(devices) ? devices : fact_error(iommufd)};
}

void vfio_nodes_done(struct vfio_nodes *n)
{
    free(n->groups);
    *n = (struct vfio_nodes){0};
}

/* -- of a group -- */

/* Is it the name of a group node? The others are "vfio" and "devices". */
static bool is_group_node(const char *name, uint32_t *ret)
{
    char *end;
    unsigned long group = strtoul(name, &end, 10);

    *ret = (uint32_t)group;
    return end != name && !*end && group < NO_GROUP;
}

/* Adds all groups that have a node. Returns 0 or negative errno. */
static int list_groups(int root_fd, struct vfio_nodes *n)
{
    const struct dirent *e;
    size_t allocated = 0;
    uint32_t group;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, "dev/vfio", &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        r = 0;
        if (!is_group_node(e->d_name, &group))
            continue;
        if (!grow(&n->groups, &allocated, n->n_groups, sizeof(*n->groups)))
            return -ENOMEM;
        n->groups[n->n_groups++] = group;
    }
    return r;
}

void vfio_nodes_read_groups(int root_fd, struct vfio_nodes *n)
{
    if (n->unsafe_noiommu)
        return;
    n->listed = list_groups(root_fd, n) == 0; /* otherwise each node is looked up on its own */
    if (n->n_groups > 1)
        qsort(n->groups, n->n_groups, sizeof(*n->groups), compare_uint32);
}

/* Returns 1, 0 or negative errno. */
static int find_group(int root_fd, const struct vfio_nodes *n, uint32_t group, bool *ret_noiommu)
{
    char path[64];

    *ret_noiommu = false;
    if (n->listed)
        return n->n_groups > 0 &&
               bsearch(&group, n->groups, n->n_groups, sizeof(group), compare_uint32) != NULL;
    snprintf(path, sizeof(path), "dev/vfio/%u", group);
    int r = rootfs_exists(root_fd, path);
    if (r != 0 || !n->unsafe_noiommu)
        return r;
    snprintf(path, sizeof(path), "dev/vfio/noiommu-%u", group);
    r = rootfs_exists(root_fd, path);
    *ret_noiommu = r > 0;
    return r;
}

void vfio_nodes_group(int root_fd, const struct vfio_nodes *n, struct device *d)
{
    bool noiommu = false;
    int r = d->group == NO_GROUP || !driver_is_vfio(d->driver)
                ? 0
                : find_group(root_fd, n, d->group, &noiommu);

    if (unknown_note(&d->unknown, FACT_NODE, r))
        return;
    d->node = r > 0;
    d->noiommu = noiommu;
}

/* -- of a device -- */

/* The kernel's names are vfioN and noiommu-vfioN. */
static bool is_device_node(const char *name)
{
    const char *number = strstr(name, "vfio");

    return number && strspn(number + 4, "0123456789") > 0 && strlen(name) < 32 &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

/* The entry below vfio-dev/. Returns 1, 0 (none) or negative errno. */
static int read_device_name(int root_fd, struct pci_addr a, char name[static NAME_MAX + 1])
{
    char path[NODE_PATH_MAX];
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s/vfio-dev", pci_addr_text(a).s);
    int r = rootfs_list(root_fd, path, &dir);
    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        if (is_device_node(e->d_name)) {
            snprintf(name, NAME_MAX + 1, "%s", e->d_name);
            return 1;
        }
        r = 0;
    }
    return r;
}

/* The same, if a node of this name exists. */
static int find_device_name(int root_fd, struct pci_addr a, char name[static NAME_MAX + 1])
{
    char path[NODE_PATH_MAX];
    int r = read_device_name(root_fd, a, name);

    if (r <= 0)
        return r;
    snprintf(path, sizeof(path), "dev/vfio/devices/%s", name);
    return rootfs_exists(root_fd, path);
}

int vfio_nodes_find_device(int root_fd, struct pci_addr a, struct node_text *ret)
{
    char name[NAME_MAX + 1];
    int r = find_device_name(root_fd, a, name);

    if (r > 0)
        *ret = device_own_node(&(struct device){.cdev = name});
    return r;
}

int vfio_nodes_device(int root_fd, const struct vfio_nodes *n, struct device *d)
{
    char name[NAME_MAX + 1];
    char *found = NULL;
    int r = n->error;

    if (r == 0 && n->devices && driver_is_vfio(d->driver))
        r = find_device_name(root_fd, d->addr, name);
    if (r > 0 && !(found = strdup(name)))
        r = -ENOMEM;
    if (unknown_note(&d->unknown, FACT_NODE, r))
        return r;
    free(d->cdev);
    d->cdev = found;
    return 0;
}

void vfio_nodes_all(int root_fd, const struct vfio_nodes *n, struct device *d)
{
    vfio_nodes_group(root_fd, n, d);
    (void)vfio_nodes_device(root_fd, n, d);
}
