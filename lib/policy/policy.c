/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy.h"

#include <assert.h>
#include <errno.h>
#include <syslog.h>

#include "model/resource.h"

void policy_init(struct policy *p)
{
    *p = (struct policy){
        .log_level = LOG_INFO,
        .boot_deadline_usec = 10 * USEC_PER_SEC,
        .unbind_timeout_usec = 10 * USEC_PER_SEC,
    };
}

struct rules policy_keep_rules(const struct policy *p)
{
    if (p->users)
        ++*p->users;
    return (struct rules){p->rules, p->n_rules, p->users};
}

/* The last user frees the rules. */
void rules_done(struct rules *r)
{
    if (r->users && --*r->users == 0) {
        for (size_t i = 0; i < r->n; i++)
            rule_done(&r->v[i]);
        free(r->v);
        free(r->users);
    }
    *r = (struct rules){0};
}

void policy_done(struct policy *p)
{
    rules_done(&(struct rules){p->rules, p->n_rules, p->users});
    rule_index_done(&p->index);
    for (size_t i = 0; i < p->n_files; i++)
        free(p->files[i]);
    free(p->files);
    *p = (struct policy){0};
}

int policy_add_file(struct policy *p, const char *name)
{
    if (p->n_files > POLICY_FILES_MAX) /* one more than the files: the kernel command line */
        return -E2BIG;

    char **files = reallocarray(p->files, p->n_files + 1, sizeof(*files));
    if (!files)
        return -ENOMEM;
    p->files = files;
    files[p->n_files] = strdup(name);
    if (!files[p->n_files])
        return -ENOMEM;
    return (int)p->n_files++;
}

bool policy_is_untrusted(const struct policy *p, size_t file)
{
    return p->untrusted[file / 8] & 1U << file % 8;
}

void policy_set_untrusted(struct policy *p, size_t file)
{
    p->untrusted[file / 8] |= (uint8_t)(1U << file % 8);
}

const char *policy_file(const struct policy *p, struct origin o)
{
    return o.line > 0 && o.file < p->n_files ? p->files[o.file] : "";
}

void policy_doubt_untrusted(const struct policy *p, struct rule *r, struct origin now)
{
    for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++)
        if (r->keys[k].line > 0 && policy_is_untrusted(p, r->keys[k].file))
            r->broken_keys |= 1U << k;
    if (policy_is_untrusted(p, r->where.file))
        r->where = now;
}

/* Searches backwards, since it is usually the rule whose section is being read. */
struct rule *policy_find_rule(struct policy *p, const char *name)
{
    for (size_t i = p->n_rules; i-- > 0;)
        if (streq(p->rules[i].name, name))
            return &p->rules[i];
    return NULL;
}

struct rule *policy_add_rule(struct policy *p, const char *name, struct origin where)
{
    if (!p->users && (p->users = malloc(sizeof(*p->users))))
        *p->users = 1;
    if (!p->users)
        return NULL;
    assert(*p->users == 1); /* otherwise the array could move while somebody refers to it */
    if (!grow(&p->rules, &p->allocated_rules, p->n_rules, sizeof(*p->rules)))
        return NULL;

    struct rule *r = &p->rules[p->n_rules];
    *r = (struct rule){.where = where, .expect = -1, .vfs = -1, .hotplug = HOTPLUG_PREVENT};
    r->name = strdup(name);
    r->driver = strdup("vfio-pci");
    if (!r->name || !r->driver) {
        rule_done(r);
        return NULL;
    }
    p->n_rules++;
    return r;
}

bool policy_uses_auto(const struct policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if (rule_is_auto(&p->rules[i]))
            return true;
    return false;
}

bool policy_uses(const struct policy *p, enum rule_key key)
{
    return p->used_keys & 1U << key;
}

/* -- matching -- */

static struct candidates candidates_for(const struct policy *p, const struct device *d)
{
    return candidates_of(&p->index, (struct id_pattern){.vendor = d->vendor, .device = d->device});
}

bool policy_may_match(const struct policy *p, const struct device *d)
{
    struct candidates c = candidates_for(p, d);
    const struct rule *r;

    while ((r = candidates_next(&c))) {
        int key = rule_test(r, d);
        if (key < 0 || key >= KEY_SLOT) /* the other keys need the details of a device */
            return true;
    }
    return false;
}

const struct rule *policy_match(const struct policy *p, const struct device *d)
{
    struct candidates c = candidates_for(p, d);
    const struct rule *r;

    while ((r = candidates_next(&c)) && rule_test(r, d) >= 0)
        ;
    return r;
}

bool policy_is_undecided(const struct policy *p, const struct device *d)
{
    struct candidates c = candidates_for(p, d);
    const struct rule *r;

    /* The serial number is tested last. If it is the first key that does not match, all others
     * match. */
    while (d->serial_unread && (r = candidates_next(&c))) {
        int key = rule_test(r, d);
        if (key < 0 || key == KEY_SERIAL)
            return key == KEY_SERIAL;
    }
    return false;
}

