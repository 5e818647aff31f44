/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suggest: what virtual machines mostly get, as a ready policy; what a host may need for itself, in
 * comments. */
#include "edit/suggest.h"

#include <errno.h>
#include <pci/pci.h>

#include "edit/relatives.h"
#include "edit/rule-text.h"
#include "model/resource.h"
#include "open.h"

#define CLASS_ACCELERATOR 0x12 /* base class: processing accelerators */
#define CLASS_NVME 0x0108      /* non-volatile memory */

/* -- which devices -- */

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

/* Two models may have one name; then the ID tells them apart. */
static void unique_name(const struct source *s, const struct row *r,
                        char buf[static RULE_TEXT_NAME_MAX + 8])
{
    rule_text_name(r, buf);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        char other[RULE_TEXT_NAME_MAX];
        if (!is_suggested(&s->rows[i]) || is_same_model(&s->rows[i], r))
            continue;
        rule_text_name(&s->rows[i], other);
        if (!streq(other, buf))
            continue;
        size_t n = strlen(buf);
        snprintf(buf + n, RULE_TEXT_NAME_MAX + 8 - n, "-%04x", r->d->device);
        return;
    }
}

/* The sets are as long as the source has rows. */
struct model {
    const struct row *first;
    size_t n, consoles; /* devices of the model, and those among them that are consoles */
    enum field key;     /* the key that tells them apart */
    bool *all, *others; /* the devices of the model; the same without consoles */
    bool *suggested;    /* all that this policy has a rule for */
};

static void model_done(struct model *m)
{
    free(m->all);
    free(m->others);
    free(m->suggested);
}

/* -- rules -- */

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
        fprintf(f, "  %s %s", rule_text_key_name(m->key), field_text(r, m->key, value));
    fputs(is_console_display(r) ? "  (console of this host)\n" : "\n", f);
}

static void write_choices(const struct source *s, const struct model *m, FILE *f)
{
    if (m->n < 2 || m->consoles > 0)
        return;
    fputs("# for some of them only, leave those here that virtual machines shall have:\n", f);
    rule_text_places(s, m->others, m->key, "#", f);
}

/* One rule for all devices of a model; where the host's console is one of them, the others are
 * named by slot or address. */
static void write_rule(const struct source *s, const struct model *m, bool commented, FILE *f)
{
    const struct row *r = m->first;
    char name[RULE_TEXT_NAME_MAX + 8], text[FIELD_TEXT_MAX];
    const char *hash = commented || m->consoles == m->n ? "#" : "";
    const char *domain = resource_domain(r->d->vendor);

    unique_name(s, r, name);
    fprintf(f, "# %s\n", row_name(r, text));
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (m->all[i])
            write_facts(m, &s->rows[i], f);
    if (m->consoles == m->n)
        fputs("# the host would go dark without it: left to its native driver\n", f);
    fprintf(f, "%s[device %s]\n", hash, name);
    rule_text_ids(s, m->all, hash, f);
    if (m->consoles > 0 && m->consoles < m->n)
        rule_text_places(s, m->others, m->key, hash, f);
    rule_text_neighbours(s, m->all, m->suggested, f);
    fprintf(f, "%sresource = %s/%s\n", domain ? hash : "#", domain ? domain : "example.com", name);
    write_choices(s, m, f);
    fputc('\n', f);
}

/* -- network cards and disks -- */

/* Has another port of its card been written with it already? */
static bool is_written(const struct source *s, const struct row *r)
{
    for (const struct row *other = s->rows; other < r; other++)
        if (is_alternative(other) && goes_with(r, other))
            return true;
    return false;
}

static void write_alternative(const struct source *s, const struct row *r, FILE *f)
{
    CLEANUP_FREE bool *in = calloc(s->snapshot.n + 1, sizeof(*in));
    char name[FIELD_TEXT_MAX], text[40];

    snprintf(text, sizeof(text), "%s", pci_addr_text(r->d->addr).s);
    for (char *c = text; *c; c++)
        if (*c == ':' || *c == '.')
            *c = '-';
    for (size_t i = 0; in && i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        in[i] = goes_with(r, other);
        if (in[i])
            fprintf(f, "# %s%s (driver %s)\n", other == r ? "" : "together with ",
                    other == r ? row_name(r, name) : pci_addr_text(other->d->addr).s,
                    *other->driver ? other->driver : "none");
    }
    if (!in)
        return;
    fprintf(f, "#[device %s-%s]\n",
            r->d->class_code >> 16 == PCI_BASE_CLASS_NETWORK ? "nic" : "nvme", text);
    rule_text_ids(s, in, "#", f);
    rule_text_places(s, in, FIELD_ADDRESS, "#", f);
    fputc('\n', f);
}

/* Returns 0 or -ENOMEM. */
static int model_make(const struct source *s, size_t first, struct model *ret)
{
    *ret = (struct model){.first = &s->rows[first],
                          .all = calloc(s->snapshot.n + 1, sizeof(bool)),
                          .others = calloc(s->snapshot.n + 1, sizeof(bool)),
                          .suggested = calloc(s->snapshot.n + 1, sizeof(bool))};
    if (!ret->all || !ret->others || !ret->suggested)
        return -ENOMEM;
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        ret->suggested[i] = is_suggested(r);
        if (!is_suggested(r) || !is_same_model(r, ret->first))
            continue;
        ret->all[i] = true;
        ret->others[i] = !is_console_display(r);
        ret->n++;
        ret->consoles += is_console_display(r);
    }
    ret->key = rule_text_key(s, ret->all);
    return 0;
}

static bool is_first_of_model(const struct source *s, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (is_suggested(&s->rows[j]) && is_same_model(&s->rows[j], &s->rows[i]))
            return false;
    return true;
}

void suggest_write(const struct source *s, bool commented, FILE *f)
{
    size_t rules = 0, alternatives = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (!is_suggested(&s->rows[i]) || !is_first_of_model(s, i))
            continue;
        CLEANUP(model_done) struct model m;
        if (model_make(s, i, &m) < 0)
            return;
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
