/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/rule-text.h"

#include <ctype.h>
#include <pci/pci.h>

#include "device-ids.h"
#include "edit/relatives.h"

#define LINE_ROOM 3500 /* a line of the policy holds 4096 bytes */

/* -- telling identical devices apart -- */

/* Does every other device of the model have a different value of this field? */
static bool is_distinct(const struct source *s, const struct row *r, enum field field)
{
    char mine[FIELD_TEXT_MAX], theirs[FIELD_TEXT_MAX];
    const char *value = field_text(r, field, mine);

    if (!value || strpbrk(value, ",;#*?[]!\\") || *value == ' ')
        return false;
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        const char *text =
            other != r && is_same_model(other, r) ? field_text(other, field, theirs) : NULL;
        if (text && streq(text, value))
            return false;
    }
    return true;
}

bool rule_text_distinguishes(const struct source *s, const bool *in, enum field field)
{
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (in[i] && !is_distinct(s, &s->rows[i], field))
            return false;
    return true;
}

enum field rule_text_key(const struct source *s, const bool *in)
{
    return rule_text_distinguishes(s, in, FIELD_SLOT) ? FIELD_SLOT : FIELD_ADDRESS;
}

const char *rule_text_key_name(enum field key)
{
    return rule_key_name(key == FIELD_SLOT     ? KEY_SLOT
                         : key == FIELD_SERIAL ? KEY_SERIAL
                                               : KEY_ADDRESS);
}

/* -- values -- */

void rule_text_ids(const struct source *s, const bool *in, const char *hash, FILE *f)
{
    CLEANUP_FREE char *ids = ids_of_marked(&s->snapshot, in);

    fprintf(f, "%sid = %s\n", hash, ids ? ids : "");
}

/* The number of chosen functions in the slot; 0 if another function of a chosen model is not
 * chosen. */
static size_t chosen_of_slot(const struct source *s, const bool *in, size_t at)
{
    size_t n = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (!pci_addr_same_slot(s->rows[i].d->addr, s->rows[at].d->addr))
            continue;
        n += in[i];
        for (size_t k = 0; !in[i] && k < s->snapshot.n; k++)
            if (in[k] && is_same_model(&s->rows[i], &s->rows[k]))
                return 0;
    }
    return n;
}

/* Was the slot already written with an earlier function? */
static bool is_slot_written(const struct source *s, const bool *in, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (in[i] && pci_addr_same_slot(s->rows[i].d->addr, s->rows[at].d->addr))
            return true;
    return false;
}

void rule_text_places(const struct source *s, const bool *in, enum field key, const char *hash,
                      FILE *f)
{
    char value[FIELD_TEXT_MAX];
    size_t used = 0;

    fprintf(f, "%s%s = ", hash, rule_text_key_name(key));
    for (size_t i = 0; i < s->snapshot.n && used < LINE_ROOM; i++) {
        if (!in[i])
            continue;
        bool whole = key == FIELD_ADDRESS && chosen_of_slot(s, in, i) > 1;
        if (whole && is_slot_written(s, in, i))
            continue;
        const char *text = field_text(&s->rows[i], key, value);
        if (whole)
            used += (size_t)fprintf(f, "%s%.*s.*", used ? ", " : "",
                                    (int)(strrchr(text, '.') - text), text);
        else
            used += (size_t)fprintf(f, "%s%s", used ? ", " : "", text);
    }
    fputc('\n', f);
}

void rule_text_expect(const struct source *s, const bool *in, const char *hash, FILE *f)
{
    size_t n = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (in[i] && s->rows[i].d->vf)
            return;
        n += in[i];
    }
    fprintf(f, "%sexpect = %zu\n", hash, n);
}

/* -- names -- */

static const char *kind_name(const struct row *r)
{
    switch (r->d->class_code >> 16) {
    case PCI_BASE_CLASS_DISPLAY:
        return "gpu";
    case PCI_BASE_CLASS_NETWORK:
        return "nic";
    case PCI_BASE_CLASS_STORAGE:
        return "disk";
    case 0x12: /* processing accelerators */
        return "accelerator";
    default:
        return "device";
    }
}

void rule_text_name(const struct row *r, char buf[static RULE_TEXT_NAME_MAX])
{
    const char *open = r->name ? strchr(r->name, '[') : NULL;
    const char *from = open ? open + 1 : r->name ? r->name : "";
    size_t n = 0;

    for (; *from && *from != ']' && *from != '/' && n < 32; from++) {
        if (isalnum((unsigned char)*from))
            buf[n++] = (char)tolower((unsigned char)*from);
        else if (n > 0 && buf[n - 1] != '-')
            buf[n++] = '-';
    }
    buf[n] = '\0';
    const char *dash = strrchr(buf, '-');
    if (n == 32 && isalnum((unsigned char)*from) && dash) /* within a word */
        n = (size_t)(dash - buf);
    while (n > 0 && buf[n - 1] == '-')
        n--;
    buf[n] = '\0';
    if (n == 0)
        snprintf(buf, RULE_TEXT_NAME_MAX, "%s-%04x-%04x", kind_name(r), r->d->vendor, r->d->device);
}

/* -- the IOMMU group -- */

void rule_text_neighbours(const struct source *s, const bool *in, const bool *named, FILE *f)
{
    const struct row *stranger = NULL, *blocker = NULL;
    char text[FIELD_TEXT_MAX];

    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (in[i] && !stranger)
            stranger = stranger_in_group(s, &s->rows[i], named);
        if (in[i] && !blocker)
            blocker = blocker_in_group(s, &s->rows[i]);
    }
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
}
