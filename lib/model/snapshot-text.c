/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot-text.h"

#include <ctype.h>
#include <stddef.h>

#include "base/util.h"

/* -- the details of a device -- */

static const char *const outlooks[OUTLOOK_MAX] = {
    [OUTLOOK_AWAITED] = "awaited",
    [OUTLOOK_AT_BIND] = "at-bind",
    [OUTLOOK_NO_DRIVER] = "no-driver",
};

/* Most details are of one of three kinds. Values that are false, 0 or NULL are not written. */
enum form { FORM_FLAG, FORM_COUNT, FORM_TEXT };

/* Derived from the type of the field; fields of other types do not compile. */
#define FORM_OF(field) \
    _Generic(((struct device *)NULL)->field, bool                 \
             : FORM_FLAG, uint16_t                                \
             : FORM_COUNT, char *                                 \
             : FORM_TEXT, const char *                            \
             : FORM_TEXT)
#define DETAIL(word, field)                                  \
    {                                                        \
        word, FORM_OF(field), offsetof(struct device, field) \
    }

static const struct detail {
    const char *word;
    enum form form;
    size_t at; /* offset in struct device */
} details[] = {
    DETAIL("bridge", bridge),
    DETAIL("vf", vf),
    DETAIL("has-vfs", has_vfs),
    DETAIL("vfs-max", vfs_max),
    DETAIL("vfs", n_vfs),
    DETAIL("autoprobe-off", autoprobe_off),
    DETAIL("boot-display", boot_display),
    DETAIL("node", node),
    DETAIL("noiommu", noiommu),
    DETAIL("fixed", fixed),
    DETAIL("bars-read", bars_read),
    DETAIL("unassigned", unassigned),
    DETAIL("serial-unread", serial_unread),
    DETAIL("driver", driver),
    DETAIL("pf-slot", pf_slot),
    DETAIL("slot", slot),
    DETAIL("serial", serial),
    DETAIL("use", use),
    DETAIL("evidence", evidence),
    DETAIL("claimant", claimant),
    DETAIL("module", module),
    DETAIL("variant", variant),
    DETAIL("cdev", cdev),
};

static bool has_detail(const struct detail *t, const struct device *d)
{
    const void *value = (const char *)d + t->at;

    return t->form == FORM_FLAG    ? *(const bool *)value
           : t->form == FORM_COUNT ? *(const uint16_t *)value > 0
                                   : *(const char *const *)value != NULL;
}

static bool has_pf(const struct device *d)
{
    return pci_addr_cmp(d->pf, (struct pci_addr){0}) != 0;
}

static bool has_details(const struct device *d)
{
    bool any = d->group != NO_GROUP || d->iommu != OUTLOOK_NONE || has_pf(d) || d->vf_number > 0;

    for (size_t i = 0; !any && i < ELEMENTS(details); i++)
        any = has_detail(&details[i], d);
    return any;
}

/* -- writing -- */

/* Slot names come from firmware: characters that would break the format are written as %XX. */
static void write_escaped(FILE *f, const char *value)
{
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        fprintf(f, *c <= ' ' || *c == '%' || *c >= 0x7f ? "%%%02x" : "%c", *c);
}

static void write_detail(const struct detail *t, const struct device *d, FILE *f)
{
    const void *value = (const char *)d + t->at;

    fprintf(f, " %s=", t->word);
    if (t->form == FORM_TEXT)
        write_escaped(f, *(const char *const *)value);
    else
        fprintf(f, "%u", t->form == FORM_FLAG ? 1U : *(const uint16_t *)value);
}

static void write_details(const struct device *d, FILE *f)
{
    fputs(" detailed=1", f);
    if (d->group != NO_GROUP)
        fprintf(f, " group=%u", d->group);
    if (d->iommu != OUTLOOK_NONE)
        fprintf(f, " iommu=%s", outlooks[d->iommu]);
    if (has_pf(d))
        fprintf(f, " pf=%s", pci_addr_text(d->pf).s);
    if (d->vf_number > 0)
        fprintf(f, " vf-index=%u", d->vf_number - 1U);
    for (size_t i = 0; i < ELEMENTS(details); i++)
        if (has_detail(&details[i], d))
            write_detail(&details[i], d, f);
}

