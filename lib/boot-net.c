/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot-net.h"

#include <ctype.h>
#include <limits.h>
#include <net/if.h>
#include <pci/pci.h>
#include <strings.h>

#include "rootfs.h"
#include "scan.h"
#include "slots.h"
#include "util.h"

#define INTERFACES_MAX 32 /* of one function */
#define MAC_MAX 64        /* InfiniBand's have 59 characters */

struct interface {
    char name[IFNAMSIZ], mac[MAC_MAX];
};

struct card {
    int root_fd;
    const struct device *device;
    struct interface v[INTERFACES_MAX];
    size_t n;
};

/* -- the interfaces that are there -- */

static void add_interfaces(struct card *c, const char *folder)
{
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(c->root_fd, folder, &dir);
    const struct dirent *e;

    while (dir && c->n < INTERFACES_MAX && (e = readdir(dir))) {
        struct interface *i = &c->v[c->n];
        char path[PATH_MAX];
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(i->name))
            continue;
        strcpy(i->name, e->d_name);
        snprintf(path, sizeof(path), "%s/%s/address", folder, e->d_name);
        if (rootfs_read_line(c->root_fd, path, i->mac, sizeof(i->mac)) < 0)
            i->mac[0] = '\0';
        c->n++;
    }
}

/* Those of the device itself, or of the virtio device that it carries. */
static void read_interfaces(struct card *c)
{
    char device[64], path[NAME_MAX + 80];
    const struct dirent *e;

    snprintf(device, sizeof(device), "sys/bus/pci/devices/%s", pci_addr_text(c->device->addr).s);
    snprintf(path, sizeof(path), "%s/net", device);
    add_interfaces(c, path);
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(c->root_fd, device, &dir);
    while (dir && (e = readdir(dir)))
        if (after_prefix(e->d_name, "virtio")) {
            snprintf(path, sizeof(path), "%s/%s/net", device, e->d_name);
            add_interfaces(c, path);
        }
}

/* -- names that tell the device by themselves (systemd.net-naming-scheme) -- */

/* A letter and a number behind it; false and nothing consumed if it is not there. */
static bool take_number(const char **p, char letter, unsigned long *ret)
{
    char *end;

    if (**p != letter || !isdigit((unsigned char)(*p)[1]))
        return false;
    *ret = strtoul(*p + 1, &end, 10);
    *p = end;
    return true;
}

/* Is it the device's function? Behind it may come a port, or what hangs on a USB controller; but
 * "v" would be a virtual function. */
static bool ends_as(const struct card *c, const char *rest)
{
    unsigned long function = 0;

    (void)take_number(&rest, 'f', &function);
    return function == c->device->addr.fn && (!*rest || strchr("ndu", *rest));
}

static bool has_index(const struct card *c, unsigned long index)
{
    static const char *const attributes[] = {"acpi_index", "index"};
    char text[16];

    for (size_t i = 0; i < ELEMENTS(attributes); i++)
        if (*scan_attribute(c->root_fd, c->device->addr, attributes[i], text, sizeof(text)))
            return strtoul(text, NULL, 10) == index;
    return false;
}

static bool is_in_slot(const struct card *c, unsigned long slot)
{
    CLEANUP(slots_done) struct slots slots = {0};
    char text[24];

    snprintf(text, sizeof(text), "%lu", slot);
    (void)slots_read(c->root_fd, &slots);
    CLEANUP_FREE char *name = slots_name(&slots, c->device->addr);
    return name && streq(name, text);
}

static bool predictable_name_is(const struct card *c, const char *name)
{
    static const char *const types[] = {"en", "ib", "sl", "wl", "ww"};
    const struct pci_addr a = c->device->addr;
    unsigned long domain = 0, bus, slot, index;
    const char *p = NULL;

    for (size_t i = 0; !p && i < ELEMENTS(types); i++)
        p = after_prefix(name, types[i]);
    if (!p)
        return false;
    if (take_number(&p, 'o', &index))
        return (!*p || strchr("nd", *p)) && has_index(c, index);
    if (take_number(&p, 's', &slot))
        return is_in_slot(c, slot) && ends_as(c, p);
    (void)take_number(&p, 'P', &domain);
    return take_number(&p, 'p', &bus) && take_number(&p, 's', &slot) && domain == a.domain &&
           bus == a.bus && slot == a.dev && ends_as(c, p);
}

static bool has_name(const struct card *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (streq(c->v[i].name, name))
            return true;
    return predictable_name_is(c, name);
}

