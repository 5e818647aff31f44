/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: udev rules that write driver_override. A rule is a list of KEY OP "VALUE"; what has "=="
 * for its operator selects. */
#include "import/lines.h"
#include "import/sources.h"

#define ALTERNATIVES_MAX 16

/* "a|b|c" */
struct alternatives {
    char *v[ALTERNATIVES_MAX];
    size_t n;
};

/* What a rule asks of the device, and does with it. */
struct udev_rule {
    struct alternatives address, vendor, device, subvendor, subdevice, class, id, subsystem;
    const char *driver;  /* NULL: it writes no override */
    const char *target;  /* another device's address, in a command of the rule; NULL: none */
    const char *foreign; /* a condition that no rule of ours can have; NULL: none */
};

/* -- reading -- */

struct udev_token {
    char *key, *value;
    char op[3];
};

/* A key ends before its operator, but what stands in braces belongs to it. */
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

/* The next KEY OP "VALUE" of a rule, which is cut up. Returns 1, 0 at the end, or -EINVAL. */
static int next_token(char **rest, struct udev_token *ret)
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

/* Keys that say nothing about which device of the PCI bus it is. */
static bool is_neutral(const struct udev_token *t)
{
    static const char *const keys[] = {"ACTION", "DRIVER", "DRIVERS", "TEST"};
    bool bus = streq(t->key, "SUBSYSTEM") || streq(t->key, "SUBSYSTEMS");

    return word_index(keys, ELEMENTS(keys), t->key) >= 0 || after_prefix(t->key, "TEST{") ||
           (bus && strstr(t->value, "pci"));
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

    /* KERNELS and ATTRS look at parents as well, and at the device itself first */
    char word[32];
    snprintf(word, sizeof(word), "%s", key);
    if (streq(key, "KERNELS"))
        word[6] = '\0';
    else if (after_prefix(key, "ATTRS{"))
        snprintf(word, sizeof(word), "ATTR{%s", key + strlen("ATTRS{"));
    i = word_index(keys, ELEMENTS(keys), word);
    return i < 0 ? NULL : targets[i];
}

/* A command that writes the override: of this device, or of one that it names. */
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

static void take_token(struct udev_rule *r, const struct udev_token *t)
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

/* VENDOR:DEVICE out of two attributes, either of which may be missing. */
static bool join_words(const char *vendor, const char *device, char *ret, size_t size)
{
    char v[5] = "*", d[5] = "*";

    if ((vendor && !hex_word(vendor, v)) || (device && !hex_word(device, d)))
        return false;
    if (vendor || device)
        snprintf(ret, size, "%s:%s", v, d);
    return true;
}

/* ENV{PCI_ID} and ENV{PCI_SUBSYS_ID} have both in one. */
static bool split_words(const char *text, char *ret, size_t size)
{
    char vendor[8] = "";
    const char *colon = strchr(text, ':');

    if (!colon || colon - text > 7)
        return false;
    memcpy(vendor, text, (size_t)(colon - text));
    return join_words(vendor, colon + 1, ret, size);
}

static bool set_udev_class(const char *text, char ret[static 8])
{
    const char *digits = after_prefix(text, "0x") ? text + 2 : text;
    size_t n = strlen(digits);

    if (n < 2 || n > 7 || digits[strspn(digits, "0123456789abcdefABCDEF?*")])
        return false;
    for (size_t i = 0; i <= n; i++)
        ret[i] = (char)tolower((unsigned char)digits[i]);
    if (n == 7 && ret[6] == '*')
        ret[6] = '\0';
    return strlen(ret) <= 6;
}

static const char *chosen_alternative(const struct alternatives *a, size_t i)
{
    return a->n == 0 ? NULL : a->v[i];
}

static size_t count_alternatives(const struct alternatives *a)
{
    return a->n == 0 ? 1 : a->n;
}

/* One of the combinations of all alternatives, by its number. Returns false if it cannot be said,
 * or selects nothing of its own. */
static bool set_combination(const struct udev_rule *r, size_t number, struct selection *s)
{
    const struct alternatives *const all[] = {&r->address,   &r->vendor, &r->device, &r->subvendor,
                                              &r->subdevice, &r->class,  &r->id,     &r->subsystem};
    const char *v[ELEMENTS(all)];

    for (size_t i = 0; i < ELEMENTS(all); i++) {
        v[i] = chosen_alternative(all[i], number % count_alternatives(all[i]));
        number /= count_alternatives(all[i]);
    }
    if (v[0] && strlen(v[0]) < sizeof(s->address))
        for (size_t i = 0; !streq(v[0], "*") && i <= strlen(v[0]); i++)
            s->address[i] = (char)tolower((unsigned char)v[0][i]);
    if ((v[0] && !*s->address && !streq(v[0], "*")) || (v[5] && !set_udev_class(v[5], s->class)) ||
        (v[6] && !split_words(v[6], s->id, sizeof(s->id))) ||
        (v[7] && !split_words(v[7], s->subsystem, sizeof(s->subsystem))) ||
        (!v[6] && !join_words(v[1], v[2], s->id, sizeof(s->id))) ||
        (!v[7] && !join_words(v[3], v[4], s->subsystem, sizeof(s->subsystem))))
        return false;
    if (streq(s->id, "*:*"))
        s->id[0] = '\0';
    return s->id[0] != '*' && (*s->id || *s->class || *s->address || *s->subsystem);
}

