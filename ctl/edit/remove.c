/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove: removes drop-ins that "add" wrote. */
#include <errno.h>
#include <fnmatch.h>

#include "edit/dropin.h"
#include "edit/on-trial.h"
#include "edit/question.h"
#include "edit/reload.h"
#include "open.h"
#include "plan-diff.h"
#include "policy/select.h"

/* Does a rule of "add" name this address, even if there is no device? */
static bool has_address(const struct rule *r, struct pci_addr a)
{
    const struct patterns *p = &r->narrow[KEY_ADDRESS];

    for (size_t i = 0; i < p->n; i++)
        if (fnmatch(p->v[i], pci_addr_text(a).s, 0) == 0)
            return true;
    return false;
}

static bool has_id(const struct rule *r, struct id_pattern id)
{
    for (size_t i = 0; i < r->n_ids; i++)
        if (r->ids[i].vendor == id.vendor && (id.any_device || r->ids[i].device == id.device))
            return true;
    return false;
}

static bool is_meant(const struct source *s, const struct rule *r, const char *word)
{
    struct id_pattern id;
    struct pci_addr a;

    if (pci_addr_parse(word, &a) < 0)
        return streq(r->name, word) || (policy_parse_id(word, &id) && has_id(r, id));
    const struct device *d = snapshot_find(&s->snapshot, a);
    return has_address(r, a) || (d && policy_match(&s->policy, d) == r);
}

/* "add" writes one rule into a file: does the file still contain nothing else? */
static bool is_all_of_its_file(const struct source *s, const struct rule *r)
{
    for (size_t i = 0; i < s->policy.n_rules; i++)
        if (&s->policy.rules[i] != r && s->policy.rules[i].section.file == r->section.file)
            return false;
    return true;
}

static int mark_rule(const struct source *s, size_t i, bool *marks)
{
    const struct rule *r = &s->policy.rules[i];

    if (!is_all_of_its_file(s, r))
        return ctl_error("%s contains more than the added rule: edit it",
                         policy_file(&s->policy, r->section));
    marks[i] = true;
    return 0;
}

static bool was_added(const struct source *s, const struct rule *r)
{
    const struct text *t = texts_find(&s->texts, policy_file(&s->policy, r->section));

    return t && dropin_is_ours(t);
}

/* If the word names rules that "add" did not write, a message says so. */
static int mark_word(const struct source *s, const char *word, bool *marks)
{
    const struct rule *foreign = NULL;
    size_t n = 0;
    int error = 0;

    for (size_t i = 0; error == 0 && i < s->policy.n_rules; i++) {
        const struct rule *r = &s->policy.rules[i];
        if (word && !is_meant(s, r, word))
            continue;
        if (was_added(s, r)) {
            error = mark_rule(s, i, marks);
            n++;
        } else if (!foreign) {
            foreign = r;
        }
    }
    if (error != 0 || n > 0)
        return error;
    if (word && foreign)
        return ctl_error("\"add\" did not write [device %s] (%s:%u): to change it, use "
                         "\"vfio-bindctl edit\" or your editor",
                         foreign->name, policy_file(&s->policy, foreign->where),
                         foreign->where.line);
    return ctl_error("\"add\" wrote no rule%s%s", word ? " for " : "", word ? word : "");
}

/* -- doing it -- */

static int remove_file(const struct source *s, const char *name)
{
    CLEANUP(install_done) struct install file;
    int r = dropin_open(s->ctl, name, &file);

    if (r == 0)
        r = install_remove(&file);
    return r < 0 ? install_complain(s->ctl, &file, r) : 0;
}

static int remove_marked(const struct source *s, const bool *marks)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->policy.n_rules; i++)
        if (marks[i])
            r = remove_file(s, policy_file(&s->policy, s->policy.rules[i].section));
    if (r != 0)
        return r;
    if (s->this_host)
        return reload_changed(s->ctl);
    ctl_note(s->ctl, "removed; nothing is reloaded with --root");
    return EXIT_SUCCESS;
}

static int plan_without(struct source *s, const bool *marks)
{
    CLEANUP(change_done) struct change change = {0};

    for (size_t i = 0; i < s->policy.n_rules; i++) {
        const char *name = policy_file(&s->policy, s->policy.rules[i].section);
        if (!marks[i])
            continue;
        printf("%s will be removed.\n", name);
        texts_remove(&s->texts, name);
    }
    int r = change_plan(s, &change);
    if (r < 0)
        return ctl_errno(r);
    diags_print(&change.diags, stderr);
    if (change.diags.errors > 0)
        return ctl_error("without this rule the policy would have an error");
    change_print(s, &change);
    return 0;
}

int verb_remove(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP_FREE bool *marks = NULL;
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    if (s.replayed)
        return ctl_error("a report cannot be changed");
    if (on_trial_refused(&s))
        return EXIT_FAILURE;
    marks = calloc(s.policy.n_rules + 1, sizeof(*marks));
    r = !marks ? ctl_errno(-ENOMEM) : c->all ? mark_word(&s, NULL, marks) : 0;
    for (int i = 0; r == 0 && i < c->n_args; i++)
        r = mark_word(&s, c->args[i], marks);
    if (r == 0)
        r = plan_without(&s, marks);
    if (r != 0)
        return r;
    return question_is_granted(c, "Remove this and reload") ? remove_marked(&s, marks)
                                                            : EXIT_FAILURE;
}