static void write_registered(const struct registered *r, FILE *f)
{
    fprintf(f, "registered %s", r->name);
    if (r->order)
        fprintf(f, " order=%llu", (unsigned long long)r->order);
    fputc('\n', f);
}

static void write_unknown(const struct unknown *u, FILE *f)
{
    if (u->fact != FACT_NONE)
        fprintf(f, " unknown=%s:%d", fact_word(u->fact), u->error);
}

static void write_device(const struct device *d, FILE *f)
{
    fprintf(f, "device %s id=%04x:%04x subsystem=%04x:%04x class=%06x", pci_addr_text(d->addr).s,
            d->vendor, d->device, d->subvendor, d->subdevice, d->class_code);
    write_unknown(&d->unknown, f);
    fputs(d->unidentified ? " unidentified=1" : "", f);
    if (d->detailed)
        write_details(d, f);
    fputc('\n', f);
}

int snapshot_write(const struct snapshot *s, FILE *f)
{
    fprintf(f, "snapshot cold-boot=%d unsafe-noiommu=%d", s->cold_boot, s->unsafe_noiommu);
    fputs(s->iommufd ? " iommufd=1" : "", f);
    fputs(s->device_nodes ? " device-nodes=1" : "", f);
    fputs(s->unremapped ? " unremapped=1" : "", f);
    write_unknown(&s->unknown, f);
    fputc('\n', f);
    for (size_t i = 0; i < s->n_registered; i++)
        write_registered(&s->registered[i], f);
    for (size_t i = 0; i < s->n; i++)
        write_device(&s->devices[i], f);
    return ferror(f) ? -EIO : 0;
}

/* -- reading -- */

static bool read_text(const char *value, char **ret)
{
    char *s = malloc(strlen(value) + 1), *t = s;

    if (!s)
        return false;
    for (; *value; value++) {
        unsigned c;
        if (*value == '%' && sscanf(value + 1, "%2x", &c) == 1 && c && value[1] && value[2]) {
            *t++ = (char)c;
            value += 2;
        } else {
            *t++ = *value;
        }
    }
    *t = '\0';
    free(*ret);
    *ret = s;
    return true;
}

static bool read_flag(const char *value, bool *ret)
{
    *ret = streq(value, "1");
    return *ret || streq(value, "0");
}

static bool parse_outlook(const char *value, enum outlook *ret)
{
    int i = word_index(outlooks, OUTLOOK_MAX, value);

    if (i < 0)
        return false;
    *ret = (enum outlook)i;
    return true;
}

static bool parse_ids(const char *value, uint16_t *first, uint16_t *second)
{
    unsigned a, b;
    int n = 0;

    if (sscanf(value, "%4x:%4x%n", &a, &b, &n) != 2 || n != 9 || value[n])
        return false;
    *first = (uint16_t)a;
    *second = (uint16_t)b;
    return true;
}

static bool parse_number(const char *value, int base, uint32_t max, uint32_t *ret)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(value, &end, base);
    if (value[strspn(value, "0123456789abcdef")] || !*value || *end || errno || n > max)
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* "driver:24" */
static bool read_unknown(char *value, struct unknown *ret)
{
    char *number = strchr(value, ':');
    uint32_t error;

    if (!number)
        return false;
    *number++ = '\0';
    for (enum fact f = FACT_NONE + 1; f < FACT_MAX; f++)
        if (streq(value, fact_word(f)) && parse_number(number, 10, 4095, &error) && error > 0) {
            *ret = (struct unknown){f, (int)error};
            return true;
        }
    return false;
}

static bool read_count(const char *value, uint16_t first, uint16_t *ret)
{
    uint32_t n;

    if (!parse_number(value, 10, UINT16_MAX - 1, &n))
        return false;
    *ret = (uint16_t)(n + first);
    return true;
}

static bool read_detail(const char *word, const char *value, struct device *d)
{
    for (size_t i = 0; i < ELEMENTS(details); i++) {
        void *field = (char *)d + details[i].at;
        if (streq(word, details[i].word))
            return details[i].form == FORM_FLAG    ? read_flag(value, field)
                   : details[i].form == FORM_COUNT ? read_count(value, 0, field)
                                                   : read_text(value, field);
    }
    return false;
}

