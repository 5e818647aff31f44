/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: udev rules that write driver_override. */
#include <errno.h>

#include "import/lines.h"
#include "import/sources.h"
#include "import/udev-rule.h"
#include "model/kinds.h"

/* -- claims -- */

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

/* The condition may match a device or its parent: does it match a device itself, as it must in our
 * rules? */
static bool selects_endpoint(struct found *f, const struct selection *s)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP_FREE char *why = NULL;

    if (saying_parse(&(struct saying){.name = "x", .what = s}, &p, &why) < 0)
        return false;
    for (size_t i = 0; i < f->s->snapshot.n; i++)
        if (!device_is_bridge(&f->s->snapshot.devices[i]) &&
            rule_test(&p.rules[0], &f->s->snapshot.devices[i]) < 0)
            return true;
    return false;
}

/* Claims one of the rule's combinations. Returns 1 (claimed), 0 (it selects nothing), or a negative
 * value after a remark: it selects more than can be claimed. */
static int claim_combination(struct found *f, const char *path, unsigned line,
                             const struct udev_rule *r, size_t number)
{
    struct selection s = {.id = ""};
    enum udev_said said = udev_rule_select(r, number, &s);

    if (strlen(r->driver) >= sizeof(s.driver) || said == UDEV_UNSAYABLE) {
        found_remark(
            f, path, line,
            "which devices it means cannot be expressed in a policy: no rule is made from it");
        return -ENOTSUP;
    }
    if (said == UDEV_NEVER) {
        found_remark(
            f, path, line,
            "udev compares letter by letter with what the kernel writes (0x10de, 0x030000, "
            "0000:01:00.0), and never matches such a device: no rule is made from it");
        return 0;
    }
    snprintf(s.driver, sizeof(s.driver), "%s", r->driver);
    if (r->parents && !selects_endpoint(f, &s)) {
        found_remark(f, path, line,
                     "KERNELS and ATTRS mean what is below such a device as well, and no device "
                     "here is one itself: no rule is made from it");
        return -ENOTSUP;
    }
    return found_claim(f, &s, path, line, "udev") ? 1 : -ENOTSUP;
}

/* Returns whether everything that the rule selects was claimed. */
static bool claim_rule(struct found *f, const char *path, unsigned line, const struct udev_rule *r)
{
    size_t n = udev_rule_count(r, FOUND_CLAIMS_MAX), claimed = 0;
    bool all = true;

    if (r->target)
        return claim_target(f, path, line, r->target);
    if (r->foreign || n > FOUND_CLAIMS_MAX) {
        found_remark(f, path, line,
                     "the rule also asks for %.60s, which cannot be expressed in a policy: no rule "
                     "is made from it",
                     r->foreign ? r->foreign : "one of too many devices");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int said = claim_combination(f, path, line, r, i);
        claimed += said > 0;
        all = all && said >= 0;
    }
    return all && claimed > 0;
}

bool import_udev_line(struct found *f, const char *path, unsigned line, char *text)
{
    struct udev_rule rule = {.driver = NULL};
    struct udev_token t;
    int r;

    while ((r = udev_next_token(&text, &t)) > 0)
        udev_rule_take(&rule, &t);
    if (r == 0 && rule.driver && *rule.driver)
        return claim_rule(f, path, line, &rule);
    found_remark(f, path, line,
                 r < 0 ? "is not a valid udev rule"
                       : "mentions driver_override, but no driver that it sets was found");
    return false;
}

/* -- jumps -- */

/* A line with a GOTO that may be executed for a PCI device that appears. */
struct jump {
    char label[64];
    unsigned line;
};

struct jumps {
    struct jump v[16]; /* jumps whose labels were not found yet */
    size_t n;
};

static void reach_label(struct jumps *j, const char *label)
{
    size_t kept = 0;

    for (size_t i = 0; i < j->n; i++)
        if (!streq(j->v[i].label, label))
            j->v[kept++] = j->v[i];
    j->n = kept;
}

/* If there are more jumps than fit, the last one stands for all others. */
static void leave_for_label(struct jumps *j, const char *label, unsigned line)
{
    struct jump *to = &j->v[j->n < ELEMENTS(j->v) ? j->n++ : j->n - 1];

    snprintf(to->label, sizeof(to->label), "%s", label);
    to->line = line;
}

/* The labels of a line take effect before it is read as a rule, its jumps after that. */
static void see_jumps(struct found *f, struct jumps *j, const char *text, unsigned line,
                      bool labels)
{
    CLEANUP_FREE char *copy = strdup(text);
    char *rest = copy, label[64] = "";
    struct udev_token t;
    bool never = false;

    if (!copy)
        f->tree.failed = true;
    while (copy && udev_next_token(&rest, &t) > 0) {
        never = never || udev_excludes_new_pci(&t);
        if (labels && streq(t.key, "LABEL"))
            reach_label(j, t.value);
        if (streq(t.key, "GOTO"))
            snprintf(label, sizeof(label), "%s", t.value);
    }
    if (!labels && *label && !never)
        leave_for_label(j, label, line);
}

/* -- files -- */

/* Numbers of the lines to be removed, as addresses for sed. */
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
        found_edit(f, path, "%ssed -i '%s' %s", ctl_sudo(), n->script, file);
    found_step(f, STAGE_REBUILD, "%sudevadm control --reload", ctl_sudo());
    found_rebuild_initramfs(f); /* it may contain a copy */
}

/* Returns whether the line is to be removed. */
static bool see_udev_line(struct found *f, const char *path, const struct lines *at, char *line,
                          const struct jumps *jumps)
{
    if (!strstr(line, "driver_override"))
        return false;
    if (jumps->n == 0)
        return import_udev_line(f, path, at->first, line);
    found_remark(
        f, path, at->first,
        "whether it is reached depends on line %u, which jumps (GOTO): no rule is made from it",
        jumps->v[0].line);
    return false;
}

static void see_udev_file(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    struct rule_lines n = {0};
    struct jumps jumps = {.n = 0};
    char *line;

    for (; (line = lines_next(&lines)); n.all++) {
        CLEANUP_FREE char *jump = strstr(line, "GOTO") ? strdup(line) : NULL;
        if (jumps.n > 0 && strstr(line, "LABEL"))
            see_jumps(f, &jumps, line, lines.first, true);
        if (see_udev_line(f, path, &lines, line, &jumps))
            note_line(&n, &lines);
        if (jump)
            see_jumps(f, &jumps, jump, lines.first, false);
    }
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
