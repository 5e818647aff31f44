/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/boot-net.h"

#include <ctype.h>
#include <net/if.h>
#include <pci/pci.h>
#include <strings.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/slots.h"

#define MAC_MAX 64 /* InfiniBand's have 59 characters */

struct card {
    int root_fd;
    const struct device *device;
    const struct below *below;
    int error; /* the first thing that could not be read */
};

static void note(struct card *c, int r)
{
    if (c->error == 0)
        c->error = fact_error(r);
}

/* -- predictable names, which contain the address (systemd.net-naming-scheme) -- */

/* Parses a letter and the number after it. Returns false, with *p unchanged, if they are not
 * there. */
static bool take_number(const char **p, char letter, unsigned long *ret)
{
    char *end;

    if (**p != letter || !isdigit((unsigned char)(*p)[1]))
        return false;
    *ret = strtoul(*p + 1, &end, 10);
    *p = end;
    return true;
}

/* Does the rest of the name stand for the device's function? A port, or a device on a USB
 * controller, may follow; but "v" means a virtual function. */
static bool ends_as(const struct card *c, const char *rest)
{
    unsigned long function = 0;

    (void)take_number(&rest, 'f', &function);
    return function == c->device->addr.fn && (!*rest || strchr("ndu", *rest));
}

static bool has_index(struct card *c, unsigned long index)
{
    static const char *const attributes[] = {"acpi_index", "index"};

    for (size_t i = 0; i < ELEMENTS(attributes); i++) {
        char path[96], text[16];
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", pci_addr_text(c->device->addr).s,
                 attributes[i]);
        int r = rootfs_read_line(c->root_fd, path, text, sizeof(text));
        note(c, r);
        if (r > 0)
            return strtoul(text, NULL, 10) == index;
    }
    return false;
}

static bool is_in_slot(struct card *c, unsigned long slot)
{
    CLEANUP(slots_done) struct slots slots = {0};
    char text[24];

    snprintf(text, sizeof(text), "%lu", slot);
    note(c, slots_read(c->root_fd, &slots));
    CLEANUP_FREE char *name = slots_name(&slots, c->device->addr);
    return name && streq(name, text);
}

static bool predictable_name_is(struct card *c, const char *name)
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

static bool has_name(struct card *c, const char *name)
{
    for (size_t i = 0; i < c->below->n; i++)
        if (c->below->v[i].kind == BELOW_INTERFACE && streq(c->below->v[i].name, name))
            return true;
    return predictable_name_is(c, name);
}

/* Accepts MAC addresses with ":" or "-" between their bytes. */
static void colons(const char *mac, char *to, size_t size)
{
    snprintf(to, size, "%s", mac);
    for (char *p = to; *p; p++)
        if (*p == '-')
            *p = ':';
}

static bool has_mac(const struct card *c, const char *mac)
{
    char text[MAC_MAX];

    colons(mac, text, sizeof(text));
    for (size_t i = 0; *text && i < c->below->n; i++)
        if (c->below->v[i].kind == BELOW_INTERFACE && strcasecmp(c->below->v[i].mac, text) == 0)
            return true;
    return false;
}

/* -- the kernel command line -- */

/* Words that create an interface on top of others. */
static const char *const makers[] = {"bond=", "bridge=", "team=", "vlan="};

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
static bool lists_name_of(struct card *c, const char *value)
{
    char text[256], *rest = text, *name;

    snprintf(text, sizeof(text), "%s", value);
    while ((name = strsep(&rest, ":,")))
        if (*name && has_name(c, name))
            return true;
    return false;
}

bool boot_net_is_root(const char *value)
{
    static const char *const starts[] = {
        "/dev/nfs", "nfs:", "nfs4:", "iscsi:", "nbd:", "cifs:", "fcoe:", "dhcp"};

    for (size_t i = 0; i < ELEMENTS(starts); i++)
        if (after_prefix(value, starts[i]))
            return true;
    return false;
}

static bool is_network_root(const char *word)
{
    const char *value = after_prefix(word, "root=");

    return after_prefix(word, "netroot=") || after_prefix(word, "nfsroot=") ||
           (value && boot_net_is_root(value));
}

