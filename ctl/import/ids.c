/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/ids.h"

#define ANY 0xffffffffU
#define LIST_MAX 1023 /* the kernel's buffer has one byte more */

enum { VENDOR, DEVICE, SUBVENDOR, SUBDEVICE, CLASS, MASK, FIELDS };

/* Reads as many fields as there are; the rest after the last one is ignored, as in the kernel. */
static int read_fields(const char *item, uint32_t fields[static FIELDS], const char **ret_rest)
{
    int n = 0;

    while (n < FIELDS) {
        const char *digits = item + (item[0] == '0' && (item[1] == 'x' || item[1] == 'X') ? 2 : 0);
        size_t length = strspn(digits, "0123456789abcdefABCDEF");
        if (length == 0 || length > 8)
            break;
        fields[n++] = (uint32_t)strtoul(digits, NULL, 16);
        item = digits + length;
        if (*item != ':' || n == FIELDS)
            break;
        item++;
    }
    *ret_rest = item;
    return n;
}

static bool no_device_has(const uint32_t fields[static FIELDS])
{
    for (int i = VENDOR; i <= SUBDEVICE; i++)
        if (fields[i] > 0xffff && fields[i] != ANY)
            return true;
    return (fields[CLASS] & fields[MASK]) >> 24 != 0;
}

/* Converts a class to the form of the policy: a digit if the mask has all of its bits, '?' if it
 * has none, nothing after the last digit. Returns false if the mask has some bits of a digit. */
static bool set_class(uint32_t class, uint32_t mask, struct selection *ret)
{
    bool whole = true;
    size_t n = 0;

    for (int i = 0; i < 6; i++) {
        unsigned digit = class >> (20 - 4 * i) & 0xf, bits = mask >> (20 - 4 * i) & 0xf;
        ret->class[i] = bits == 0xf ? "0123456789abcdef"[digit] : '?';
        whole = whole && (bits == 0xf || bits == 0);
        n = bits == 0xf ? (size_t)i + 1 : n;
    }
    ret->class[n == 0 ? 0 : n < 2 ? 2 : n] = '\0';
    return whole;
}

static void set_subsystem(const uint32_t fields[static FIELDS], struct selection *ret)
{
    if (fields[SUBVENDOR] != ANY && fields[SUBDEVICE] != ANY)
        snprintf(ret->subsystem, sizeof(ret->subsystem), "%04x:%04x", fields[SUBVENDOR] & 0xffff,
                 fields[SUBDEVICE] & 0xffff);
    else if (fields[SUBVENDOR] != ANY)
        snprintf(ret->subsystem, sizeof(ret->subsystem), "%04x:*", fields[SUBVENDOR] & 0xffff);
    else if (fields[SUBDEVICE] != ANY)
        snprintf(ret->subsystem, sizeof(ret->subsystem), "*:%04x", fields[SUBDEVICE] & 0xffff);
}

int ids_parse(const char *item, const char *driver, struct selection *ret, const char **ret_lost)
{
    uint32_t fields[FIELDS] = {ANY, ANY, ANY, ANY, 0, 0};
    struct selection s = {.id = ""};
    const char *rest;
    int n = read_fields(item, fields, &rest);

    *ret_lost = NULL;
    if (strchr(item, '$')) {
        *ret_lost = "has a variable whose value is unknown here";
        return -ENOTSUP;
    }
    if (n < 2) {
        *ret_lost = "is not VENDOR:DEVICE, and the kernel ignores it";
        return -EINVAL;
    }
    if (no_device_has(fields)) {
        *ret_lost = "has a number that no device can have";
        return -EINVAL;
    }
    snprintf(s.driver, sizeof(s.driver), "%s", driver);
    if (fields[VENDOR] != ANY && fields[DEVICE] != ANY)
        snprintf(s.id, sizeof(s.id), "%04x:%04x", fields[VENDOR] & 0xffff, fields[DEVICE] & 0xffff);
    else if (fields[VENDOR] != ANY)
        snprintf(s.id, sizeof(s.id), "%04x:*", fields[VENDOR] & 0xffff);
    set_subsystem(fields, &s);
    if (!set_class(fields[CLASS], fields[MASK], &s))
        *ret_lost = "has a mask that divides a hexadecimal digit of the class: the rule takes any "
                    "value of this digit";
    else if (n > CLASS && fields[CLASS] != 0 && fields[MASK] == 0)
        *ret_lost = "has a class without a mask, which the kernel ignores";
    else if (*rest)
        *ret_lost = "is followed by something that the kernel ignores";
    if (fields[VENDOR] == ANY && (fields[DEVICE] != ANY || (!*s.class && !*s.subsystem))) {
        *ret_lost =
            "means devices of any vendor, which a rule can only express by class or subsystem";
        return -ENOTSUP;
    }
    *ret = s;
    return 0;
}

