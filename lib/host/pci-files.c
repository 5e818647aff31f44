/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/pci-files.h"

#include <ctype.h>
#include <fcntl.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

/* Long enough for any attribute's path. */
#define ATTR_MAX 320

static const char *path_of(char buf[static ATTR_MAX], struct pci_addr a, const char *name)
{
    snprintf(buf, ATTR_MAX, PCI_DEVICES "/%s/%s", pci_addr_text(a).s, name);
    return buf;
}

int pci_link_name(int root_fd, struct pci_addr a, const char *name, char buf[static NAME_MAX + 1])
{
    char path[ATTR_MAX];

    return rootfs_link_name(root_fd, path_of(path, a, name), buf);
}

int pci_read_attribute(int root_fd, struct pci_addr a, const char *name, char *buf, size_t size)
{
    char path[ATTR_MAX];

    return rootfs_read_line(root_fd, path_of(path, a, name), buf, size);
}

int pci_identify(int root_fd, struct device *d)
{
    char text[128];
    unsigned v, dev, sv, sd, base, sub, interface;

    int r = pci_read_attribute(root_fd, d->addr, "modalias", text, sizeof(text));
    if (r < 0)
        return fact_error(r);
    if (sscanf(text, "pci:v%8xd%8xsv%8xsd%8xbc%2xsc%2xi%2x", &v, &dev, &sv, &sd, &base, &sub,
               &interface) != 7)
        return -EBADMSG;
    d->vendor = (uint16_t)v;
    d->device = (uint16_t)dev;
    d->subvendor = (uint16_t)sv;
    d->subdevice = (uint16_t)sd;
    d->class_code = base << 16 | sub << 8 | interface;
    return 1;
}

int pci_has_attribute(int root_fd, struct pci_addr a, const char *name)
{
    char path[ATTR_MAX];

    return rootfs_exists(root_fd, path_of(path, a, name));
}

int pci_group(int root_fd, struct pci_addr a, uint32_t *ret)
{
    char name[NAME_MAX + 1], *end;
    int r = pci_link_name(root_fd, a, "iommu_group", name);

    if (r < 0)
        return r;
    unsigned long group = r > 0 && isdigit((unsigned char)*name) ? strtoul(name, &end, 10) : 0;
    *ret = r == 0 || !isdigit((unsigned char)*name) || *end || group >= NO_GROUP ? NO_GROUP
                                                                                 : (uint32_t)group;
    return 0;
}

char *pci_attribute(int root_fd, struct pci_addr a, const char *name, char *buf, size_t size)
{
    if (pci_read_attribute(root_fd, a, name, buf, size) < 0)
        buf[0] = '\0';
    return buf;
}

bool pci_has_driver(int root_fd, struct pci_addr a, const char *driver)
{
    char name[NAME_MAX + 1];

    return pci_link_name(root_fd, a, "driver", name) > 0 && streq(name, driver);
}

bool pci_config_answers(const uint8_t config[static PCI_CONFIG_HEADER])
{
    for (size_t i = 0; i < PCI_CONFIG_HEADER; i++)
        if (config[i] != 0xff)
            return true;
    return false;
}

int pci_has_vfs(int root_fd, struct pci_addr a)
{
    return pci_has_attribute(root_fd, a, "virtfn0");
}
