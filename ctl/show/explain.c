/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: goes through the rules in matching order, and prints for each why it does or does not
 * match. */
#include <errno.h>

#include "choose.h"
#include "fields.h"
#include "json.h"
#include "model/kinds.h"
#include "open.h"

enum outcome { OUTCOME_DECIDES, OUTCOME_FITS_NOT, OUTCOME_NOT_ASKED };

static const struct {
    const char *text, *json;
} outcome_words[] = {
    [OUTCOME_DECIDES] = {"decides", "decides"},
    [OUTCOME_FITS_NOT] = {"does not match", "no-match"},
    [OUTCOME_NOT_ASKED] = {"not asked", "not-tried"},
};

struct rule_outcome {
    const struct rule *rule;
    enum outcome outcome;
    int key; /* OUTCOME_FITS_NOT: the first key that does not match */
    char why[512];
};

static void list_patterns(const struct rule *r, enum rule_key key, char *buf, size_t size)
{
    size_t at = 0;

    buf[0] = '\0';
    for (size_t i = 0; key == KEY_ID && i < r->n_ids && at < size; i++)
        at +=
            (size_t)snprintf(buf + at, size - at, r->ids[i].any_device ? "%s%04x:*" : "%s%04x:%04x",
                             i ? ", " : "", r->ids[i].vendor, r->ids[i].device);
    for (size_t i = 0; key != KEY_ID && i < r->narrow[key].n && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "", r->narrow[key].v[i]);
    if (at >= size) /* more than the buffer holds */
        strcpy(buf + size - 4, "...");
}

/* The device's value of a key. If there is none, `why` gets the reason. */
static const char *device_value(const struct row *row, enum rule_key key, bool host,
                                char buf[static FIELD_TEXT_MAX])
{
    static const enum field fields[KEY_SELECTS_MAX] = {
        [KEY_ID] = FIELD_ID,           [KEY_CLASS] = FIELD_CLASS, [KEY_SUBSYSTEM] = FIELD_SUBSYSTEM,
        [KEY_ADDRESS] = FIELD_ADDRESS, [KEY_SLOT] = FIELD_SLOT,   [KEY_SERIAL] = FIELD_SERIAL,
    };
    const struct device *d = row->d;

    if (key == KEY_VF_OF || key == KEY_VF_INDEX) {
        if (!d->vf || (key == KEY_VF_INDEX && d->vf_number == 0))
            return d->vf ? "not known" : "none: it is not a virtual function";
        if (key == KEY_VF_INDEX)
            snprintf(buf, FIELD_TEXT_MAX, "%u", d->vf_number - 1U);
        else
            snprintf(buf, FIELD_TEXT_MAX, "%s%s%.60s", pci_addr_text(d->pf).s,
                     d->pf_slot ? ", slot " : "", d->pf_slot ? d->pf_slot : "");
        return buf;
    }
    const char *text = field_text(row, fields[key], buf);
    if (text)
        return text;
    if (key == KEY_SLOT)
        return "none (not in /sys/bus/pci/slots)";
    return host && geteuid() != 0 ? "unknown (only root can read it: try sudo)" : "none";
}

static void explain_misfit(const struct source *s, const struct row *row, struct rule_outcome *f)
{
    char value[FIELD_TEXT_MAX], wanted[200];
    enum rule_key key = (enum rule_key)f->key;

    if (key == KEY_VFS) {
        snprintf(
            f->why, sizeof(f->why),
            "it is a virtual function, and a rule with vfs is for physical functions (%.100s:%u)",
            policy_file(&s->policy, f->rule->keys[key]), f->rule->keys[key].line);
        return;
    }
    list_patterns(f->rule, key, wanted, sizeof(wanted));
    snprintf(f->why, sizeof(f->why), "%s is %.120s, the rule wants %s (%.100s:%u)",
             rule_key_name(key), device_value(row, key, s->this_host, value), wanted,
             policy_file(&s->policy, f->rule->keys[key]), f->rule->keys[key].line);
}

