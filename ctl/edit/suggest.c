/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suggest: what virtual machines mostly get, as a ready policy; what a host may need for itself, in
 * comments. */
#include "edit/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <pci/pci.h>

#include "fields.h"
#include "model/kinds.h"
#include "model/resource.h"
#include "open.h"

#define NAME_MAX_CHARS 32
#define CLASS_ACCELERATOR 0x12 /* base class: processing accelerators */
#define CLASS_NVME 0x0108      /* non-volatile memory */

/* -- which devices -- */

/* The consoles of servers and of virtual machines: a display controller, and yet nothing to hand
 * over. */
static bool is_console_display(const struct row *r)
{
    static const uint16_t vendors[] = {0x1a03, 0x102b, 0x18ca, 0x1234,
                                       0x1013, 0x15ad, 0x1b36, 0x1af4};

    for (size_t i = 0; i < ELEMENTS(vendors); i++)
        if (r->d->vendor == vendors[i])
            return true;
    return r->boot_display || (r->d->vendor == 0x8086 && r->d->addr.bus == 0);
}

/* Display and 3D controllers, processing accelerators, and what joins NVIDIA's GPUs. */
static bool is_suggested(const struct row *r)
{
    unsigned base = r->d->class_code >> 16;
    bool nvswitch = r->d->vendor == 0x10de && r->d->class_code >> 8 == PCI_CLASS_BRIDGE_OTHER;

    return (base == PCI_BASE_CLASS_DISPLAY || base == CLASS_ACCELERATOR || nvswitch) &&
           !r->d->bridge;
}

static bool is_alternative(const struct row *r)
{
    return (r->d->class_code >> 16 == PCI_BASE_CLASS_NETWORK ||
            r->d->class_code >> 8 == CLASS_NVME) &&
           !r->d->bridge;
}

static bool same_model(const struct row *a, const struct row *b)
{
    return a->d->vendor == b->d->vendor && a->d->device == b->d->device;
}

/* -- names -- */

/* "GA100 [A100 PCIe 40GB]" -> "a100-pcie-40gb"; without a name "gpu-10de-20f1". */
static void rule_name(const struct row *r, char buf[static NAME_MAX_CHARS + 1])
{
    const char *open = r->name ? strchr(r->name, '[') : NULL;
    const char *from = open ? open + 1 : r->name ? r->name : "";
    size_t n = 0;

    for (; *from && *from != ']' && *from != '/' && n < NAME_MAX_CHARS; from++) {
        if (isalnum((unsigned char)*from))
            buf[n++] = (char)tolower((unsigned char)*from);
        else if (n > 0 && buf[n - 1] != '-')
            buf[n++] = '-';
    }
    while (n > 0 && buf[n - 1] == '-')
        n--;
    buf[n] = '\0';
    if (n == 0)
        snprintf(buf, NAME_MAX_CHARS + 1, "%s-%04x-%04x",
                 r->d->class_code >> 16 == PCI_BASE_CLASS_DISPLAY ? "gpu" : "accelerator",
                 r->d->vendor, r->d->device);
}

/* Two models may have one name; then the ID tells them apart. */
static void unique_name(const struct source *s, const struct row *r,
                        char buf[static NAME_MAX_CHARS + 8])
{
    rule_name(r, buf);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        char other[NAME_MAX_CHARS + 1];
        if (!is_suggested(&s->rows[i]) || same_model(&s->rows[i], r))
            continue;
        rule_name(&s->rows[i], other);
        if (!streq(other, buf))
            continue;
        size_t n = strlen(buf);
        snprintf(buf + n, NAME_MAX_CHARS + 8 - n, "-%04x", r->d->device);
        return;
    }
}

struct model {
    const struct row *first;
    size_t n, consoles; /* devices of the model, and those among them that are consoles */
    enum field key;     /* the key that tells them apart */
};

/* -- telling identical devices apart -- */

/* Is the value of this field another one for every other device of the model? */
static bool is_distinct(const struct source *s, const struct row *r, enum field field)
{
    char mine[FIELD_TEXT_MAX], theirs[FIELD_TEXT_MAX];
    const char *value = field_text(r, field, mine);

    if (!value || strpbrk(value, ",;#*?[]!\\") || *value == ' ')
        return false;
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        const char *text =
            other != r && same_model(other, r) ? field_text(other, field, theirs) : NULL;
        if (text && streq(text, value))
            return false;
    }
    return true;
}

/* The key that tells all devices of this model apart: slots stay when a card is added, addresses do
 * not. (The daemon cannot read serial numbers.) */
