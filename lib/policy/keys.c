/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/keys.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>
#include <syslog.h>

#include "model/resource.h"
#include "policy/select.h"

/* -- did you mean -- */

static unsigned edit_distance(const char *a, const char *b)
{
    enum { MAX = 24 };
    unsigned row[MAX + 1];
    size_t n = strlen(b);

    if (n > MAX || strlen(a) > MAX)
        return MAX;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (tolower((unsigned char)a[i - 1]) != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[n];
}

int nearest_word(const char *word, const char *const *words, size_t n)
{
    int nearest = -1;
    unsigned best = 3; /* a larger distance is not a typing error */

    for (size_t i = 0; i < n; i++) {
        unsigned distance = words[i] ? edit_distance(word, words[i]) : best;
        if (distance < best && distance < strlen(words[i])) {
            best = distance;
            nearest = (int)i;
        }
    }
    return nearest;
}

static void unknown_key(const struct key_context *c, const char *where, const char *key,
                        const char *const *words, size_t n)
{
    int i = nearest_word(key, words, n);

    if (i < 0 && (streq(key, "driver_override") || streq(key, "driver-override")))
        i = word_index(words, n, "driver");
    if (i >= 0)
        policy_error(c, "unknown key \"%s\" in %s: did you mean \"%s\"?", key, where, words[i]);
    else
        policy_error(c, "unknown key \"%s\" in %s: see vfio-bindd.conf(5)", key, where);
}

/* The index of the value among the allowed words; if it is none of them, reports that and returns
 * -1. */
static int choice(const struct key_context *c, const char *key, const char *value,
                  const char *const *words, size_t n)
{
    char list[128] = "";
    int i = word_index(words, n, value);

    if (i >= 0)
        return i;
    for (size_t j = 0, used = 0; j < n && used < sizeof(list); j++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", j ? ", " : "", words[j]);
    policy_error(c, "%s = %s: write one of %s", key, value, list);
    return -1;
}

static bool set_switch(const struct key_context *c, const char *key, const char *value,
                       bool *target)
{
    static const char *const words[] = {"no", "yes"};
    int i = choice(c, key, value, words, ELEMENTS(words));

    if (i >= 0)
        *target = i == 1;
    return i >= 0;
}

/* -- the other keys of a rule -- */

static bool replace(char **target, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return false;
    free(*target);
    *target = copy;
    return true;
}

static bool set_driver(const struct key_context *c, struct rule *r, const char *value)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    static const char *const usual[] = {"vfio-pci", "auto", "native"};
    static const char *const nothing[] = {"none", "off", "no", "host", "keep", "ignore"};
    int near = nearest_word(value, usual, ELEMENTS(usual));

    const char *meant = near < 0 ? NULL : usual[near];

    if (word_index(nothing, ELEMENTS(nothing), value) >= 0)
        meant = "native";
    if (streq(value, "vfio"))
        meant = "vfio-pci";

    if (meant && !streq(value, meant)) {
        policy_error(c, "driver = %s: did you mean %s?", value, meant);
        (void)replace(&r->driver, meant); /* a broken native rule still protects */
        return false;
    }
    if (value[n] || n > 55 || value[0] == '-') {
        policy_error(c, "driver = %s: write vfio-pci, auto, native, or a driver's name", value);
        return false;
    }
    return replace(&r->driver, value);
}

static bool set_resource(const struct key_context *c, struct rule *r, const char *value)
{
    if (!resource_is_valid(value)) {
        policy_error(c,
                     "resource = %s: write DOMAIN/NAME of at most 61 characters, like "
                     "nvidia.com/gpu_dev1",
                     value);
        return false;
    }
    if (resource_is_reserved(value)) {
        policy_error(c, "resource = %s: kubernetes.io is reserved; use a domain of your own",
                     value);
        return false;
    }
    return replace(&r->resource, value);
}

static bool set_expect(const struct key_context *c, struct rule *r, const char *value)
{
    char *end;

    errno = 0;
    long n = strtol(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || errno || n > 65536) {
        policy_error(
            c, "expect = %s: write the number of devices that this rule must match, like 8", value);
        return false;
    }
    r->expect = (int)n;
    return true;
}

static bool set_interface(const struct key_context *c, const char *value, enum interface_mode *ret)
{
    const char *words[INTERFACE_MAX];

    for (int i = 0; i < INTERFACE_MAX; i++)
        words[i] = interface_word((enum interface_mode)i);
    int i = choice(c, "interface", value, words, INTERFACE_MAX);
    if (i >= 0)
        *ret = (enum interface_mode)i;
    return i >= 0;
}

/* The kernel's names are words with underscores, separated by blanks. The kernel checks whether a
 * device has the method. */
static bool set_reset_method(const struct key_context *c, struct rule *r, const char *value)
{
    char text[RESET_METHOD_MAX];

    if (strlen(value) >= sizeof(text) || value[strspn(value, "abcdefghijklmnopqrstuvwxyz_, \t")] ||
        !value[strspn(value, ", \t")]) {
        policy_error(c,
                     "reset-method = %s: write words from the device's reset_method in /sys, "
                     "separated by commas, like flr, bus",
                     value);
        return false;
    }
    size_t n = 0;
    for (const char *s = value; *s; s++)
        if (!strchr(", \t", *s))
            text[n++] = *s;
        else if (n > 0 && text[n - 1] != ' ')
            text[n++] = ' ';
    while (n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = '\0';
    return replace(&r->reset_method, text);
}

static bool set_vfs(const struct key_context *c, struct rule *r, const char *value)
{
    char *end;

    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || errno || n > VFS_MAX) {
        policy_error(c,
                     "vfs = %s: write the number of virtual functions, like 8, not more than the "
                     "device's sriov_totalvfs",
                     value);
        return false;
    }
    r->vfs = (int)n;
    return true;
}

static bool set_choice(const struct key_context *c, struct rule *r, enum rule_key key,
                       const char *value)
{
    static const char *const groups[] = {"functions", "all", "matched"};
    static const char *const hotplugs[] = {"prevent", "rebind", "off"};
    int i;

    switch (key) {
    case KEY_GROUP:
        i = choice(c, "group", value, groups, ELEMENTS(groups));
        if (i >= 0)
            r->group = (enum group_mode)i;
        return i >= 0;
    case KEY_HOTPLUG:
        i = choice(c, "hotplug", value, hotplugs, ELEMENTS(hotplugs));
        if (i >= 0)
            r->hotplug = (enum hotplug_mode)i;
        return i >= 0;
    default:
        return set_switch(c, "force", value, &r->force);
    }
}

static bool set_key(const struct key_context *c, struct rule *r, enum rule_key key,
                    const char *value)
{
    switch (key) {
    case KEY_ID:
        return policy_set_ids(c, r, value);
    case KEY_CLASS:
    case KEY_SUBSYSTEM:
    case KEY_ADDRESS:
    case KEY_SLOT:
    case KEY_VF_OF:
    case KEY_VF_INDEX:
    case KEY_SERIAL:
        return policy_set_patterns(c, r, key, value);
    case KEY_DRIVER:
        return set_driver(c, r, value);
    case KEY_RESOURCE:
        return set_resource(c, r, value);
    case KEY_EXPECT:
        return set_expect(c, r, value);
    case KEY_INTERFACE:
        return set_interface(c, value, &r->interface);
    case KEY_RESET_METHOD:
        return set_reset_method(c, r, value);
    case KEY_VFS:
        return set_vfs(c, r, value);
    case KEY_GROUP:
    case KEY_HOTPLUG:
    case KEY_FORCE:
        return set_choice(c, r, key, value);
    case KEY_MAX:
        break;
    }
    return false;
}

void policy_set_rule_key(struct key_context *c, struct rule *r, const char *key, const char *value)
{
    const char *names[KEY_MAX];
    struct pci_addr address;
    struct id_pattern id;

    for (int k = 0; k < KEY_MAX; k++)
        names[k] = rule_key_name((enum rule_key)k);
    int k = word_index(names, KEY_MAX, key);

    if (k >= 0 && r->keys[k].line > 0 && r->keys[k].file == c->origin.file) {
        policy_error(c,
                     "%s appears twice in [device %s] (first in line %u): write one line, "
                     "separating values with commas",
                     key, r->name, r->keys[k].line);
        r->broken = true;
    } else if (k >= 0) {
        r->keys[k] = c->origin;
        if (!*value)
            policy_error(c, "%s has no value: write one, or remove the line", key);
        r->broken_keys &= ~(1U << k);
        if (!*value || !set_key(c, r, (enum rule_key)k, value)) {
            r->broken = true;
            r->broken_keys |= 1U << k;
        }
    } else {
        if (policy_parse_id(key, &id))
            policy_error(c,
                         "\"%s\" is a value: write \"id = %s\" (and \"driver = ...\" if it is not "
                         "vfio-pci)",
                         key, key);
        else if (pci_addr_parse(key, &address) == 0)
            policy_error(c, "\"%s\" is a value: write \"address = %s\"", key, key);
        else
            unknown_key(c, "a [device] section", key, names, KEY_MAX);
        r->broken = true;
    }
}

bool policy_check_rule_name(struct key_context *c, const char *name)
{
    size_t n = strlen(name);

    for (const char *s = name; *s; s++) {
        if (is_name_char(*s) || *s == ':' || *s == '@')
            continue;
        policy_error(c, "[device %s]: a rule's name is made of letters, digits and - _ . : @",
                     name);
        return false;
    }
    if (n == 0) {
        policy_error(c, "[device] needs a name: write for example [device a100]");
        return false;
    }
    if (n > RULE_NAME_MAX) {
        policy_error(c, "[device %.16s...]: the name has %zu characters, %d are allowed", name, n,
                     RULE_NAME_MAX);
        return false;
    }
    if (streq(name, RULE_CMDLINE)) {
        policy_error(c,
                     "[device cmdline]: this name belongs to vfio_bindd.ids= on the kernel command "
                     "line; choose another");
        return false;
    }
    return true;
}

/* -- [daemon] and [kubernetes] -- */

static const struct {
    const char *word;
    int level;
} log_levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
    {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

static void set_log_level_key(const struct key_context *c, const char *value)
{
    const char *words[ELEMENTS(log_levels)];

    for (size_t i = 0; i < ELEMENTS(log_levels); i++)
        words[i] = log_levels[i].word;
    int i = choice(c, "log-level", value, words, ELEMENTS(words));
    if (i >= 0)
        c->policy->log_level = log_levels[i].level;
}

static void set_span(const struct key_context *c, const char *key, const char *value,
                     uint64_t max_usec, uint64_t *target)
{
    static const struct {
        const char *unit;
        uint64_t usec;
    } units[] = {{"ms", 1000}, {"s", USEC_PER_SEC}, {"", USEC_PER_SEC}, {"min", 60 * USEC_PER_SEC}};
    char *unit;

    errno = 0;
    unsigned long n = strtoul(value, &unit, 10);
    if (isdigit((unsigned char)value[0]) && !errno && n > 0)
        for (size_t i = 0; i < ELEMENTS(units); i++)
            if (streq(unit + strspn(unit, " \t"), units[i].unit) && n <= max_usec / units[i].usec) {
                *target = n * units[i].usec;
                return;
            }
    policy_error(c, "%s = %s: write a time like 10s or 500ms, at most %llus", key, value,
                 (unsigned long long)(max_usec / USEC_PER_SEC));
}

/* The index of the key. If it is unknown, or occurs in this file twice, reports that and returns
 * -1. */
static int new_key(const struct key_context *c, const char *where, const char *key,
                   const char *const *keys, size_t n, unsigned *seen)
{
    int k = word_index(keys, n, key);

    if (k < 0) {
        unknown_key(c, where, key, keys, n);
        return -1;
    }
    if (*seen & 1U << k) {
        policy_error(c, "%s appears twice in %s of this file: keep one line", key, where);
        return -1;
    }
    *seen |= 1U << k;
    return k;
}

void policy_set_daemon_key(struct key_context *c, const char *key, const char *value,
                           unsigned *seen)
{
    static const char *const keys[] = {"log-level", "boot-deadline", "unbind-timeout", "interface"};

    switch (new_key(c, "[daemon]", key, keys, ELEMENTS(keys), seen)) {
    case 0:
        set_log_level_key(c, value);
        break;
    case 1:
        set_span(c, key, value, 60 * USEC_PER_SEC, &c->policy->boot_deadline_usec);
        break;
    case 2:
        set_span(c, key, value, 3600 * USEC_PER_SEC, &c->policy->unbind_timeout_usec);
        break;
    case 3:
        (void)set_interface(c, value, &c->policy->interface);
        break;
    }
}

void policy_set_kubernetes_key(struct key_context *c, const char *key, const char *value,
                               unsigned *seen)
{
    static const char *const keys[] = {"node-features", "metrics"};

    switch (new_key(c, "[kubernetes]", key, keys, ELEMENTS(keys), seen)) {
    case 0:
        (void)set_switch(c, key, value, &c->policy->node_features);
        break;
    case 1:
        (void)set_switch(c, key, value, &c->policy->metrics);
        break;
    }
}
