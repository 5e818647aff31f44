/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/udev-rule.h"

#include <errno.h>
#include <fnmatch.h>

#include "base/util.h"

/* -- reading -- */

/* A key ends before its operator; text in braces belongs to the key. */
static char *end_of_key(char *at)
{
    for (; *at && !strchr("=!+-:", *at); at++) {
        char *close = *at == '{' ? strchr(at, '}') : NULL;
        at = close ? close : at;
    }
    return at;
}

static char *end_of_value(char *at)
{
    for (; *at && *at != '"'; at++)
        at += *at == '\\' && at[1];
    return at;
}

int udev_next_token(char **rest, struct udev_token *ret)
{
    char *key = *rest + strspn(*rest, " \t,"), *op = end_of_key(key);
    size_t length = strspn(op, "=!+-:");
    char *value = op + length + strspn(op + length, " \t");

    if (!*key)
        return 0;
    value += *value == 'e';
    if (length < 1 || length > 2 || *value != '"')
        return -EINVAL;
    char *end = end_of_value(++value);
    if (!*end)
        return -EINVAL;
    *ret = (struct udev_token){.key = key, .value = value};
    memcpy(ret->op, op, length);
    *end = '\0';
    while (op > key && is_blank(op[-1]))
        op--;
    *op = '\0';
    *rest = end + 1;
    return 1;
}

static bool split(char *value, struct alternatives *ret)
{
    char *item;

    *ret = (struct alternatives){.n = 0};
    while ((item = strsep(&value, "|"))) {
        if (ret->n == ALTERNATIVES_MAX)
            return false;
        ret->v[ret->n++] = item;
    }
    return true;
}

static bool fits_alternative(const char *value, const char *text)
{
    char pattern[64];

    for (const char *at = value;; at++) {
        size_t n = strcspn(at, "|");
        snprintf(pattern, sizeof(pattern), "%.*s", (int)n, at);
        if (fnmatch(pattern, text, 0) == 0)
            return true;
        at += n;
        if (!*at)
            return false;
    }
}

bool udev_excludes_new_pci(const struct udev_token *t)
{
    const char *text = streq(t->key, "SUBSYSTEM") ? "pci" : streq(t->key, "ACTION") ? "add" : NULL;

    if (!text || t->op[1] != '=' || (t->op[0] != '=' && t->op[0] != '!'))
        return false;
    return fits_alternative(t->value, text) == (t->op[0] == '!');
}

/* Conditions that do not depend on which PCI device it is. A condition that a driver or a file is
 * absent does not belong to these. */
static bool is_neutral(const struct udev_token *t)
{
    bool equal = streq(t->op, "==");

    if (streq(t->key, "ACTION"))
        return true;
    if (streq(t->key, "SUBSYSTEM") || streq(t->key, "SUBSYSTEMS"))
        return equal && fits_alternative(t->value, "pci");
    return equal &&
           (streq(t->key, "DRIVER") || streq(t->key, "TEST") || after_prefix(t->key, "TEST{"));
}

static struct alternatives *narrows(struct udev_rule *r, const char *key)
{
    static const char *const keys[] = {"KERNEL",
                                       "ENV{PCI_SLOT_NAME}",
                                       "ATTR{vendor}",
                                       "ATTR{device}",
                                       "ATTR{subsystem_vendor}",
                                       "ATTR{subsystem_device}",
                                       "ATTR{class}",
                                       "ENV{PCI_ID}",
                                       "ENV{PCI_SUBSYS_ID}"};
    struct alternatives *const targets[] = {&r->address, &r->address,   &r->vendor,
                                            &r->device,  &r->subvendor, &r->subdevice,
                                            &r->class,   &r->id,        &r->subsystem};
    int i;

    /* KERNELS and ATTRS also match parents, but the device itself first */
    char word[32];
    snprintf(word, sizeof(word), "%s", key);
    if (streq(key, "KERNELS"))
        word[strlen("KERNEL")] = '\0';
    else if (after_prefix(key, "ATTRS{"))
        snprintf(word, sizeof(word), "ATTR{%s", key + strlen("ATTRS{"));
    i = word_index(keys, ELEMENTS(keys), word);
    r->parents = r->parents || (i >= 0 && !streq(word, key));
    return i < 0 ? NULL : targets[i];
}

/* Reads a command that writes the override, of this device or of another one that it names. */
static void read_command(struct udev_rule *r, const char *text)
{
    static const char folder[] = "/sys/bus/pci/devices/";
    const char *at = strstr(text, "driver_override");

    if (!at || !strstr(text, "vfio-pci"))
        return;
    const char *other = strstr(text, folder);
    r->driver = "vfio-pci";
    if (other && other < at && other[strlen(folder)] != '$' && other[strlen(folder)] != '%')
        r->target = other + strlen(folder);
}

void udev_rule_take(struct udev_rule *r, const struct udev_token *t)
{
    bool equal = streq(t->op, "==");

    if (equal || streq(t->op, "!=")) {
        struct alternatives *a = narrows(r, t->key);
        if (is_neutral(t))
            return;
        if (!equal || !a || a->n > 0 || !split(t->value, a))
            r->foreign = r->foreign ? r->foreign : t->key;
    } else if (streq(t->key, "ATTR{driver_override}")) {
        r->driver = t->value;
    } else if (streq(t->key, "RUN") || after_prefix(t->key, "RUN{")) {
        read_command(r, t->value);
    }
}

/* -- what it selects -- */