/* -- errors that only the complete policy shows -- */

static void check_selects(struct policy *p, struct rule *r, struct diags *d)
{
    if (r->broken || rule_has_positive(r))
        return;
    r->broken = true;
    diags_add(d, DIAG_ERROR, policy_file(p, r->where), r->where.line,
              "[device %s] selects nothing: add \"id = VENDOR:DEVICE\" (lspci -Dnn shows both)",
              r->name);
}

static int by_precedence(const void *x, const void *y)
{
    const struct rule *a = x, *b = y;

    if (a->where.file != b->where.file)
        return a->where.file > b->where.file ? -1 : 1;
    return (a->where.line > b->where.line) - (a->where.line < b->where.line);
}

/* The rules that could cover this one: they have its first ID, or no ID. */
static struct candidates candidates_to_cover(const struct policy *p, const struct rule *r)
{
    /* vendor 0: only rules without IDs */
    struct id_pattern id = {.any_device = true};

    return candidates_of(&p->index, r->n_ids > 0 ? r->ids[0] : id);
}

/* At most this many pairs of IDs are compared, so that a hostile policy cannot keep us busy. */
#define COVER_BUDGET 20000000

/* In one file a covered rule is an error. In different files it may be intended: a drop-in or the
 * kernel command line may override a rule for a while. */
static void check_covered(struct policy *p, struct diags *d)
{
    size_t compared = 0;

    for (size_t i = 1; i < p->n_rules; i++) {
        struct rule *r = &p->rules[i];
        struct candidates c = candidates_to_cover(p, r);
        const struct rule *earlier;
        while ((earlier = candidates_next(&c)) && earlier < r && !r->broken &&
               compared < COVER_BUDGET) {
            compared += 1 + earlier->n_ids * r->n_ids;
            if (earlier->broken || !rule_covers(earlier, r))
                continue;
            bool same_file = earlier->where.file == r->where.file;
            diags_add(
                d, same_file ? DIAG_ERROR : DIAG_WARNING, policy_file(p, r->where), r->where.line,
                "[device %s] can never match: [device %s] (%s:%u) comes first and matches all of "
                "its devices; %s",
                r->name, earlier->name, policy_file(p, earlier->where), earlier->where.line,
                same_file ? "move it up, or narrow the other rule" : "the earlier one decides");
            if (same_file)
                r->broken = true;
            break;
        }
    }
}

static void check_resources(struct policy *p, struct diags *d)
{
    for (size_t i = 0; i < p->n_rules; i++)
        for (size_t j = 0; p->rules[i].resource && j < i; j++) {
            struct rule *r = &p->rules[i];
            if (r->broken || !p->rules[j].resource ||
                !resource_collides(r->resource, p->rules[j].resource))
                continue;
            r->broken = true;
            diags_add(d, DIAG_ERROR, policy_file(p, r->keys[KEY_RESOURCE]),
                      r->keys[KEY_RESOURCE].line,
                      "resource \"%s\" and \"%s\" of [device %s] are the same for Kubernetes (in "
                      "upper case, with '_' for '/' and '.'): rename one",
                      r->resource, p->rules[j].resource, p->rules[j].name);
        }
}

static void check_native(struct policy *p, struct diags *d)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        struct rule *r = &p->rules[i];
        if (r->broken || !rule_is_native(r) || r->expect < 0)
            continue;
        r->broken = true;
        diags_add(d, DIAG_ERROR, policy_file(p, r->keys[KEY_EXPECT]), r->keys[KEY_EXPECT].line,
                  "a rule with %s takes no device and cannot have expect: remove it%s",
                  rule_makes_vfs(r) ? "vfs" : "driver = native",
                  rule_makes_vfs(r) ? ", or put it into the rule with \"vf-of\"" : "");
    }
}

/* Without a driver of its own, a rule with "vfs" is a native one. */
static bool default_driver_of_pf(struct rule *r)
{
    char *native;

    if (r->keys[KEY_VFS].line == 0 || r->keys[KEY_DRIVER].line > 0)
        return true;
    native = strdup("native");
    if (!native)
        return false;
    free(r->driver);
    r->driver = native;
    return true;
}

/* Was "driver = vfio-pci" written? */
static bool check_driver_of_pf(const struct policy *p, const struct rule *r, struct diags *d)
{
    if (rule_is_native(r))
        return true;
    diags_add(d, DIAG_ERROR, policy_file(p, r->keys[KEY_DRIVER]), r->keys[KEY_DRIVER].line,
              "driver = %s and vfs = %d in [device %s]: the native driver creates the virtual "
              "functions, so the device itself stays on it (vfio-pci's enable_sriov is not used): "
              "remove one of the two, and name the virtual functions in a rule with \"vf-of\"",
              r->driver, r->vfs, r->name);
    return false;
}

