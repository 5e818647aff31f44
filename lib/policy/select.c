/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/select.h"

#include <ctype.h>

/* The next item of a comma list, trimmed, in place; NULL at the end. */
static char *next_item(char **rest)
{
    char *item = strsep(rest, ",");

    if (!item)
        return NULL;
    while (is_blank(*item))
        item++;
    for (size_t n = strlen(item); n > 0 && is_blank(item[n - 1]); n--)
        item[n - 1] = '\0';
    return item;
}

static bool parse_hex16(const char *s, uint16_t *ret)
{
    if (strspn(s, "0123456789abcdefABCDEF") != 4 || s[4])
        return false;
    *ret = (uint16_t)strtoul(s, NULL, 16);
    return true;
}

bool policy_parse_id(const char *text, struct id_pattern *ret)
{
    char vendor[5] = "";
    const char *colon = strchr(text, ':');

    if (!colon || colon - text != 4)
        return false;
    memcpy(vendor, text, 4);
    *ret = (struct id_pattern){.any_device = streq(colon + 1, "*")};
    return parse_hex16(vendor, &ret->vendor) &&
           (ret->any_device || parse_hex16(colon + 1, &ret->device));
}

/* A guess what a malformed ID was meant to be, or "". */
static const char *id_guess(const char *text, char *buf, size_t size)
{
    unsigned vendor, device;
    char rest;

    if (sscanf(text, "%x:%x%c", &vendor, &device, &rest) == 2 && vendor <= 0xffff &&
        device <= 0xffff)
        snprintf(buf, size, "; did you mean %04x:%04x?", vendor, device);
    else
        buf[0] = '\0';
    return buf;
}

static void error_in_id(const struct key_context *c, const char *key, const char *item)
{
    struct pci_addr address;
    char guess[40];

    if (item[0] == '!')
        policy_error(c,
                     "%s = %s: IDs cannot be negated: to exclude devices, put a rule before this "
                     "one with \"driver = native\"",
                     key, item);
    else if (pci_addr_parse(item, &address) == 0)
        policy_error(c, "%s = %s is an address: write \"address = %s\"", key, item,
                     pci_addr_text(address).s);
    else
        policy_error(c,
                     "%s = %s: write VENDOR:DEVICE, four hex digits each, like 10de:20f1, or "
                     "10de:* for any device of a vendor%s",
                     key, item, id_guess(item, guess, sizeof(guess)));
}

bool policy_set_ids(const struct key_context *c, struct rule *r, const char *value)
{
    CLEANUP_FREE char *copy = strdup(value);
    struct id_pattern *ids = NULL;
    size_t n = 0, allocated = 0;
    bool good = copy != NULL;
    char *rest = copy, *item;

    while (copy && (item = next_item(&rest))) {
        struct id_pattern id;
        if (!policy_parse_id(item, &id)) {
            error_in_id(c, "id", item);
            good = false;
        } else if (grow(&ids, &allocated, n, sizeof(*ids))) {
            ids[n++] = id;
        } else {
            good = false;
        }
    }
    free(r->ids);
    r->ids = ids;
    r->n_ids = n;
    return good;
}

static bool is_glob(const char *s)
{
    return strpbrk(s, "*?[") != NULL;
}

/* Does it consist of these characters, and is each bracket closed? fnmatch() takes one that is not
 * for an ordinary character, which none of these values has. */
static bool is_glob_of(const char *s, const char *characters)
{
    if (s[strspn(s, characters)] != '\0')
        return false;
    while ((s = strchr(s, '['))) {
        s += strspn(s + 1, "!") > 0 ? 2 : 1;
        s = *s ? strchr(s + 1, ']') : NULL; /* a ']' that comes first stands for itself */
        if (!s)
            return false;
    }
    return true;
}

/* Each of these functions checks one pattern of a key, without its '!', and normalizes it for
 * comparison. Returns false if it can never match. *item, which is malloc'ed, may be replaced. */
static bool normal_address(char **item)
{
    struct pci_addr a;

    const char *colon = strchr(*item, ':');
    char *text;

    if (is_glob(*item)) {
        if (!is_glob_of(*item, "0123456789abcdef:.*?[]-!"))
            return false;
        if (!colon || strchr(colon + 1, ':') || colon - *item > 2)
            return true;
        if (asprintf(&text, "0000:%s", *item) < 0) /* the short form */
            return false;
    } else {
        if (pci_addr_parse(*item, &a) < 0)
            return false;
        text = strdup(pci_addr_text(a).s);
    }
    if (!text)
        return false;
    free(*item);
    *item = text;
    return true;
}

static bool normal_slot(char **item)
{
    return **item != '\0';
}

/* The physical function, by its address or by the name of its slot, which has no colon. Case
 * matters only in the name. */
static bool normal_physical_function(char **item)
{
    if (!strchr(*item, ':'))
        return normal_slot(item);
    for (char *s = *item; *s; s++)
        *s = (char)tolower((unsigned char)*s);
    return normal_address(item);
}

