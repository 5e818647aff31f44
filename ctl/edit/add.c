/* SPDX-License-Identifier: GPL-2.0-or-later */
/* add: adds a rule for devices of this host, in a drop-in of its own. */
#include <errno.h>

#include "choose.h"
#include "edit/dropin.h"
#include "edit/on-trial.h"
#include "edit/question.h"
#include "edit/relatives.h"
#include "edit/reload.h"
#include "edit/rule-text.h"
#include "model/kinds.h"
#include "open.h"
#include "plan-diff.h"
#include "policy/select.h"

/* The rule to be added. `in` is as long as the source has rows. */
struct addition {
    struct source *s;
    bool *in;
    bool by_id;  /* the devices were given by their IDs only */
    bool places; /* the rule needs slots or addresses */
    char name[RULE_NAME_MAX + 1];
    char path[sizeof(DROPIN_FOLDER) + RULE_NAME_MAX + 16];
    char *text;
    size_t size;
    struct install file;
};

static void addition_done(struct addition *a)
{
    free(a->in);
    free(a->text);
    install_done(&a->file);
}

/* -- which devices -- */

static bool all_are_ids(const struct ctl *c)
{
    struct id_pattern id;

    for (int i = 0; i < c->n_args; i++)
        if (!policy_parse_id(c->args[i], &id))
            return false;
    return true;
}

/* The reason why the device gets no rule; "" if it does. A console is accepted if it was given by
 * its address. */
static void find_objection(const struct addition *a, const struct row *r, char *buf, size_t size)
{
    const char *use = r->d->use ? r->d->use : r->d->evidence;
    const struct rule *rule = policy_match(&a->s->policy, r->d);

    buf[0] = '\0';
    if (device_is_bridge(r->d))
        snprintf(buf, size, "it is a bridge, which cannot be given to a virtual machine");
    else if (r->selected || r->v)
        snprintf(buf, size, "[device %s]%s already selects it", r->v ? r->v->rule->name : r->rule,
                 r->comes_along ? ", with another function of its card," : "");
    else if (rule && rule_makes_vfs(rule))
        snprintf(buf, size, "[device %s] has virtual functions made of it (vfs)", rule->name);
    else if (rule && rule_is_native(rule) && a->by_id)
        snprintf(buf, size, "[device %s] leaves it to its native driver", rule->name);
    else if (use && device_may_carry_host(r->d) && !a->s->ctl->force)
        snprintf(buf, size, "this host uses it: it %s (--force takes it anyway)", use);
    else if (a->by_id && is_console_display(r))
        snprintf(buf, size,
                 "it shows the console of this host (give its address to add it anyway)");
}

/* If devices were given by ID, those that cannot be taken are left out. If they were given by
 * address, that is an error. */
static int add_or_leave_out(struct addition *a, const struct row *r)
{
    char why[512];

    find_objection(a, r, why, sizeof(why));
    if (!*why) {
        a->in[r - a->s->rows] = true;
        return 0;
    }
    if (!a->by_id)
        return ctl_error("%s gets no rule: %s", pci_addr_text(r->d->addr).s, why);
    ctl_note(a->s->ctl, "%s is left out: %s", pci_addr_text(r->d->addr).s, why);
    a->places = true;
    return 0;
}

/* Adds other ports of the same card and group: one cannot be used without the other. */
static int add_ports(struct addition *a)
{
    const struct source *s = a->s;
    char why[512];

    for (size_t i = 0; i < s->snapshot.n; i++)
        for (size_t k = 0; a->in[i] && k < s->snapshot.n; k++) {
            if (a->in[k] || !goes_with(&s->rows[i], &s->rows[k]))
                continue;
            find_objection(a, &s->rows[k], why, sizeof(why));
            if (*why)
                return ctl_error(
                    "%s is not added: %s shares its IOMMU group and must come along, but %s",
                    pci_addr_text(s->rows[i].d->addr).s, pci_addr_text(s->rows[k].d->addr).s, why);
            ctl_note(s->ctl, "%s comes along: it shares the IOMMU group of %s",
                     pci_addr_text(s->rows[k].d->addr).s, pci_addr_text(s->rows[i].d->addr).s);
            a->in[k] = true;
        }
    return 0;
}

static int find_devices(struct addition *a)
{
    CLEANUP(chosen_done) struct chosen devices = {0};
    const struct source *s = a->s;
    size_t n = 0;
    int r = choose(s, &devices);

    a->in = calloc(s->snapshot.n + 1, sizeof(*a->in));
    if (!a->in)
        return ctl_errno(-ENOMEM);
    a->by_id = all_are_ids(s->ctl);
    a->places = !a->by_id;
    for (size_t i = 0; r == 0 && i < devices.n; i++)
        r = add_or_leave_out(a, devices.v[i]);
    if (r == 0)
        r = add_ports(a);
    /* During the boot nothing shows whether the host uses such a device, so an ID alone is not
     * sufficient. */
    for (size_t i = 0; i < s->snapshot.n; i++) {
        n += a->in[i];
        a->places = a->places || (a->in[i] && device_may_carry_host(s->rows[i].d));
    }
    return r != 0 || n > 0 ? r : ctl_error("there is no device left to add a rule for");
}

/* -- the rule's name and file -- */

