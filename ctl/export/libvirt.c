/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export libvirt: each selected device in libvirt's XML for a domain. */
#include "export/kinds.h"

/* A comment in XML must not contain "--". */
static void write_name(const char *name, FILE *stream)
{
    for (const char *c = name; *c; c++)
        fputc(c > name && *c == '-' && c[-1] == '-' ? '_' : *c, stream);
}

/* With libvirt's order of attributes, as in the output of virsh dumpxml. */
static void write_hostdev(const struct row *r, FILE *stream)
{
    const struct pci_addr a = r->d->addr;

    fprintf(stream, "<!-- %s %04x:%04x, [device ", pci_addr_text(a).s, r->d->vendor, r->d->device);
    write_name(r->v->rule->name, stream);
    fputc(']', stream);
    if (r->v->comes_along)
        fprintf(stream, " with %s", pci_addr_text(r->v->leader).s);
    if (r->d->group != NO_GROUP)
        fprintf(stream, ", IOMMU group %u", r->d->group);
    fprintf(stream,
            " -->\n"
            "<hostdev mode='subsystem' type='pci' managed='no'>\n"
            "  <source>\n"
            "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n"
            "  </source>\n"
            "</hostdev>\n",
            (unsigned)a.domain, a.bus, a.dev, a.fn);
}

static void say_not_usable(const struct export *e, const struct row *r)
{
    const char *text = r->problem ? r->problem : r->sentence;

    if (!r->usable)
        ctl_note(e->ctl, "%s%s", text ? text : pci_addr_text(r->d->addr).s,
                 text ? "" : " is not usable now");
}

int export_libvirt(struct export *e)
{
    const struct source *s = e->source;
    size_t n = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        if (!r->v || !driver_is_vfio(r->v->driver) || r->v->state == STATE_REFUSED)
            continue;
        n++;
        write_hostdev(r, e->text);
        say_not_usable(e, r);
    }
    if (n == 0)
        return ctl_error("no device here is selected for virtual machines: libvirt needs "
                         "addresses, so run this on the host, or with --root on a report of it");
    ctl_note(e->ctl, "put the entries into the <devices> of the domain: virsh edit DOMAIN; or one "
                     "entry, in a file of its own: virsh attach-device DOMAIN FILE --config");
    ctl_note(e->ctl, "managed='no': vfio-bindd binds the device. With managed='yes' libvirt would "
                     "bind it as well, and hand what it has bound to its native driver");
    return 0;
}