/* "3" or "0-7", in decimal. */
static bool normal_index(char **item)
{
    const char *s = *item;
    unsigned long first = VFS_MAX, last;
    char *end;

    if (isdigit((unsigned char)*s))
        first = strtoul(s, &end, 10);
    if (first >= VFS_MAX)
        return false;
    last = first;
    if (*end == '-' && isdigit((unsigned char)end[1]))
        last = strtoul(end + 1, &end, 10);
    if (*end || last < first || last >= VFS_MAX)
        return false;
    char *text;
    if (asprintf(&text, "%lu-%lu", first, last) < 0)
        return false;
    free(*item);
    *item = text;
    return true;
}

/* lspci writes 48-b0-2d-ff-ff-12-34-56; colons are accepted, too. */
static bool normal_serial(char **item)
{
    for (char *s = *item; *s; s++)
        if (*s == ':')
            *s = '-';
    if (is_glob(*item))
        return is_glob_of(*item, "0123456789abcdef-*?[]!");
    for (size_t i = 0; i < 23; i++)
        if (i % 3 == 2 ? (*item)[i] != '-' : !isxdigit((unsigned char)(*item)[i]))
            return false;
    return (*item)[23] == '\0';
}

/* A class may be abbreviated at its end: 03 is any display controller. */
static bool normal_class(char **item)
{
    size_t n = strlen(*item);

    if (n < 2 || n > 6 || (*item)[strspn(*item, "0123456789abcdef?*")] != '\0')
        return false;
    if (n == 6 || strchr(*item, '*'))
        return true;
    char *text;
    if (asprintf(&text, "%s*", *item) < 0)
        return false;
    free(*item);
    *item = text;
    return true;
}

static bool normal_subsystem(char **item)
{
    struct id_pattern id;

    if (is_glob(*item))
        return is_glob_of(*item, "0123456789abcdef:*?[]-!");
    return policy_parse_id(*item, &id);
}

static const struct {
    bool (*normalise)(char **item);
    bool keep_case;
    const char *advice;
} narrowing[KEY_SELECTS_MAX] = {
    [KEY_CLASS] = {normal_class, false, "write 2 to 6 hex digits, like 03 or 0302"},
    [KEY_SUBSYSTEM] = {normal_subsystem, false, "write VENDOR:DEVICE, like 10de:1463"},
    [KEY_ADDRESS] = {normal_address, false,
                     "write an address as lspci -D shows it, like "
                     "0000:06:00.0, or a glob like 0000:06:*"},
    [KEY_SLOT] = {normal_slot, true, "write a name from /sys/bus/pci/slots"},
    [KEY_VF_OF] = {normal_physical_function, true,
                   "write the address of the physical function, like 0000:3b:00.0, or the name of "
                   "its slot"},
    [KEY_VF_INDEX] = {normal_index, true,
                      "write numbers and ranges of virtual functions, counted from 0, like 0-3, 6"},
    [KEY_SERIAL] = {normal_serial, false,
                    "write it as lspci -vv shows it (Device Serial Number), "
                    "like 48-b0-2d-ff-ff-12-34-56"},
};

static bool add_pattern(struct patterns *p, size_t *allocated, bool negated, const char *text)
{
    char *s;

    if (!grow(&p->v, allocated, p->n, sizeof(*p->v)) ||
        asprintf(&s, "%s%s", negated ? "!" : "", text) < 0)
        return false;
    p->v[p->n++] = s;
    return true;
}

static void patterns_clear(struct patterns *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->v[i]);
    free(p->v);
    *p = (struct patterns){0};
}

/* Messages are sent on the bus and end up in bug reports; serial numbers must not. */
static void report_item(const struct key_context *c, enum rule_key key, const char *item)
{
    if (key == KEY_SERIAL)
        policy_error(c, "%s: %s", rule_key_name(key), narrowing[key].advice);
    else
        policy_error(c, "%s = %s: %s", rule_key_name(key), item, narrowing[key].advice);
}

bool policy_set_patterns(const struct key_context *c, struct rule *r, enum rule_key key,
                         const char *value)
{
    CLEANUP_FREE char *copy = strdup(value);
    size_t allocated = 0;
    bool good = copy != NULL;
    char *rest = copy, *item;

    patterns_clear(&r->narrow[key]);
    while (copy && (item = next_item(&rest))) {
        bool negated = item[0] == '!';
        CLEANUP_FREE char *text = strdup(item + negated + strspn(item + negated, " \t"));
        for (char *s = text; s && *s && !narrowing[key].keep_case; s++)
            *s = (char)tolower((unsigned char)*s);
        if (!text || text[0] == '!' || !narrowing[key].normalise(&text)) {
            report_item(c, key, *item ? item : "(empty item)");
            good = false;
        } else if (!add_pattern(&r->narrow[key], &allocated, negated, text)) {
            good = false;
        }
    }
    return good;
}