/* Reads one KEY=VALUE of a device line. */
static bool read_word(char *word, struct device *d)
{
    char *value = strchr(word, '=');

    if (!value)
        return false;
    *value++ = '\0';
    if (streq(word, "id"))
        return parse_ids(value, &d->vendor, &d->device);
    if (streq(word, "subsystem"))
        return parse_ids(value, &d->subvendor, &d->subdevice);
    if (streq(word, "class"))
        return strlen(value) == 6 && parse_number(value, 16, 0xffffff, &d->class_code);
    if (streq(word, "unknown"))
        return read_unknown(value, &d->unknown);
    if (streq(word, "unidentified"))
        return read_flag(value, &d->unidentified);
    if (streq(word, "detailed"))
        return read_flag(value, &d->detailed);
    if (streq(word, "group"))
        return parse_number(value, 10, NO_GROUP - 1, &d->group);
    if (streq(word, "iommu"))
        return parse_outlook(value, &d->iommu);
    if (streq(word, "pf"))
        return pci_addr_parse(value, &d->pf) == 0;
    if (streq(word, "vf-index"))
        return read_count(value, 1, &d->vf_number);
    return read_detail(word, value, d);
}

/* The driver's name is owned by this device here; the snapshot makes its own copy. */
static int read_device(struct snapshot *s, char *words)
{
    struct device d = {.group = NO_GROUP};
    bool good = pci_addr_parse(strsep(&words, " "), &d.addr) == 0;
    char *word;
    int r = -EINVAL;

    while (good && (word = strsep(&words, " ")))
        good = !*word || read_word(word, &d);
    if (good && (d.detailed || !has_details(&d)))
        r = snapshot_put(s, &d);
    else
        device_done(&d);
    free((char *)d.driver);
    return r;
}

static int read_head(struct snapshot *s, char *words)
{
    char *save = NULL;

    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        const char *value;
        bool good = false;
        if ((value = after_prefix(w, "cold-boot=")))
            good = read_flag(value, &s->cold_boot);
        else if ((value = after_prefix(w, "unsafe-noiommu=")))
            good = read_flag(value, &s->unsafe_noiommu);
        else if ((value = after_prefix(w, "iommufd=")))
            good = read_flag(value, &s->iommufd);
        else if ((value = after_prefix(w, "device-nodes=")))
            good = read_flag(value, &s->device_nodes);
        else if ((value = after_prefix(w, "unremapped=")))
            good = read_flag(value, &s->unremapped);
        else if ((value = after_prefix(w, "unknown=")))
            good = read_unknown(w + (value - w), &s->unknown);
        if (!good)
            return -EINVAL;
    }
    return 0;
}

static int read_registered(struct snapshot *s, char *words)
{
    static char nothing[] = "";
    char *order = strchr(words, ' '), *end = nothing;
    unsigned long long n = 0;

    errno = 0;
    if (order) {
        *order++ = '\0';
        const char *value = after_prefix(order, "order=");
        if (!value || !isdigit((unsigned char)*value))
            return -EINVAL;
        n = strtoull(value, &end, 10);
    }
    return !*words || *end || errno ? -EINVAL : snapshot_add_registered(s, words, n);
}

int snapshot_read(struct snapshot *s, const char *text, unsigned *ret_line)
{
    CLEANUP_FREE char *copy = strdup(text);
    char *rest = copy, *line;

    if (!copy)
        return -ENOMEM;
    for (unsigned n = 1; (line = strsep(&rest, "\n")); n++) {
        int r = -EINVAL;
        if (!*line || *line == '#')
            r = 0;
        else if (after_prefix(line, "snapshot "))
            r = read_head(s, line + strlen("snapshot "));
        else if (after_prefix(line, "registered "))
            r = read_registered(s, line + strlen("registered "));
        else if (after_prefix(line, "device "))
            r = read_device(s, line + strlen("device "));
        if (r < 0) {
            *ret_line = n;
            return r;
        }
    }
    return 0;
}