/* Does the word name an interface of the card? Sets *ret_named if it names one interface, of
 * whichever card. */
static bool names_card(struct card *c, const char *word, bool *ret_named)
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

int boot_net_use(int root_fd, const struct device *d, const struct below *below,
                 const struct cmdline *words, char **ret)
{
    struct card c = {.root_fd = root_fd, .device = d, .below = below};
    const char *root = NULL;
    bool named = false;

    for (size_t i = 0; i < words->n; i++) {
        const char *word = words->v[i];
        int key = (int)strcspn(word, "=") + 1;
        if (names_card(&c, word, &named))
            return asprintf(ret, "is named by %.*s on the kernel command line", key, word) < 0
                       ? -ENOMEM
                       : 0;
        if (is_network_root(word))
            root = word;
    }
    *ret = NULL;
    if (!root || named || d->class_code >> 16 != PCI_BASE_CLASS_NETWORK)
        return c.error;
    /* What comes after the protocol may have a password in it. */
    return asprintf(ret, "may be the network card for %.*s, since no interface is named",
                    (int)strcspn(root, ":"), root) < 0
               ? -ENOMEM
               : 0;
}

/* -- in an initramfs, where no interface exists yet -- */

/* The MAC address to which ifname= gives this name, by which the interface is known. */
static const char *mac_of(const struct cmdline *words, const char *name)
{
    const size_t n = strlen(name);

    for (size_t i = 0; i < words->n; i++) {
        const char *value = after_prefix(words->v[i], "ifname=");
        if (value && strncmp(value, name, n) == 0 && value[n] == ':')
            return value + n + 1;
    }
    return NULL;
}

static bool is_mac(const char *text)
{
    return strlen(text) >= 17 && strspn(text, "0123456789abcdefABCDEF:") == strlen(text);
}

static int need_interface(const struct cmdline *words, const char *name, const char *word,
                          struct boot_devices *b)
{
    char what[128], mac[MAC_MAX];

    snprintf(what, sizeof(what), "the interface of %.100s", word);
    if (mac_of(words, name))
        name = mac_of(words, name);
    colons(name, mac, sizeof(mac));
    return boot_devices_need(b, is_mac(mac) ? mac : name, what);
}

/* "bond=bond0:eth0,eth1": the interface before the colon consists of those after it. */
static int need_list(const struct cmdline *words, const char *value, const char *word,
                     struct boot_devices *b)
{
    const char *parts = strchr(value, ':');
    char text[256], *rest = text, *name;
    int r = 0;

    snprintf(text, sizeof(text), "%.*s", parts ? (int)strcspn(parts + 1, ":") : 0,
             parts ? parts + 1 : "");
    while (r == 0 && (name = strsep(&rest, ",")))
        if (*name)
            r = need_interface(words, name, word, b);
    return r;
}

/* Does a word like bond= create the interface from others? Then those count. */
static bool is_made(const struct cmdline *words, const char *name)
{
    const size_t n = strlen(name);

    for (size_t i = 0; i < words->n; i++)
        for (size_t k = 0; k < ELEMENTS(makers); k++) {
            const char *value = after_prefix(words->v[i], makers[k]);
            if (value && strncmp(value, name, n) == 0 && value[n] == ':')
                return true;
        }
    return false;
}

int boot_net_need(const struct cmdline *words, struct boot_devices *b)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < words->n; i++) {
        const char *word = words->v[i], *value;
        char name[IFNAMSIZ];
        if ((value = after_prefix(word, "ip=")) && ip_interface(value, name) &&
            !is_made(words, name))
            r = need_interface(words, name, word, b);
        else if ((value = after_prefix(word, "bootdev=")) && *value && !is_made(words, value))
            r = need_interface(words, value, word, b);
        else if ((value = after_prefix(word, "BOOTIF=")))
            /* the first byte is the type of hardware */
            r = need_interface(words, strlen(value) > 17 ? value + 3 : value, word, b);
        for (size_t k = 0; r == 0 && k < ELEMENTS(makers); k++)
            if ((value = after_prefix(word, makers[k])))
                r = need_list(words, value, word, b);
    }
    return r;
}