/* "0x10de" -> "10de"; "*" stays. Returns false for other patterns. */
static bool hex_word(const char *text, char ret[static 5])
{
    const char *digits = after_prefix(text, "0x") ? text + 2 : text;

    if (streq(text, "*")) {
        snprintf(ret, 5, "*");
        return true;
    }
    if (strspn(digits, "0123456789abcdefABCDEF") != 4 || digits[4])
        return false;
    for (int i = 0; i < 5; i++)
        ret[i] = (char)tolower((unsigned char)digits[i]);
    return true;
}

/* Makes VENDOR:DEVICE from two attributes, one of which may be missing. */
static bool join_words(const char *vendor, const char *device, char *ret, size_t size)
{
    char v[5] = "*", d[5] = "*";

    if ((vendor && !hex_word(vendor, v)) || (device && !hex_word(device, d)))
        return false;
    if (vendor || device)
        snprintf(ret, size, "%s:%s", v, d);
    return true;
}

/* ENV{PCI_ID} and ENV{PCI_SUBSYS_ID} contain both. */
static bool split_words(const char *text, char *ret, size_t size)
{
    char vendor[8] = "";
    const char *colon = strchr(text, ':');

    if (!colon || colon - text > 7)
        return false;
    memcpy(vendor, text, (size_t)(colon - text));
    return join_words(vendor, colon + 1, ret, size);
}

/* "0x030000", "0x0302*", "0x0300??" */
static bool set_udev_class(const char *text, char ret[static 8])
{
    const char *digits = after_prefix(text, "0x");
    size_t n = digits ? strspn(digits, "0123456789abcdef?") : 0;

    if (n < 2 || n > 6 || (digits[n] ? !streq(digits + n, "*") : n < 6))
        return false;
    snprintf(ret, 8, "%.*s", (int)n, digits);
    return true;
}

static const char *chosen_alternative(const struct alternatives *a, size_t i)
{
    return a->n == 0 ? NULL : a->v[i];
}

static size_t count_alternatives(const struct alternatives *a)
{
    return a->n == 0 ? 1 : a->n;
}

/* The patterns in one combination of alternatives. */
struct patterns_chosen {
    const char *address, *vendor, *device, *subvendor, *subdevice, *class, *id, *subsystem;
};

static struct patterns_chosen choose_patterns(const struct udev_rule *r, size_t number)
{
    const struct alternatives *const all[] = {&r->address,   &r->vendor, &r->device, &r->subvendor,
                                              &r->subdevice, &r->class,  &r->id,     &r->subsystem};
    const char *v[ELEMENTS(all)];

    for (size_t i = 0; i < ELEMENTS(all); i++) {
        v[i] = chosen_alternative(all[i], number % count_alternatives(all[i]));
        number /= count_alternatives(all[i]);
    }
    return (struct patterns_chosen){v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
}

/* Can the pattern match a text of this form, as far as it has no wildcards? In the form '#' stands
 * for a digit in lower case, 'X' for one in upper case. */
static bool may_fit(const char *pattern, const char *form)
{
    size_t literal = pattern ? strcspn(pattern, "*?[") : 0;

    for (size_t i = 0; i < literal; i++) {
        const char *digits = form[i] == '#' ? "0123456789abcdef" : "0123456789ABCDEF";
        if (form[i] == '#' || form[i] == 'X' ? !strchr(digits, pattern[i]) : pattern[i] != form[i])
            return false;
    }
    return !pattern || pattern[literal] || form[literal] == '\0';
}

/* Are all patterns spelled like the kernel and udev spell these values? */
static bool may_all_fit(const struct patterns_chosen *p)
{
    return (may_fit(p->address, "####:##:##.#") || may_fit(p->address, "#####:##:##.#")) &&
           may_fit(p->vendor, "0x####") && may_fit(p->device, "0x####") &&
           may_fit(p->subvendor, "0x####") && may_fit(p->subdevice, "0x####") &&
           may_fit(p->class, "0x######") && may_fit(p->id, "XXXX:XXXX") &&
           may_fit(p->subsystem, "XXXX:XXXX");
}

static bool set_udev_address(const char *pattern, struct selection *s)
{
    if (!pattern || streq(pattern, "*"))
        return true;
    if (strlen(pattern) >= sizeof(s->address))
        return false;
    snprintf(s->address, sizeof(s->address), "%s", pattern);
    return true;
}

enum udev_said udev_rule_select(const struct udev_rule *r, size_t number, struct selection *s)
{
    const struct patterns_chosen p = choose_patterns(r, number);

    if (!may_all_fit(&p))
        return UDEV_NEVER;
    if (!set_udev_address(p.address, s) || (p.class && !set_udev_class(p.class, s->class)) ||
        (p.id && !split_words(p.id, s->id, sizeof(s->id))) ||
        (p.subsystem && !split_words(p.subsystem, s->subsystem, sizeof(s->subsystem))) ||
        (!p.id && !join_words(p.vendor, p.device, s->id, sizeof(s->id))) ||
        (!p.subsystem && !join_words(p.subvendor, p.subdevice, s->subsystem, sizeof(s->subsystem))))
        return UDEV_UNSAYABLE;
    if (streq(s->id, "*:*"))
        s->id[0] = '\0';
    return s->id[0] != '*' && (*s->id || *s->class || *s->address || *s->subsystem)
               ? UDEV_SAID
               : UDEV_UNSAYABLE;
}

size_t udev_rule_count(const struct udev_rule *r, size_t max)
{
    const struct alternatives *const all[] = {&r->address,   &r->vendor, &r->device, &r->subvendor,
                                              &r->subdevice, &r->class,  &r->id,     &r->subsystem};
    size_t n = 1;

    for (size_t i = 0; i < ELEMENTS(all) && n <= max; i++)
        n *= count_alternatives(all[i]);
    return n;
}