static bool is_name_taken(const struct source *s, const char *name, char *path, size_t size,
                          bool places)
{
    for (size_t i = 0; i < s->policy.n_rules; i++)
        if (streq(s->policy.rules[i].name, name))
            return true;
    /* Files with later names take precedence: a rule for certain devices must come before one for
     * all of a model. */
    snprintf(path, size, DROPIN_FOLDER "/%s-%s.conf", places ? "80" : "70", name);
    return texts_find(&s->texts, path) != NULL;
}

static int choose_name(struct addition *a)
{
    const char *wanted = a->s->ctl->name;
    char stem[RULE_TEXT_NAME_MAX];
    size_t n = 0;

    for (; wanted && is_name_char(wanted[n]); n++)
        ;
    if (wanted && (wanted[n] || n == 0 || n > RULE_NAME_MAX || *wanted == '.'))
        return ctl_error("--name takes letters, digits, \".\", \"-\" and \"_\", at most %d of them",
                         RULE_NAME_MAX),
               EXIT_USAGE;
    if (wanted) {
        snprintf(a->name, sizeof(a->name), "%s", wanted);
        return is_name_taken(a->s, wanted, a->path, sizeof(a->path), a->places)
                   ? ctl_error("rule %s already exists: choose another --name", wanted)
                   : 0;
    }
    for (n = 0; !a->in[n]; n++)
        ;
    rule_text_name(&a->s->rows[n], stem);
    snprintf(a->name, sizeof(a->name), "%s", stem);
    for (unsigned i = 2; is_name_taken(a->s, a->name, a->path, sizeof(a->path), a->places); i++)
        snprintf(a->name, sizeof(a->name), "%s-%u", stem, i);
    return 0;
}

/* -- the rule -- */

static int write_addition(struct addition *a)
{
    const struct source *s = a->s;
    char name[FIELD_TEXT_MAX];
    FILE *f = open_memstream(&a->text, &a->size);

    if (!f)
        return ctl_errno(-ENOMEM);
    fprintf(f, DROPIN_MARK "%s\n[device %s]\n", a->name, a->name);
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (a->in[i])
            fprintf(f, "# %s %s\n", pci_addr_text(s->rows[i].d->addr).s,
                    row_name(&s->rows[i], name));
    rule_text_ids(s, a->in, "", f);
    /* A rule that names each device can only match fewer: one is missing. A rule by ID also takes
     * cards that are added later, so their number is left open. */
    if (a->places) {
        rule_text_places(s, a->in, rule_text_key(s, a->in), "", f);
        rule_text_expect(s, a->in, "", f);
    }
    rule_text_neighbours(s, a->in, a->in, f);
    if (s->ctl->force)
        fputs("force = yes\n", f);
    return fclose(f) == 0 ? 0 : ctl_errno(-ENOMEM);
}

/* Does the new rule decide about each of the devices? */
static int check_addition(const struct addition *a, const struct change *change)
{
    diags_print(&change->diags, stderr);
    if (change->diags.errors > 0)
        return ctl_error("with this rule the policy would have an error");
    for (size_t i = 0; i < a->s->snapshot.n; i++) {
        const struct device *d = a->s->rows[i].d;
        const struct rule *rule = a->in[i] ? policy_match(&change->policy, d) : NULL;
        if (rule && !streq(rule->name, a->name))
            return ctl_error("[device %s] (%s:%u) comes before the new rule, and decides about %s: "
                             "change that one",
                             rule->name, policy_file(&change->policy, rule->where),
                             rule->where.line, pci_addr_text(d->addr).s);
    }
    return 0;
}

static int plan_addition(struct addition *a, struct change *change)
{
    char *bytes = strdup(a->text);
    int r = bytes ? texts_add_dropin(&a->s->texts, a->path, bytes, a->size) : -ENOMEM;

    if (r < 0) {
        free(bytes);
        return r == -EEXIST
                   ? ctl_error("a drop-in of this name already exists: choose another --name")
                   : ctl_errno(r);
    }
    r = change_plan(a->s, change);
    return r < 0 ? ctl_errno(r) : check_addition(a, change);
}

static int put_addition(struct addition *a)
{
    const struct ctl *c = a->s->ctl;
    int r = a->file.existed ? -ESTALE : install_replace(&a->file, a->text, a->size);

    if (r < 0)
        return install_complain(c, &a->file, r);
    if (a->s->this_host)
        return reload_changed(c);
    ctl_note(c, "%s is written; nothing is reloaded with --root", a->file.path);
    return EXIT_SUCCESS;
}

static int add_rule(struct addition *a)
{
    CLEANUP(change_done) struct change change = {0};
    int r = find_devices(a);

    if (r == 0)
        r = choose_name(a);
    if (r == 0)
        r = write_addition(a);
    if (r == 0)
        r = plan_addition(a, &change);
    if (r != 0)
        return r;
    r = dropin_open(a->s->ctl, a->path, &a->file);
    if (r < 0)
        return install_complain(a->s->ctl, &a->file, r);
    printf("%s:\n%s\n", a->path, a->text);
    change_print(a->s, &change);
    return question_is_granted(a->s->ctl, "Write this file and reload") ? put_addition(a)
                                                                        : EXIT_FAILURE;
}

int verb_add(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(addition_done) struct addition a = {.s = &s};
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    if (s.replayed)
        return ctl_error("a report cannot be changed");
    if (on_trial_refused(&s))
        return EXIT_FAILURE;
    diags_print(&s.diags, stderr);
    return s.diags.errors > 0 ? ctl_error("correct the policy first: vfio-bindctl edit")
                              : add_rule(&a);
}