static void check_vfs(struct policy *p, struct diags *d)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        struct rule *r = &p->rules[i];
        if (!default_driver_of_pf(r))
            r->broken = true;
        if (r->broken)
            continue;
        if (rule_makes_vfs(r) && !check_driver_of_pf(p, r, d))
            r->broken = true;
        if (rule_makes_vfs(r) && r->narrow[KEY_VF_OF].n > 0) {
            r->broken = true;
            diags_add(d, DIAG_ERROR, policy_file(p, r->keys[KEY_VFS]), r->keys[KEY_VFS].line,
                      "vfs and vf-of in [device %s]: a virtual function has no virtual functions; "
                      "write one rule for the physical function, with \"vfs = %d\", and one for "
                      "its virtual functions, with \"vf-of\"",
                      r->name, r->vfs);
        }
        if (r->narrow[KEY_VF_INDEX].n > 0 && r->narrow[KEY_VF_OF].n == 0) {
            r->broken = true;
            diags_add(d, DIAG_ERROR, policy_file(p, r->keys[KEY_VF_INDEX]),
                      r->keys[KEY_VF_INDEX].line,
                      "vf-index in [device %s] counts the virtual functions of one device: name "
                      "that device with \"vf-of = ADDRESS\"",
                      r->name);
        }
    }
}

/* A dynamic ID keeps native drivers from every device that it matches. So it is the default only
 * for a rule without further conditions. */
static void default_hotplug(struct policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        struct rule *r = &p->rules[i];
        bool narrowed = r->n_ids == 0;
        for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++)
            narrowed = narrowed || r->narrow[k].n > 0;
        if (r->keys[KEY_HOTPLUG].line == 0)
            r->hotplug = narrowed ? HOTPLUG_REBIND : HOTPLUG_PREVENT;
    }
}

static void default_interface(struct policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].keys[KEY_INTERFACE].line == 0)
            p->rules[i].interface = p->interface;
}

/* A "native" rule with errors was meant to protect devices. It stays in force with those of its
 * selecting keys that are valid, and so protects at least those devices. It makes no virtual
 * functions: it may select more devices than were meant. Returns false if no valid key says which
 * devices are meant. */
static bool widen_broken_native(struct rule *r)
{
    if (!rule_is_native(r))
        return false;
    for (enum rule_key k = 0; k < KEY_SELECTS_MAX; k++)
        if (r->broken_keys & 1U << k)
            rule_drop_key(r, k);
    r->vfs = -1;
    return rule_has_positive(r);
}

static void drop_broken(struct policy *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->n_rules; i++) {
        if (p->rules[i].broken && !widen_broken_native(&p->rules[i]))
            rule_done(&p->rules[i]);
        else
            p->rules[kept++] = p->rules[i];
    }
    p->n_rules = kept;
}

static void note_used_keys(struct policy *p)
{
    p->used_keys = 0;
    for (size_t i = 0; i < p->n_rules; i++)
        for (enum rule_key k = 0; k < KEY_MAX; k++)
            if (p->rules[i].keys[k].line > 0)
                p->used_keys |= 1U << k;
}

void policy_distrust(struct policy *p)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if (!streq(p->rules[i].name, RULE_CMDLINE))
            p->rules[i].broken = true;
}

/* A device that is left to its native driver matters here only if virtual functions are made of
 * it. */
static void check_addresses(const struct policy *p, struct diags *d)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct rule *r = &p->rules[i];
        if (!r->broken && rule_trusts_addresses(r) && (!rule_is_native(r) || rule_makes_vfs(r)))
            diags_add(d, DIAG_WARNING, policy_file(p, r->keys[KEY_ADDRESS]),
                      r->keys[KEY_ADDRESS].line,
                      "[device %s] has address without id: when a card is added, another device "
                      "may get that address; add \"id = VENDOR:DEVICE\" (vfio-bindctl check says "
                      "which)",
                      r->name);
    }
}

void policy_finish(struct policy *p, struct diags *d)
{
    for (size_t i = 0; i < p->n_rules; i++)
        check_selects(p, &p->rules[i], d);
    if (p->n_rules > 1)
        qsort(p->rules, p->n_rules, sizeof(*p->rules), by_precedence);
    rule_index_make(&p->index, p->rules, p->n_rules);
    check_vfs(p, d);
    check_covered(p, d);
    check_resources(p, d);
    check_native(p, d);
    check_addresses(p, d);
    drop_broken(p);
    rule_index_make(&p->index, p->rules, p->n_rules);
    note_used_keys(p);
    default_hotplug(p);
    default_interface(p);
    p->incomplete = d->errors > 0;
}