static void explain_fit(const struct row *row, struct rule_outcome *f)
{
    char value[FIELD_TEXT_MAX];
    size_t at = 0;

    for (enum rule_key key = 0; key < KEY_SELECTS_MAX; key++)
        if (f->rule->keys[key].line > 0 && at < sizeof(f->why))
            at += (size_t)snprintf(f->why + at, sizeof(f->why) - at, "%s%s = %.60s", at ? ", " : "",
                                   rule_key_name(key), device_value(row, key, false, value));
    if (at < sizeof(f->why))
        snprintf(f->why + at, sizeof(f->why) - at, "%s",
                 rule_is_native(f->rule) ? ": left to its native driver" : "");
}

/* One result for each rule; the first rule that matches decides. */
static struct rule_outcome *examine(const struct source *s, const struct row *row)
{
    struct rule_outcome *v = calloc(s->policy.n_rules + 1, sizeof(*v));
    bool decided = false;

    for (size_t i = 0; v && i < s->policy.n_rules; i++) {
        struct rule_outcome *f = &v[i];
        f->rule = &s->policy.rules[i];
        f->key = rule_test(f->rule, row->d);
        if (decided) {
            f->outcome = OUTCOME_NOT_ASKED;
            snprintf(f->why, sizeof(f->why), "%s, but the first matching rule decides",
                     f->key < 0 ? "would match, too" : "would not match");
        } else if (f->key < 0) {
            f->outcome = OUTCOME_DECIDES;
            decided = true;
            explain_fit(row, f);
        } else {
            f->outcome = OUTCOME_FITS_NOT;
            explain_misfit(s, row, f);
        }
    }
    return v;
}

/* -- what comes along -- */

/* A selected device with which this one could have come along. */
static const struct row *selected_relative(const struct source *s, const struct row *row)
{
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        bool related = pci_addr_same_slot(other->d->addr, row->d->addr) ||
                       (row->d->group != NO_GROUP && other->d->group == row->d->group);
        if (other != row && other->v && !other->v->comes_along && related)
            return other;
    }
    return NULL;
}

/* The reason why a device without a rule is not taken although a relative is. */
static const char *why_left(const struct row *row, const struct row *relative)
{
    bool same_slot = pci_addr_same_slot(row->d->addr, relative->d->addr);

    if (device_is_bridge(row->d))
        return "bridges never come along";
    if (relative->v->rule->group == GROUP_MATCHED)
        return "that rule has group = matched";
    if (row->d->vf || relative->d->vf)
        return "virtual functions never come along";
    if (same_slot && row->d->group != NO_GROUP && row->d->group == relative->d->group)
        return "this host may need it: until a rule names it, neither is taken";
    if (same_slot)
        return "it is a disk, network or USB controller, which only comes along if it shares the "
               "IOMMU group";
    return "it shares the IOMMU group but not the slot, and comes along only with group = all";
}

static void print_relations(const struct source *s, const struct row *row)
{
    const struct rule *rule = policy_match(&s->policy, row->d);
    const struct row *other;
    char text[512] = "";

    if (row->v && row->v->comes_along) {
        snprintf(text, sizeof(text),
                 "No rule selects it, but it comes along with %s, which [device %s] selects (group "
                 "= %s).",
                 pci_addr_text(row->v->leader).s, row->v->rule->name,
                 row->v->rule->group == GROUP_ALL ? "all" : "functions");
    } else if (!row->v && !rule && !row->native && (other = selected_relative(s, row))) {
        snprintf(text, sizeof(text),
                 "%s is selected by [device %s], but this one does not come along: %s.",
                 pci_addr_text(other->d->addr).s, other->v->rule->name, why_left(row, other));
    }
    if (*text)
        ctl_wrap(stdout, text, 0, 0);
}

static void print_followers(const struct source *s, const struct row *row)
{
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct verdict *v = s->rows[i].v;
        char name[FIELD_TEXT_MAX];
        if (!v || !v->comes_along || pci_addr_cmp(v->leader, row->d->addr) != 0)
            continue;
        printf("Companion: %s %s\n", pci_addr_text(s->rows[i].d->addr).s,
               row_name(&s->rows[i], name));
    }
}

