/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/boot-devices.h"

#include <errno.h>
#include <strings.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/below.h"
#include "host/pci-files.h"
#include "model/kinds.h"

/* By this file systemd recognizes an initramfs; dracut creates it. */
#define INITRD_RELEASE "etc/initrd-release"

struct used_device {
    struct pci_addr addr;
    uint16_t vendor, device;
    char *words;
};

void boot_devices_done(struct boot_devices *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->v[i].words);
    for (size_t i = 0; i < b->n_names; i++)
        free(b->names[i]);
    free(b->v);
    free(b->names);
    free(b->doubt);
    *b = (struct boot_devices){0};
}

/* -- reading -- */

static int add_used(struct boot_devices *b, const char *text)
{
    struct used_device new = {0};
    char address[PCI_ADDR_MAX + 8];
    unsigned vendor, device;
    int words = 0;

    if (sscanf(text, "%20s %4x:%4x %n", address, &vendor, &device, &words) != 3 || words == 0 ||
        !text[words] || pci_addr_parse(address, &new.addr) < 0)
        return -EINVAL;
    if (!grow(&b->v, &b->allocated, b->n, sizeof(*b->v)))
        return -ENOMEM;
    new.vendor = (uint16_t)vendor;
    new.device = (uint16_t)device;
    new.words = strdup(text + words);
    b->v[b->n++] = new;
    return new.words ? 0 : -ENOMEM;
}

static int add_known(struct boot_devices *b, const char *name)
{
    if (!grow(&b->names, &b->names_allocated, b->n_names, sizeof(*b->names)))
        return -ENOMEM;
    b->names[b->n_names] = strdup(name);
    return b->names[b->n_names++] ? 0 : -ENOMEM;
}

static int doubt(struct boot_devices *b, const char *what, const char *why)
{
    if (!b->doubt && asprintf(&b->doubt, "%s %s", what, why) < 0) {
        b->doubt = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int take_listed(void *userdata, char *line)
{
    struct boot_devices *b = userdata;
    const char *text;

    if ((text = after_prefix(line, "used ")))
        return add_used(b, text);
    if ((text = after_prefix(line, "name ")))
        return add_known(b, text);
    return streq(line, "incomplete")
               ? doubt(b, "the initramfs", "does not list every device in use")
               : 0;
}

/* A card that was added or removed may have changed the addresses of others. */
static int look_for_used(int root_fd, struct boot_devices *b)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++) {
        struct device d = {.addr = b->v[i].addr};
        int q = pci_identify(root_fd, &d);
        if (q < 0)
            return q;
        if (q == 0 || d.vendor != b->v[i].vendor || d.device != b->v[i].device)
            r = doubt(b, pci_addr_text(d.addr).s,
                      q == 0 ? "was in use when the initramfs was made and is missing"
                             : "was a different device when the initramfs was made");
    }
    return r;
}

int boot_devices_read(int root_fd, struct boot_devices *ret)
{
    int release = rootfs_exists(root_fd, INITRD_RELEASE);
    int r = rootfs_each_line(root_fd, BOOT_DEVICES_FILE, take_listed, ret);

    if (fact_is_gone(r)) {
        if (release < 0)
            return release;
        ret->in_initramfs = release > 0;
        return release > 0 ? doubt(ret, "the initramfs", "has no list of the devices in use") : 0;
    }
    ret->in_initramfs = true;
    if (r == 0 && ret->n == 0)
        r = doubt(ret, "the initramfs", "lists no device in use");
    return r < 0 ? r : look_for_used(root_fd, ret);
}

/* -- what is needed to boot -- */

/* "dev/vg/root" is another name for "dev/mapper/vg-root", where hyphens in both parts are
 * doubled. */
static bool is_volume(const char *name, const char *path)
{
    const char *slash, *p = after_prefix(path, "dev/"), *q = after_prefix(name, "dev/mapper/");

    if (!p || !q || !(slash = strchr(p, '/')))
        return false;
    for (; *p; p++, q++) {
        if (p == slash ? *q != '-' : *q != *p)
            return false;
        if (*p == '-' && *++q != '-')
            return false;
    }
    return !*q;
}

