/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/pci-files.h"

#include <ctype.h>
#include <fcntl.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

/* Long enough for any attribute's path. */
#define ATTR_MAX 320

struct pci_place pci_long_way(int root_fd)
{
    return (struct pci_place){root_fd, PCI_DEVICES "/"};
}

struct pci_place pci_short_way(struct bus_folder *f, int root_fd, struct pci_addr a)
{
    int fd = bus_folder_open(f, root_fd, a);

    return fd < 0 ? pci_long_way(root_fd) : (struct pci_place){fd, ""};
}

static const char *path_of(char buf[static ATTR_MAX], const char *folder, struct pci_addr a,
                           const char *name)
{
    struct pci_addr_text address = pci_addr_text(a);
    char *at = stpcpy(stpcpy(buf, folder), address.s);

    *at++ = '/';
    if (!memccpy(at, name, '\0', (size_t)(buf + ATTR_MAX - at)))
        buf[ATTR_MAX - 1] = '\0';
    return buf;
}

static const char *attribute(char buf[static ATTR_MAX], struct pci_addr a, const char *name)
{
    return path_of(buf, PCI_DEVICES "/", a, name);
}

int pci_link_name(struct pci_place p, struct pci_addr a, const char *name,
                  char buf[static NAME_MAX + 1])
{
    char path[ATTR_MAX];

    return rootfs_link_name(p.fd, path_of(path, p.folder, a, name), buf);
}

int pci_read_attribute(int root_fd, struct pci_addr a, const char *name, char *buf, size_t size)
{
    char path[ATTR_MAX];

    return rootfs_read_line(root_fd, attribute(path, a, name), buf, size);
}

/* A name and a hex number behind it: what follows, or NULL. */
static const char *hex_field(const char *s, const char *name, int max_digits, unsigned *ret)
{
    int n = 0;

    if (!s || !(s = after_prefix(s, name)))
        return NULL;
    for (*ret = 0; n < max_digits && isxdigit((unsigned char)*s); n++, s++)
        *ret =
            *ret << 4 | (unsigned)(isdigit((unsigned char)*s) ? *s - '0' : (*s | 0x20) - 'a' + 10);
    return n > 0 ? s : NULL;
}

int pci_identify(int root_fd, struct device *d)
{
    char text[128];
    unsigned v, dev, sv, sd, base, sub, interface;

    int r = pci_read_attribute(root_fd, d->addr, "modalias", text, sizeof(text));
    if (r < 0)
        return fact_error(r);
    const char *s = hex_field(text, "pci:v", 8, &v);
    s = hex_field(s, "d", 8, &dev);
    s = hex_field(s, "sv", 8, &sv);
    s = hex_field(s, "sd", 8, &sd);
    s = hex_field(s, "bc", 2, &base);
    s = hex_field(s, "sc", 2, &sub);
    if (!hex_field(s, "i", 2, &interface))
        return -EBADMSG;
    d->vendor = (uint16_t)v;
    d->device = (uint16_t)dev;
    d->subvendor = (uint16_t)sv;
    d->subdevice = (uint16_t)sd;
    d->class_code = base << 16 | sub << 8 | interface;
    return 1;
}

int pci_has_attribute(struct pci_place p, struct pci_addr a, const char *name)
{
    char path[ATTR_MAX];

    return rootfs_exists(p.fd, path_of(path, p.folder, a, name));
}

int pci_group(struct pci_place p, struct pci_addr a, uint32_t *ret)
{
    char name[NAME_MAX + 1], *end;
    int r = pci_link_name(p, a, "iommu_group", name);

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

    return pci_link_name(pci_long_way(root_fd), a, "driver", name) > 0 && streq(name, driver);
}

int pci_has_vfs(int root_fd, struct pci_addr a)
{
    char path[ATTR_MAX];

    return rootfs_exists(root_fd, attribute(path, a, "virtfn0"));
}
