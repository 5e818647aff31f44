/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: libvirt's domains and networks. With managed='yes', libvirt itself binds a device when
 * its domain starts, and hands it back at the end. The address is the one inside <source>, or
 * <forward mode='hostdev'> in a network; others are those in the guest. */
#include "import/sources.h"
#include "import/xml.h"

enum xml_part { PART_NONE, PART_HOSTDEV, PART_INTERFACE, PART_FORWARD };

struct domain_reader {
    struct found *f;
    const char *path;
    char name[128]; /* name of the domain or network: the file's name without its ending */
    bool network;
    enum xml_part part;
    bool managed, in_source;
};

static bool number(const struct xml_tag *t, const char *name, unsigned long max, unsigned long *ret)
{
    char text[16], *end;

    if (!xml_attribute(t, name, text, sizeof(text)))
        return false;
    *ret = strtoul(text, &end, 0);
    return isdigit((unsigned char)text[0]) && !*end && *ret <= max;
}

static void retire_managed(struct domain_reader *r, const char *address)
{
    CLEANUP_FREE char *name = found_quoted("", r->name);

    if (name)
        found_step(r->f, STAGE_DOMAINS, "%svirsh %s %s   # write managed='no' for %s", ctl_sudo(),
                   r->network ? "net-edit" : "edit", name, address);
    else
        found_step(r->f, STAGE_DOMAINS, "# /%s: write managed='no' for %s", r->path, address);
}

static void see_source_address(struct domain_reader *r, const struct xml_tag *t)
{
    struct selection s = {.driver = "vfio-pci"};
    unsigned long domain = 0, bus, slot, function;
    char text[16];

    if (xml_attribute(t, "domain", text, sizeof(text)) && !number(t, "domain", UINT32_MAX, &domain))
        domain = UINT64_MAX;
    if (domain > UINT32_MAX || !number(t, "bus", 0xff, &bus) || !number(t, "slot", 0x1f, &slot) ||
        !number(t, "function", 7, &function)) {
        found_remark(r->f, r->path, t->line, "is not a valid PCI address");
        return;
    }
    struct pci_addr a = {(uint32_t)domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
    if (!r->managed) {
        found_remark(r->f, r->path, t->line,
                     "%s has %s without managed='yes': libvirt expects it to be bound already, and "
                     "goes on so",
                     r->name, pci_addr_text(a).s);
        return;
    }
    snprintf(s.address, sizeof(s.address), "%s", pci_addr_text(a).s);
    if (!found_shared_with_host(r->f, &s, r->path, t->line) &&
        found_claim_on_demand(r->f, &s, r->path, t->line, "libvirt, managed='yes'"))
        retire_managed(r, s.address);
}

static enum xml_part part_of(const struct xml_tag *t)
{
    char mode[16], type[16];

    xml_attribute(t, "mode", mode, sizeof(mode));
    xml_attribute(t, "type", type, sizeof(type));
    if (xml_is(t, "hostdev") && streq(type, "pci") && (streq(mode, "subsystem") || !*mode))
        return PART_HOSTDEV;
    if (xml_is(t, "interface") && streq(type, "hostdev"))
        return PART_INTERFACE;
    return xml_is(t, "forward") && streq(mode, "hostdev") ? PART_FORWARD : PART_NONE;
}

static bool may_name_device(const struct xml_tag *t)
{
    return xml_is(t, "hostdev") || xml_is(t, "interface") || xml_is(t, "forward");
}

static void see_tag(struct domain_reader *r, const struct xml_tag *t)
{
    char text[16];

    if (may_name_device(t)) {
        r->part = t->closes || t->empty ? PART_NONE : part_of(t);
        r->managed = xml_attribute(t, "managed", text, sizeof(text)) && streq(text, "yes");
        r->in_source = false;
    } else if (xml_is(t, "source")) {
        r->in_source = !t->closes && !t->empty;
    } else if (r->part == PART_FORWARD && xml_is(t, "pf") && !t->closes) {
        found_remark(r->f, r->path, t->line,
                     "the network takes the virtual functions of an interface, whose addresses "
                     "come with them: write a rule by their ID");
    } else if (r->part != PART_NONE && xml_is(t, "address") && !t->closes &&
               (r->in_source || r->part == PART_FORWARD)) {
        see_source_address(r, t);
    }
}

static void read_domain(struct found *f, const char *path, const char *name, bool network)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct domain_reader r = {.f = f, .path = path, .network = network};
    struct xml x = xml_of(text ? text : "");
    struct xml_tag t;

    snprintf(r.name, sizeof(r.name), "%.*s", (int)(strlen(name) - strlen(".xml")), name);
    while (xml_next(&x, &t))
        see_tag(&r, &t);
    if (x.broken)
        found_remark(f, path, x.line, "is truncated here: the rest was not read");
}

static void see_domain_file(struct found *f, const char *path, const char *name)
{
    read_domain(f, path, name, false);
}

static void see_network_file(struct found *f, const char *path, const char *name)
{
    read_domain(f, path, name, true);
}

/* A hook is a program: what it does to devices or to the display manager cannot be read. */
static void see_hook(struct found *f, const char *path, const char *name)
{
    (void)name;
    found_remark(
        f, path, 0,
        "a hook that libvirt runs when a virtual machine starts and ends: if it binds or unbinds "
        "devices, or stops the display server, adapt it to devices that are bound at boot");
}

void import_libvirt(struct found *f)
{
    static const char hook[] = "etc/libvirt/hooks/qemu";

    found_each(f, "etc/libvirt/qemu", ".xml", see_domain_file);
    found_each(f, "etc/libvirt/qemu/networks", ".xml", see_network_file);
    if (tree_exists(&f->tree, hook))
        see_hook(f, hook, "");
    found_each(f, "etc/libvirt/hooks/qemu.d", "", see_hook);
}