bool ids_are_sayable(const char *list)
{
    CLEANUP_FREE char *copy = strdup(list);
    char *rest = copy, *item;
    bool all = copy != NULL;

    while ((item = strsep(&rest, ","))) {
        struct selection s;
        const char *lost;
        all = all && ids_parse(item, "vfio-pci", &s, &lost) != -ENOTSUP;
    }
    return all;
}

/* -- claims -- */

static void claim_item(struct found *f, const char *item, const struct ids_place *p)
{
    struct selection s;
    const char *lost;
    int r = ids_parse(item, p->module, &s, &lost);

    if (lost)
        found_remark(f, p->path, p->line, "\"%s\" %s%s", item, lost,
                     r < 0 ? ": no rule is made from it" : "");
    if (r < 0)
        return;
    if (p->only_known && !found_is_claimed(f, &s))
        found_remark(f, p->path, p->line,
                     "\"%s\" is not in effect: the running kernel's command line does not have it, "
                     "and no rule is made from it",
                     item);
    else
        found_claim(f, &s, p->path, p->line, p->what);
}

void ids_claim(struct found *f, const char *list, const struct ids_place *p)
{
    CLEANUP_FREE char *copy = strdup(list);
    char *rest = copy, *item;

    if (!copy) {
        f->tree.failed = true;
        return;
    }
    if (strlen(list) > LIST_MAX) {
        found_remark(f, p->path, p->line,
                     "the list of IDs has more than %d characters: the kernel "
                     "refuses it whole",
                     LIST_MAX);
        return;
    }
    while ((item = strsep(&rest, ",")))
        if (*item)
            claim_item(f, item, p);
}

/* -- lines -- */

const char *const ids_modules[IDS_MODULES] = {"vfio-pci", "pci-stub"};
const char *const ids_spellings[IDS_MODULES] = {"vfio[-_]pci", "pci[-_]stub"};

bool ids_same_module(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
            return false;
    return *a == *b;
}

/* Returns what follows MODULE.ids= at the beginning of a parameter; its name may have '-' or
 * '_'. */
static const char *next_list(const char *line, const char *from, const char *module)
{
    size_t n = strlen(module);
    char name[16];

    for (const char *at = from; (at = strstr(at, ".ids=")); at++) {
        const char *start = at - n;
        if (at - line < (ptrdiff_t)n || (start > line && !strchr(" \t\"'=", start[-1])))
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)n, start);
        if (ids_same_module(name, module))
            return at + strlen(".ids=");
    }
    return NULL;
}

/* Can a command remove the list, which ends where the characters of a list end? */
static bool is_plain(const char *value)
{
    const char *end = value + strspn(value, "0123456789abcdefABCDEFxX:,");

    if (!strchr(" \t\"'", *end))
        return false;
    /* A quote directly after '=' at which the value ends is the end of a quoted text around it. */
    return end > value || !*end || is_blank(*end) || strchr(" \t\"'", end[1]);
}

bool ids_find(const char *line, const char *module, struct ids_found *ret)
{
    const char *found = NULL;

    *ret = (struct ids_found){.plain = true};
    for (const char *at = line; (at = next_list(line, at, module));) {
        found = at;
        ret->plain = ret->plain && is_plain(at);
    }
    if (!found)
        return false;
    size_t quotes = strspn(found, "\\\"'");
    size_t n = strcspn(found + quotes, " \t\\\"'");
    snprintf(ret->value, sizeof(ret->value), "%.*s", (int)n, found + quotes);
    return true;
}