static bool is_known(const struct boot_devices *b, const char *name)
{
    for (size_t i = 0; i < b->n_names; i++)
        if (strcasecmp(b->names[i], name) == 0 || is_volume(b->names[i], name))
            return true;
    return false;
}

int boot_devices_need(struct boot_devices *b, const char *name, const char *what)
{
    if (!b->in_initramfs || is_known(b, name))
        return 0;
    return doubt(b, what, "was not in use when the initramfs was made");
}

int boot_devices_use(const struct boot_devices *b, const struct device *d, char **ret)
{
    *ret = NULL;
    if (!b->in_initramfs || !device_may_carry_host(d))
        return 0;
    for (size_t i = 0; i < b->n; i++)
        if (pci_addr_cmp(b->v[i].addr, d->addr) == 0 && b->v[i].vendor == d->vendor &&
            b->v[i].device == d->device)
            return asprintf(ret, "was in use when the initramfs was made (it %s)", b->v[i].words) <
                           0
                       ? -ENOMEM
                       : 0;
    if (b->doubt && asprintf(ret, "may be what the host boots from, since %s", b->doubt) < 0)
        return -ENOMEM;
    return 0;
}

/* -- writing -- */

/* Folders with links to disks. Unlike kernel names, these names do not change between boots: with
 * one controller less, sdb becomes sda. */
static const char *const link_folders[] = {
    "dev/disk/by-uuid", "dev/disk/by-label", "dev/disk/by-partuuid", "dev/disk/by-partlabel",
    "dev/disk/by-id",   "dev/disk/by-path",  "dev/mapper",           "dev/md"};

static int write_links(int root_fd, const char *folder, const struct below *below, FILE *f)
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, folder, &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        char target[NAME_MAX + 1];
        r = rootfs_link_name(dirfd(dir), e->d_name, target);
        if (r > 0 && below_block(below, target))
            fprintf(f, "name %s/%s\n", folder, e->d_name);
        r = r < 0 && r != -EINVAL ? r : 0; /* -EINVAL: dev/mapper/control is not a link */
    }
    return r;
}

static void write_names(const struct below_item *i, FILE *f)
{
    if (i->kind == BELOW_INTERFACE) {
        fprintf(f, "name %s\n", i->name);
        if (*i->mac)
            fprintf(f, "name %s\n", i->mac);
    } else if (i->kind == BELOW_STACKED && after_prefix(i->name, "md")) {
        fprintf(f, "name dev/%s\n", i->name);
    }
}

/* A virtual function does not exist yet in an initramfs: its physical function stands for it. */
static int standing_for(int root_fd, const struct device *d, struct device *ret)
{
    char name[NAME_MAX + 1];

    *ret = *d;
    if (!d->vf)
        return 0;
    int r = pci_link_name(root_fd, d->addr, "physfn", name);
    if (r > 0 && pci_addr_parse(name, &ret->addr) == 0)
        r = pci_identify(root_fd, ret);
    return r < 0 ? r : 0;
}

static int write_used(int root_fd, const struct device *d, FILE *f)
{
    CLEANUP(below_done) struct below below = {0};
    struct device there;
    int r = below_walk(root_fd, d->addr, &below);

    if (r == 0)
        r = standing_for(root_fd, d, &there);
    if (r < 0)
        return r;
    /* Nothing is visible below a VMD either until it has its driver; its disks belong to it. */
    if (d->addr.domain <= UINT16_MAX)
        fprintf(f, "used %s %04x:%04x %s\n", pci_addr_text(there.addr).s, there.vendor,
                there.device, d->use);
    for (size_t i = 0; i < below.n; i++)
        write_names(&below.v[i], f);
    for (size_t i = 0; r == 0 && i < ELEMENTS(link_folders); i++)
        r = write_links(root_fd, link_folders[i], &below, f);
    return r;
}

int boot_devices_write(int root_fd, const struct snapshot *s, FILE *f)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->n; i++)
        if (s->devices[i].use)
            r = write_used(root_fd, &s->devices[i], f);
    return r;
}