/* MAC addresses with ":" or "-" between their bytes. */
static bool has_mac(const struct card *c, const char *mac)
{
    char text[MAC_MAX];

    snprintf(text, sizeof(text), "%s", mac);
    for (char *p = text; *p; p++)
        if (*p == '-')
            *p = ':';
    for (size_t i = 0; i < c->n; i++)
        if (*text && strcasecmp(c->v[i].mac, text) == 0)
            return true;
    return false;
}

/* -- what is on the command line -- */

/* "IFACE:METHOD[:…]" or "CLIENT:PEER:GATEWAY:NETMASK:HOST:IFACE:…", where IPv6 addresses are in
 * brackets; anything else means any interface. */
static bool ip_interface(const char *value, char name[static IFNAMSIZ])
{
    static const char *const methods[] = {"any",   "auto6",   "bootp", "both",  "dhcp",
                                          "dhcp6", "either6", "ibft",  "link6", "link-local",
                                          "none",  "off",     "on",    "rarp"};
    char field[6][64] = {0};
    size_t n = 0;

    for (const char *p = value; n < ELEMENTS(field); p++) {
        size_t length = *p == '[' ? strcspn(p, "]") : 0;
        length += strcspn(p + length, ":");
        snprintf(field[n++], sizeof(field[0]), "%.*s", (int)length, p);
        p += length;
        if (!*p)
            break;
    }
    const char *found = "";
    if (n >= 2 && word_index(methods, ELEMENTS(methods), field[1]) >= 0)
        found = field[0];
    else if (n == 6)
        found = field[5];
    if (!*found || strlen(found) >= IFNAMSIZ)
        return false;
    strcpy(name, found);
    return true;
}

/* "bond=bond0:eth0,eth1", "vlan=eth0.5:eth0". */
static bool lists_name_of(const struct card *c, const char *value)
{
    char text[256], *rest = text, *name;

    snprintf(text, sizeof(text), "%s", value);
    while ((name = strsep(&rest, ":,")))
        if (*name && has_name(c, name))
            return true;
    return false;
}

static bool is_network_root(const char *word)
{
    static const char *const starts[] = {
        "netroot=",    "nfsroot=",  "root=/dev/nfs", "root=nfs:",  "root=nfs4:",
        "root=iscsi:", "root=nbd:", "root=cifs:",    "root=fcoe:", "root=dhcp"};

    for (size_t i = 0; i < ELEMENTS(starts); i++)
        if (after_prefix(word, starts[i]))
            return true;
    return false;
}

/* Does the word name one interface, whosever it is (*ret_named), and is it the card's? */
static bool names_card(const struct card *c, const char *word, bool *ret_named)
{
    static const char *const lists[] = {"bond=", "bootdev=", "bridge=", "team=", "vlan="};
    char name[IFNAMSIZ];
    const char *value;

    if ((value = after_prefix(word, "ip="))) {
        bool named = ip_interface(value, name);
        *ret_named = *ret_named || named;
        return named && has_name(c, name);
    }
    if ((value = after_prefix(word, "ifname="))) {
        const char *mac = strchr(value, ':');
        return mac && has_mac(c, mac + 1);
    }
    if ((value = after_prefix(word, "BOOTIF="))) {
        *ret_named = true;
        /* the first byte is the type of hardware */
        return has_mac(c, strlen(value) > 17 ? value + 3 : value);
    }
    for (size_t i = 0; i < ELEMENTS(lists); i++)
        if ((value = after_prefix(word, lists[i]))) {
            *ret_named = true;
            return lists_name_of(c, value);
        }
    return false;
}

char *boot_net_use(int root_fd, const struct device *d, const struct cmdline *words)
{
    struct card c = {.root_fd = root_fd, .device = d};
    const char *root = NULL;
    bool named = false;
    char *use = NULL;

    if (d->driver)
        read_interfaces(&c);
    for (size_t i = 0; i < words->n; i++) {
        const char *word = words->v[i];
        int key = (int)strcspn(word, "=") + 1;
        if (names_card(&c, word, &named))
            return asprintf(&use, "is named by %.*s on the kernel command line", key, word) < 0
                       ? NULL
                       : use;
        if (is_network_root(word))
            root = word;
    }
    if (!root || named || d->class_code >> 16 != PCI_BASE_CLASS_NETWORK)
        return NULL;
    return asprintf(&use, "may be the network card for %.100s, since no interface is named", root) <
                   0
               ? NULL
               : use;
}