static enum field telling_field(const struct source *s, const struct row *r)
{
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (is_suggested(&s->rows[i]) && same_model(&s->rows[i], r) &&
            !is_distinct(s, &s->rows[i], FIELD_SLOT))
            return FIELD_ADDRESS;
    return FIELD_SLOT;
}

static const char *key_of_field(enum field f)
{
    return rule_key_name(f == FIELD_SLOT ? KEY_SLOT : KEY_ADDRESS);
}

static void write_facts(const struct model *m, const struct row *r, FILE *f)
{
    char value[FIELD_TEXT_MAX];

    fprintf(f, "#   %s  IOMMU group ", pci_addr_text(r->d->addr).s);
    if (r->d->group == NO_GROUP)
        fputs("none", f);
    else
        fprintf(f, "%u", r->d->group);
    fprintf(f, "  driver %s", *r->driver ? r->driver : "none");
    if (m->key != FIELD_ADDRESS)
        fprintf(f, "  %s %s", key_of_field(m->key), field_text(r, m->key, value));
    fputs(is_console_display(r) ? "  (console of this host)\n" : "\n", f);
}

/* Somebody in the IOMMU group who would have to come along, and does not by itself. */
static const struct row *stranger_in_group(const struct source *s, const struct row *r)
{
    for (size_t i = 0; r->d->group != NO_GROUP && i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        if (other->d->group == r->d->group && !device_is_bridge(other->d) && !is_suggested(other) &&
            (!pci_addr_same_slot(other->d->addr, r->d->addr) ||
             device_must_be_named(other->d, r->d)))
            return other;
    }
    return NULL;
}

/* A bridge or a part of the chipset whose driver keeps the group from virtual machines. */
static const struct row *blocker_in_group(const struct source *s, const struct row *r)
{
    for (size_t i = 0; r->d->group != NO_GROUP && i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        if (other->d->group == r->d->group && device_is_bridge(other->d) &&
            !device_is_viable(other->d))
            return other;
    }
    return NULL;
}

/* -- rules -- */

/* "slot = 3, 4": the devices of the model by slot or address, but for consoles. A line of the
 * policy holds 4096 bytes. */
static void write_values(const struct source *s, const struct model *m, const char *hash, FILE *f)
{
    char value[FIELD_TEXT_MAX];
    size_t used = 0;

    fprintf(f, "%s%s = ", hash, key_of_field(m->key));
    for (size_t i = 0; i < s->snapshot.n && used < 3500; i++) {
        const struct row *r = &s->rows[i];
        if (!same_model(r, m->first) || !is_suggested(r) || is_console_display(r))
            continue;
        used += (size_t)fprintf(f, "%s%s", used ? ", " : "", field_text(r, m->key, value));
    }
    fputc('\n', f);
}

/* One rule for all devices of a model; where the host's console is one of them, the others are
 * named by slot or address. */
static void write_selection(const struct source *s, const struct model *m, const char *hash,
                            FILE *f)
{
    fprintf(f, "%sid = %04x:%04x\n", hash, m->first->d->vendor, m->first->d->device);
    if (m->consoles > 0 && m->consoles < m->n)
        write_values(s, m, hash, f);
}

static void write_choices(const struct source *s, const struct model *m, FILE *f)
{
    if (m->n < 2 || m->consoles > 0)
        return;
    fputs("# for some of them only, leave those here that virtual machines shall have:\n", f);
    write_values(s, m, "#", f);
}

static void write_rule(const struct source *s, const struct model *m, bool commented, FILE *f)
{
    const struct row *r = m->first, *stranger = NULL, *blocker = NULL;
    char name[NAME_MAX_CHARS + 8], text[FIELD_TEXT_MAX];
    const char *hash = commented || m->consoles == m->n ? "#" : "";
    const char *domain = resource_domain(r->d->vendor);

    unique_name(s, r, name);
    fprintf(f, "# %s\n", row_name(r, text));
    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (!same_model(&s->rows[i], r) || !is_suggested(&s->rows[i]))
            continue;
        write_facts(m, &s->rows[i], f);
        if (!stranger)
            stranger = stranger_in_group(s, &s->rows[i]);
        if (!blocker)
            blocker = blocker_in_group(s, &s->rows[i]);
    }
    if (m->consoles == m->n)
        fputs("# the host would go dark without it: left to its native driver\n", f);
    fprintf(f, "%s[device %s]\n", hash, name);
    write_selection(s, m, hash, f);
    if (stranger)
        fprintf(f,
                "# %s (%s)\n"
                "# shares its IOMMU group; to take it along (not if the host needs it):\n"
                "#group = all\n",
                pci_addr_text(stranger->d->addr).s, row_name(stranger, text));
    if (blocker)
        fprintf(f,
                "# %s (%s)\n"
                "# is of the same IOMMU group, and its driver %s keeps the group from virtual "
                "machines\n"
                "# (another slot may be better)\n",
                pci_addr_text(blocker->d->addr).s, row_name(blocker, text), blocker->driver);
    fprintf(f, "%sresource = %s/%s\n", domain ? hash : "#", domain ? domain : "example.com", name);
    write_choices(s, m, f);
    fputc('\n', f);
}