/* -- the verdict -- */

/* The daemon may know more, or use an older policy. */
static void print_live(const struct row *row)
{
    const char *files = row->v ? row->v->rule->name : "";

    if (row->selected && !streq(row->rule, files))
        printf("The running vfio-bindd has rule \"%s\" for it: the files have changed since "
               "(vfio-bindctl reload).\n",
               row->rule);
    else if (!row->selected && row->v)
        printf("The running vfio-bindd has no rule for it: the files have changed since "
               "(vfio-bindctl reload).\n");
}

static void verdict_text(const struct row *row, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s%s", row->sentence, row->problem ? "; " : "",
             row->problem ? row->problem : "");
}

static int print_text(const struct source *s, const struct row *row, const struct rule_outcome *v)
{
    char name[FIELD_TEXT_MAX], text[2 * FIELD_TEXT_MAX + 160];

    printf("%s [%s] %s\n\n", pci_addr_text(row->d->addr).s, field_text(row, FIELD_ID, text),
           row_name(row, name));
    if (s->texts.unreadable.n > 0)
        printf("Part of the policy could not be read, so there may be more rules.\n");
    else if (s->policy.n_rules == 0)
        printf("The policy has no rule. Next: vfio-bindctl suggest\n");
    for (size_t i = 0; i < s->policy.n_rules; i++) {
        const struct rule_outcome *f = &v[i];
        printf("%zu. [device %s] (%s:%u): %s\n   ", i + 1, f->rule->name,
               policy_file(&s->policy, f->rule->where), f->rule->where.line,
               outcome_words[f->outcome].text);
        ctl_wrap(stdout, f->why, 3, 3);
    }
    putchar('\n');
    print_relations(s, row);
    print_followers(s, row);
    if (s->live.running)
        print_live(row);
    verdict_text(row, text, sizeof(text));
    fputs("Verdict: ", stdout);
    ctl_wrap(stdout, text, 9, 9);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void add_explanation(struct json *j, const struct source *s, const struct row *row,
                            const struct rule_outcome *v)
{
    char text[2 * FIELD_TEXT_MAX + 160];

    verdict_text(row, text, sizeof(text));
    json_object(j, NULL);
    json_text(j, "address", pci_addr_text(row->d->addr).s);
    json_text(j, "rule", row->native ? row->native->name : row->rule);
    json_text(j, "state", row->state);
    json_text(j, "verdict", text);
    json_array(j, "rules");
    for (size_t i = 0; i < s->policy.n_rules; i++) {
        bool misfit = v[i].outcome == OUTCOME_FITS_NOT;
        json_object(j, NULL);
        json_text(j, "rule", v[i].rule->name);
        json_text(j, "file", policy_file(&s->policy, v[i].rule->where));
        json_number(j, "line", v[i].rule->where.line);
        json_text(j, "outcome", outcome_words[v[i].outcome].json);
        json_text(j, "misfit", misfit ? rule_key_name((enum rule_key)v[i].key) : NULL);
        json_text(j, "why", v[i].why);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

/* j NULL: as text. */
static int explain_device(struct json *j, const struct source *s, const struct row *row)
{
    CLEANUP_FREE struct rule_outcome *v = examine(s, row);

    if (!v)
        return ctl_errno(-ENOMEM);
    if (!j)
        return print_text(s, row, v);
    add_explanation(j, s, row, v);
    return EXIT_SUCCESS;
}

int verb_explain(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    struct json j;
    int r = source_open(c, SOURCE_DAEMON | SOURCE_FILES, &s);

    if (r == 0)
        r = choose(&s, &devices);
    if (r != 0)
        return r;
    diags_print(&s.diags, stderr);
    if (c->json) {
        json_begin(&j, stdout, false);
        json_array(&j, "devices");
    }
    for (size_t i = 0; r == 0 && i < devices.n; i++) {
        fputs(i > 0 && !c->json ? "\n" : "", stdout);
        r = explain_device(c->json ? &j : NULL, &s, devices.v[i]);
    }
    if (c->json && r == 0) {
        json_end(&j);
        json_finish(&j);
    }
    return r;
}
