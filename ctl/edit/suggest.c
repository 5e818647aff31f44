/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suggest: writes rules for devices that virtual machines usually get. Rules for devices that the
 * host may need are commented out. */
#include "edit/suggest.h"

#include <errno.h>

#include "edit/relatives.h"
#include "edit/rule-text.h"
#include "edit/suggest-kinds.h"
#include "model/kinds.h"
#include "model/resource.h"
#include "open.h"

#define COMMENT_WIDTH 96

/* -- which devices -- */

/* GPUs and accelerators. */
static bool is_suggested(const struct row *r)
{
    const struct suggest_kind *kind = suggest_kind_of(r->d);

    return kind && !kind->name;
}

/* Does it come along with a GPU, as its USB controller does? */
static bool is_part_of_gpu(const struct source *s, const struct row *r)
{
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (is_suggested(&s->rows[i]) && pci_addr_same_slot(s->rows[i].d->addr, r->d->addr) &&
            !device_must_be_named(r->d, s->rows[i].d))
            return true;
    return false;
}

/* Is it of a kind that is suggested only in comments? */
static bool is_alternative(const struct source *s, const struct row *r)
{
    const struct suggest_kind *kind = suggest_kind_of(r->d);

    return kind && kind->name && !is_part_of_gpu(s, r);
}

/* If two models have the same name, the ID is appended. */
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
    enum field key;     /* the key that distinguishes them */
    bool *all, *others; /* the devices of the model; the same without consoles */
    bool *suggested;    /* all devices for which this policy has a rule */
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

/* Writes one rule for all devices of a model. If the host's console is one of them, the others are
 * given by slot, serial number or address. */
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
    if (m->consoles > 0 && m->consoles < m->n) {
        rule_text_places(s, m->others, m->key, hash, f);
        rule_text_expect(s, m->others, hash, f);
    }
    rule_text_neighbours(s, m->all, m->suggested, f);
    fprintf(f, "%sresource = %s/%s\n", domain ? hash : "#", domain ? domain : "example.com", name);
    write_choices(s, m, f);
    fputc('\n', f);
}

/* -- what the host may need itself -- */

/* Must both go to the same virtual machine? All NVSwitches must. */
static bool goes_along(const struct row *r, const struct row *other)
{
    const struct suggest_kind *kind = suggest_kind_of(r->d);

    return kind->together ? suggest_kind_of(other->d) == kind : goes_with(r, other);
}

/* Was it already written together with another device? */
static bool is_written(const struct source *s, const struct row *r)
{
    for (const struct row *other = s->rows; other < r; other++)
        if (goes_along(r, other) && is_alternative(s, other)) /* the second looks at all devices */
            return true;
    return false;
}

static void write_wrapped_comment(const char *text, FILE *f)
{
    size_t at = 0;

    for (const char *word = text; *word; word += strspn(word, " ")) {
        size_t n = strcspn(word, " ");
        if (at > 0 && at + 1 + n > COMMENT_WIDTH) {
            fputc('\n', f);
            at = 0;
        }
        at += (size_t)fprintf(f, "%s%.*s", at == 0 ? "# " : " ", (int)n, word);
        word += n;
    }
    fputc('\n', f);
}

/* What nobody should give away without a thought. */
static void write_use(const struct device *d, FILE *f)
{
    char text[512];
    const char *use = d->use ? d->use : d->evidence;

    if (!use)
        return;
    snprintf(text, sizeof(text), "in use by this host: %s %s", pci_addr_text(d->addr).s, use);
    write_wrapped_comment(text, f);
}

static void write_alternative(const struct source *s, const struct row *r, FILE *f)
{
    CLEANUP_FREE bool *in = calloc(s->snapshot.n + 1, sizeof(*in));
    const struct suggest_kind *kind = suggest_kind_of(r->d);
    char name[FIELD_TEXT_MAX], text[40];

    snprintf(text, sizeof(text), "%s", pci_addr_text(r->d->addr).s);
    for (char *c = text; *c; c++)
        if (*c == ':' || *c == '.')
            *c = '-';
    for (size_t i = 0; in && i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        in[i] = goes_along(r, other);
        if (in[i])
            fprintf(f, "# %s%s (driver %s)\n", other == r ? "" : "together with ",
                    other == r ? row_name(r, name) : pci_addr_text(other->d->addr).s,
                    *other->driver ? other->driver : "none");
    }
    if (!in)
        return;
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (in[i])
            write_use(s->snapshot.devices + i, f);
    fprintf(f, kind->together ? "#[device %s]\n" : "#[device %s-%s]\n", kind->name, text);
    rule_text_ids(s, in, "#", f);
    if (!kind->together) {
        rule_text_places(s, in, FIELD_ADDRESS, "#", f);
        rule_text_expect(s, in, "#", f);
    }
    fputc('\n', f);
}

static void write_alternatives(const struct source *s, FILE *f)
{
    bool any = false;

    for (size_t k = 0; k < n_suggest_kinds; k++) {
        const struct suggest_kind *kind = &suggest_kinds[k];
        bool any_of_kind = false;
        for (size_t i = 0; kind->name && i < s->snapshot.n; i++) {
            const struct row *r = &s->rows[i];
            if (suggest_kind_of(r->d) != kind || is_part_of_gpu(s, r) || is_written(s, r))
                continue;
            if (!any)
                write_wrapped_comment("The following devices stay with this host. Uncomment the "
                                      "rules of those that it does not need.\n",
                                      f);
            if (!any_of_kind)
                write_wrapped_comment(kind->about, f);
            any = any_of_kind = true;
            write_alternative(s, r, f);
        }
    }
}

/* A serial number also stays when a card is added, unlike an address. A report has others in place
 * of the real ones. */
static enum field key_of_model(const struct source *s, const bool *in)
{
    enum field key = rule_text_key(s, in);

    return key == FIELD_ADDRESS && !s->replayed && rule_text_distinguishes(s, in, FIELD_SERIAL)
               ? FIELD_SERIAL
               : key;
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
    ret->key = key_of_model(s, ret->all);
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
    size_t rules = 0;

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
    write_alternatives(s, f);
}

int verb_suggest(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    fputs("# Suggested by vfio-bindctl for the devices of this host. To use it, put the rules that "
          "you\n"
          "# want into /etc/vfio-bindd.conf (vfio-bindctl edit), and check their effect with\n"
          "# \"vfio-bindctl plan --policy FILE\". All keys: vfio-bindd.conf(5).\n\n",
          stdout);
    suggest_write(&s, false, stdout);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : ctl_errno(-EIO);
}
