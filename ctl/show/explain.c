/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: walks the rules in their order and says of each why it does or does not fit. */
#include "choose.h"
#include "fields.h"
#include "model/kinds.h"
#include "open.h"

enum outcome { OUTCOME_DECIDES, OUTCOME_FITS_NOT, OUTCOME_NOT_ASKED };

static const char *const outcome_words[] = {
    [OUTCOME_DECIDES] = "decides",
    [OUTCOME_FITS_NOT] = "does not fit",
    [OUTCOME_NOT_ASKED] = "not asked",
};

struct rule_outcome {
    const struct rule *rule;
    enum outcome outcome;
    int key; /* OUTCOME_FITS_NOT: the first key that does not fit */
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
    if (at >= size) /* more than fits */
        strcpy(buf + size - 4, "...");
}

/* The device's value of a key; if there is none, `why` says so. */
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
            return d->vf ? "not known" : "none: it is no virtual function";
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
        return "in none of /sys/bus/pci/slots";
    return host && geteuid() != 0 ? "unknown (only root can read it: try sudo)" : "none";
}

static void explain_misfit(const struct source *s, const struct row *row, struct rule_outcome *f)
{
    char value[FIELD_TEXT_MAX], wanted[200];
    enum rule_key key = (enum rule_key)f->key;

    if (key == KEY_VFS) {
        snprintf(f->why, sizeof(f->why),
                 "it is a virtual function, and a rule with vfs is about physical ones (%.100s:%u)",
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

/* One finding for each rule; the first that fits decides. */
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
            snprintf(f->why, sizeof(f->why), "%s, but the first rule that fits decides",
                     f->key < 0 ? "would fit, too" : "would not fit");
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

/* Another function of the card, which a "native" rule leaves to the host together with the whole
 * card. */
static const struct row *native_of_slot(const struct source *s, const struct row *row)
{
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *other = &s->rows[i];
        const struct rule *rule = policy_match(&s->policy, other->d);
        if (other != row && pci_addr_same_slot(other->d->addr, row->d->addr) && rule &&
            rule_is_native(rule) && rule->group != GROUP_MATCHED)
            return other;
    }
    return NULL;
}

/* A selected device that this one could have come along with. */
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

/* Why a device that no rule names stays where it is, although a relative is taken. */
static const char *why_left(const struct row *row, const struct row *relative)
{
    bool same_slot = pci_addr_same_slot(row->d->addr, relative->d->addr);

    if (device_is_bridge(row->d))
        return "bridges never come along";
    if (relative->v->rule->group == GROUP_MATCHED)
        return "that rule says group = matched, so nothing comes along";
    if (row->d->vf || relative->d->vf)
        return "virtual functions never come along";
    if (same_slot && row->d->group != NO_GROUP && row->d->group == relative->d->group)
        return "this host may live on it, so it does not come along: a rule must name it, and "
               "until "
               "then neither is taken";
    if (same_slot)
        return "it is a disk, network or USB controller in an IOMMU group of its own, and these "
               "come along only when they share the group";
    return "it shares the IOMMU group but not the slot, and comes along only with group = all";
}

static void print_relations(const struct source *s, const struct row *row)
{
    const struct rule *rule = policy_match(&s->policy, row->d);
    const struct row *other;
    char text[512] = "";

    if (row->v && row->v->comes_along) {
        snprintf(text, sizeof(text),
                 "No rule names it, but it comes along with %s, which [device %s] selects (group = "
                 "%s).",
                 pci_addr_text(row->v->leader).s, row->v->rule->name,
                 row->v->rule->group == GROUP_ALL ? "all" : "functions");
    } else if (!row->v && !(rule && rule_is_native(rule)) && (other = native_of_slot(s, row))) {
        snprintf(text, sizeof(text),
                 "It stays with the host together with %s of the same card, which [device %s] "
                 "leaves to its native driver.",
                 pci_addr_text(other->d->addr).s, policy_match(&s->policy, other->d)->name);
    } else if (!row->v && !rule && (other = selected_relative(s, row))) {
        snprintf(text, sizeof(text), "%s is selected by [device %s], but this one stays: %s.",
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
        printf("Along with it: %s %s\n", pci_addr_text(s->rows[i].d->addr).s,
               row_name(&s->rows[i], name));
    }
}

/* -- the verdict -- */

/* The daemon may know more, or have read an older policy. */
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

/* "left to i915", "left without a driver". */
static void native_verdict(const struct row *row, char *buf, size_t size)
{
    bool vfio = driver_is_vfio(row->driver);

    snprintf(buf, size, "%s no rule of vfio-bindd takes it: %s%s%s", pci_addr_text(row->d->addr).s,
             vfio           ? "it is on "
             : *row->driver ? "left to "
                            : "left alone, without a driver",
             row->driver,
             vfio ? " all the same (by something else, or still in use when its rule was removed)"
                  : "");
}

static void verdict_text(const struct row *row, char *buf, size_t size)
{
    if (row->sentence)
        snprintf(buf, size, "%s%s%s", row->sentence, row->problem ? "; " : "",
                 row->problem ? row->problem : "");
    else
        native_verdict(row, buf, size);
}

static int print_text(const struct source *s, const struct row *row, const struct rule_outcome *v)
{
    char name[FIELD_TEXT_MAX], text[2 * FIELD_TEXT_MAX + 160];

    printf("%s [%s] %s\n\n", pci_addr_text(row->d->addr).s, field_text(row, FIELD_ID, text),
           row_name(row, name));
    if (s->policy.n_rules == 0)
        printf("The policy has no rule. Next: vfio-bindctl suggest\n");
    for (size_t i = 0; i < s->policy.n_rules; i++) {
        const struct rule_outcome *f = &v[i];
        printf("%zu. [device %s] (%s:%u): %s\n   ", i + 1, f->rule->name,
               policy_file(&s->policy, f->rule->where), f->rule->where.line,
               outcome_words[f->outcome]);
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

static int print_explanation_json(const struct source *s, const struct row *row,
                                  const struct rule_outcome *v)
{
    static const struct column columns[] = {
        {"RULE", 0, 0, SCOLS_JSON_STRING},   {"FILE", 0, 0, SCOLS_JSON_STRING},
        {"LINE", 0, 0, SCOLS_JSON_NUMBER},   {"OUTCOME", 0, 0, SCOLS_JSON_STRING},
        {"MISFIT", 0, 0, SCOLS_JSON_STRING}, {"WHY", 0, 0, SCOLS_JSON_STRING},
    };
    CLEANUP(table_done) struct table t = {0};
    CLEANUP_FREE char *head = NULL;
    char text[2 * FIELD_TEXT_MAX + 160];
    size_t size;
    FILE *f = open_memstream(&head, &size);

    if (!f)
        return EXIT_FAILURE;
    verdict_text(row, text, sizeof(text));
    fprintf(f, "\"address\": \"%s\",\n   \"rule\": ", pci_addr_text(row->d->addr).s);
    json_string(f, *row->rule ? row->rule : NULL);
    fputs(",\n   \"state\": ", f);
    json_string(f, *row->state ? row->state : NULL);
    fputs(",\n   \"verdict\": ", f);
    json_string(f, text);
    if (fclose(f) != 0)
        return EXIT_FAILURE;
    table_init(&t, s->ctl, "rules", columns, ELEMENTS(columns));
    for (size_t i = 0; i < s->policy.n_rules; i++) {
        struct libscols_line *line = table_line(&t, NULL);
        snprintf(text, sizeof(text), "%u", v[i].rule->where.line);
        table_set(&t, line, 0, v[i].rule->name);
        table_set(&t, line, 1, policy_file(&s->policy, v[i].rule->where));
        table_set(&t, line, 2, text);
        table_set(&t, line, 3, outcome_words[v[i].outcome]);
        table_set(&t, line, 4,
                  v[i].outcome == OUTCOME_FITS_NOT ? rule_key_name((enum rule_key)v[i].key) : NULL);
        table_set(&t, line, 5, v[i].why);
    }
    return table_print_after(&t, head);
}

static int explain_device(const struct source *s, const struct row *row)
{
    CLEANUP_FREE struct rule_outcome *v = examine(s, row);

    if (!v)
        return ctl_errno(-ENOMEM);
    return s->ctl->json ? print_explanation_json(s, row, v) : print_text(s, row, v);
}

int verb_explain(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    int r = source_open(c, SOURCE_DAEMON | SOURCE_FILES, &s);

    if (r == 0)
        r = choose(&s, &devices);
    if (r == 0)
        diags_print(&s.diags, stderr);
    for (size_t i = 0; r == 0 && i < devices.n; i++) {
        fputs(i > 0 && !c->json ? "\n" : "", stdout);
        r = explain_device(&s, devices.v[i]);
    }
    return r;
}