static size_t count_combinations(const struct udev_rule *r)
{
    const struct alternatives *const all[] = {&r->address,   &r->vendor, &r->device, &r->subvendor,
                                              &r->subdevice, &r->class,  &r->id,     &r->subsystem};
    size_t n = 1;

    for (size_t i = 0; i < ELEMENTS(all) && n <= FOUND_CLAIMS_MAX; i++)
        n *= count_alternatives(all[i]);
    return n;
}

static bool claim_target(struct found *f, const char *path, unsigned line, const char *target)
{
    struct selection s = {.driver = "vfio-pci"};
    struct pci_addr a;
    char word[40];

    snprintf(word, sizeof(word), "%.*s", (int)strcspn(target, "/ '\"\\;"), target);
    if (pci_addr_parse(word, &a) < 0) {
        found_remark(f, path, line,
                     "the device whose override it writes is not told by an address "
                     "in the rule");
        return false;
    }
    snprintf(s.address, sizeof(s.address), "%s", pci_addr_text(a).s);
    return found_claim(f, &s, path, line, "udev");
}

/* Returns whether all that the rule means is claimed. */
static bool claim_rule(struct found *f, const char *path, unsigned line, const struct udev_rule *r)
{
    size_t n = count_combinations(r);
    bool all = true;

    if (r->target)
        return claim_target(f, path, line, r->target);
    if (r->foreign || n > FOUND_CLAIMS_MAX) {
        found_remark(f, path, line,
                     "the rule also asks for %.60s, which cannot be said in a policy: no rule is "
                     "made of it",
                     r->foreign ? r->foreign : "one of too many devices");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct selection s = {0};
        if (strlen(r->driver) >= sizeof(s.driver) || !set_combination(r, i, &s)) {
            found_remark(f, path, line,
                         "which devices it means cannot be said in a policy: no rule is made of "
                         "it");
            return false;
        }
        snprintf(s.driver, sizeof(s.driver), "%s", r->driver);
        all = found_claim(f, &s, path, line, "udev") && all;
    }
    return all;
}

bool import_udev_line(struct found *f, const char *path, unsigned line, char *text)
{
    struct udev_rule rule = {0};
    struct udev_token t;
    int r;

    while ((r = next_token(&text, &t)) > 0)
        take_token(&rule, &t);
    if (r == 0 && rule.driver && *rule.driver)
        return claim_rule(f, path, line, &rule);
    found_remark(f, path, line,
                 r < 0 ? "is no udev rule that can be read"
                       : "mentions driver_override, and sets no driver that was seen");
    return false;
}

/* -- files -- */

/* The lines to be taken out, as sed writes them. */
struct rule_lines {
    size_t all, ours;
    char script[512];
    size_t used;
    bool too_many;
};

static void note_line(struct rule_lines *n, const struct lines *l)
{
    size_t room = sizeof(n->script) - n->used;

    n->ours++;
    if (room > 40)
        n->used += (size_t)snprintf(n->script + n->used, room, "%s%u,%us/^/#/", n->used ? ";" : "",
                                    l->first, l->last);
    else
        n->too_many = true;
}

static void retire_rules(struct found *f, const char *path, const char *name,
                         const struct rule_lines *n)
{
    CLEANUP_FREE char *file = found_quoted("/", path);
    bool retired = n->ours == n->all && found_retire_file(f, path, "etc/udev/rules.d", name);

    if (!retired && (!file || n->too_many))
        found_step(f, STAGE_FILES, "# take out of /%s what writes driver_override", path);
    else if (!retired)
        found_step(f, STAGE_FILES, "%ssed -i '%s' %s", ctl_sudo(), n->script, file);
    found_step(f, STAGE_REBUILD, "%sudevadm control --reload", ctl_sudo());
}

static void see_udev_file(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    struct rule_lines n = {0};
    bool jumps = false, found = false;
    char *line;

    while ((line = lines_next(&lines))) {
        n.all++;
        jumps = jumps || strstr(line, "GOTO=");
        if (!strstr(line, "driver_override"))
            continue;
        found = true;
        if (import_udev_line(f, path, lines.first, line))
            note_line(&n, &lines);
    }
    if (found && jumps)
        found_remark(f, path, 0,
                     "the file has jumps (GOTO), and on which condition a line is reached was not "
                     "looked at");
    if (n.ours > 0)
        retire_rules(f, path, name, &n);
}

void import_udev(struct found *f)
{
    static const char *const folders[] = {"etc/udev/rules.d", "run/udev/rules.d",
                                          "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d",
                                          "lib/udev/rules.d"};

    found_each_of(f, folders, ELEMENTS(folders), ".rules", see_udev_file);
}