/* -- network cards and disks -- */

/* Can a virtual machine have the one only together with the other, which must be named, too? */
static bool goes_with(const struct row *r, const struct row *other)
{
    return other == r || (r->d->group != NO_GROUP && other->d->group == r->d->group && !r->d->vf &&
                          !other->d->vf && pci_addr_same_slot(other->d->addr, r->d->addr) &&
                          !device_is_bridge(other->d) && device_must_be_named(other->d, r->d));
}

/* Has another port of its card been written with it already? */
static bool is_written(const struct source *s, const struct row *r)
{
    for (const struct row *other = s->rows; other < r; other++)
        if (is_alternative(other) && goes_with(r, other))
            return true;
    return false;
}

/* "id = 8086:1572": of all that goes with it, each model once. Returns how many devices. */
static size_t write_ids(const struct source *s, const struct row *r, FILE *f)
{
    size_t n = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        bool known = false;
        if (!goes_with(r, other))
            continue;
        for (size_t k = 0; k < i; k++)
            known = known || (goes_with(r, &s->rows[k]) && same_model(&s->rows[k], other));
        if (!known)
            fprintf(f, "%s%04x:%04x", n ? ", " : "#id = ", other->d->vendor, other->d->device);
        n++;
    }
    fputc('\n', f);
    return n;
}

static void write_alternative(const struct source *s, const struct row *r, FILE *f)
{
    char name[FIELD_TEXT_MAX], text[40];

    snprintf(text, sizeof(text), "%s", pci_addr_text(r->d->addr).s);
    for (char *c = text; *c; c++)
        if (*c == ':' || *c == '.')
            *c = '-';
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (goes_with(r, &s->rows[i]))
            fprintf(f, "# %s%s%s (driver %s)\n", &s->rows[i] == r ? "" : "together with ",
                    &s->rows[i] == r ? "" : pci_addr_text(s->rows[i].d->addr).s,
                    &s->rows[i] == r ? row_name(r, name) : "",
                    *s->rows[i].driver ? s->rows[i].driver : "none");
    fprintf(f, "#[device %s-%s]\n",
            r->d->class_code >> 16 == PCI_BASE_CLASS_NETWORK ? "nic" : "nvme", text);
    size_t n = write_ids(s, r, f);
    snprintf(text, sizeof(text), "%s", pci_addr_text(r->d->addr).s);
    if (n > 1)
        stpcpy(strrchr(text, '.'), ".*");
    fprintf(f, "#address = %s\n\n", text);
}

static struct model model_of(const struct source *s, size_t first)
{
    struct model m = {.first = &s->rows[first], .key = telling_field(s, &s->rows[first])};

    for (size_t i = 0; i < s->snapshot.n; i++)
        if (is_suggested(&s->rows[i]) && same_model(&s->rows[i], m.first)) {
            m.n++;
            m.consoles += is_console_display(&s->rows[i]);
        }
    return m;
}

static bool is_first_of_model(const struct source *s, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (is_suggested(&s->rows[j]) && same_model(&s->rows[j], &s->rows[i]))
            return false;
    return true;
}

void suggest_write(const struct source *s, bool commented, FILE *f)
{
    size_t rules = 0, alternatives = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (!is_suggested(&s->rows[i]) || !is_first_of_model(s, i))
            continue;
        struct model m = model_of(s, i);
        write_rule(s, &m, commented, f);
        rules += m.consoles < m.n;
    }
    if (rules == 0)
        fputs("# No GPU or accelerator is here that a virtual machine could have.\n\n", f);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (!is_alternative(&s->rows[i]) || is_written(s, &s->rows[i]))
            continue;
        if (alternatives++ == 0)
            fputs("# Network cards and NVMe disks, each by its address: remove the '#' before "
                  "those that this\n# host does not need itself.\n\n",
                  f);
        write_alternative(s, &s->rows[i], f);
    }
}

int verb_suggest(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    fputs("# Suggested by vfio-bindctl for the devices of this host. To use it, put what you want\n"
          "# into /etc/vfio-bindd.conf (vfio-bindctl edit), and see what it does with\n"
          "# \"vfio-bindctl plan --policy FILE\". All keys: vfio-bindd.conf(5).\n\n",
          stdout);
    suggest_write(&s, false, stdout);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : ctl_errno(-EIO);
}
