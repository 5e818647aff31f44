/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/vfs.h"

#include <errno.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "host/pci-files.h"

/* Reads an attribute with one number; *ret is unchanged if there is none. Returns 0 or negative
 * errno. */
static int read_number_of(int root_fd, struct pci_addr a, const char *name, unsigned long *ret)
{
    char text[32];
    int r = pci_read_attribute(root_fd, a, name, text, sizeof(text));

    if (r > 0)
        *ret = strtoul(text, NULL, 10);
    return fact_error(r);
}

/* "virtfn12" */
static bool is_link_to_vf(const char *name)
{
    const char *number = after_prefix(name, "virtfn");

    return number && *number && !number[strspn(number, "0123456789")];
}

int vfs_list(int root_fd, struct pci_addr pf, struct pci_addr **ret, size_t *ret_n)
{
    CLEANUP_FREE struct pci_addr *v = NULL;
    size_t n = 0, allocated = 0;
    char path[64], name[NAME_MAX + 1];
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s", pci_addr_text(pf).s);
    int r = rootfs_list(root_fd, path, &dir);
    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        r = is_link_to_vf(e->d_name) ? pci_link_name(root_fd, pf, e->d_name, name) : 0;
        if (r <= 0)
            continue;
        if (!grow(&v, &allocated, n, sizeof(*v)))
            return -ENOMEM;
        r = 0;
        if (pci_addr_parse(name, &v[n]) == 0)
            n++;
    }
    if (r < 0)
        return r;
    *ret = v;
    v = NULL;
    *ret_n = n;
    return 0;
}

int vfs_read(int root_fd, struct device *d)
{
    unsigned long max = 0, autoprobe = 1;
    CLEANUP_FREE struct pci_addr *vfs = NULL;
    size_t n = 0;
    int r = read_number_of(root_fd, d->addr, "sriov_totalvfs", &max);

    if (r == 0 && max > 0)
        r = read_number_of(root_fd, d->addr, "sriov_drivers_autoprobe", &autoprobe);
    if (r == 0 && max > 0)
        r = vfs_list(root_fd, d->addr, &vfs, &n);
    if (r < 0)
        return r;
    d->vfs_max = (uint16_t)(max > UINT16_MAX ? UINT16_MAX : max);
    d->autoprobe_off = autoprobe == 0;
    d->n_vfs = (uint16_t)(n > UINT16_MAX ? UINT16_MAX : n);
    return 0;
}

int vfs_read_physical(int root_fd, struct device *d)
{
    char name[NAME_MAX + 1];
    int r = pci_link_name(root_fd, d->addr, "physfn", name);

    if (r > 0)
        (void)pci_addr_parse(name, &d->pf);
    return r;
}

/* The routing ID of a function: 8 bits of bus, 5 of device, 3 of function. */
static unsigned long routing_id(struct pci_addr a)
{
    return (unsigned long)a.bus << 8 | (unsigned long)a.dev << 3 | a.fn;
}

int vfs_read_number(int root_fd, struct device *d)
{
    const unsigned long distance = routing_id(d->addr) - routing_id(d->pf);
    unsigned long offset = 0, stride = 0;
    int r = read_number_of(root_fd, d->pf, "sriov_offset", &offset);

    if (r == 0)
        r = read_number_of(root_fd, d->pf, "sriov_stride", &stride);
    if (r < 0)
        return r;
    d->vf_number = 0;
    if (offset == 0 || routing_id(d->addr) < routing_id(d->pf) + offset)
        return 0;
    if (distance == offset)
        d->vf_number = 1;
    else if (stride > 0 && (distance - offset) % stride == 0)
        d->vf_number = (uint16_t)(1 + (distance - offset) / stride);
    return 0;
}
