/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#include <errno.h>

#include "host/pci-files.h"
#include "physical.h"
#include "plan/text.h"

/* On hosts with one node the kernel says -1 or 0. */
static int numa_node(const struct source *s, const struct row *row)
{
    char buf[32] = "";
    const char *text = row->live ? props_get(&row->live->props, "NumaNode") : "";

    if (!*text && s->root_fd >= 0)
        text = pci_attribute(s->root_fd, row->d->addr, "numa_node", buf, sizeof(buf));
    return *text ? atoi(text) : -1;
}

/* -- by policy and /sys -- */

static char *problem_words(unsigned problems)
{
    char text[256] = "";

    for (unsigned bit = 1; bit < PROBLEM_MAX; bit <<= 1)
        if (problems & bit) {
            size_t n = strlen(text);
            snprintf(text + n, sizeof(text) - n, "%s%s", n ? "\n" : "",
                     problem_word((enum problem)bit));
        }
    return strdup(text);
}

static bool add_sentences(const struct source *s, const struct verdict *v, struct row *row)
{
    char text[SENTENCE_MAX];

    verdict_sentence(v, &s->snapshot, &s->records, text);
    row->sentence = strdup(text);
    problem_sentence(v, &s->snapshot, text);
    row->problem = *text ? strdup(text) : NULL;
    return row->sentence && (row->problem || !*text);
}

/* -- devices that are not selected -- */

static void find_native_rule(const struct source *s, struct row *row)
{
    const struct rule *own = policy_match(&s->policy, row->d);

    if (own) {
        row->native = rule_is_native(own) ? own : NULL;
        return;
    }
    for (size_t i = 0; i < s->snapshot.n && !row->native; i++) {
        const struct device *other = &s->snapshot.devices[i];
        if (other == row->d || !pci_addr_same_slot(other->addr, row->d->addr))
            continue;
        const struct rule *rule = policy_match(&s->policy, other);
        if (!rule || !rule_is_native(rule) || rule->group == GROUP_MATCHED)
            continue;
        row->native = rule;
        row->native_of = other;
    }
}

/* "it is on vfio-pci nevertheless: ..." */
static const char *driver_clause(const struct row *row, char *buf, size_t size)
{
    if (!*row->driver)
        return "it has no driver";
    snprintf(
        buf, size, "it is on %s%s", row->driver,
        driver_is_vfio(row->driver)
            ? " nevertheless: something else bound it, or it was in use when its rule was removed"
            : "");
    return buf;
}

static bool add_unselected_sentence(const struct source *s, struct row *row)
{
    char driver[200], where[RULE_NAME_MAX + 120] = "no rule selects it";
    const struct rule *rule = row->native;

    find_native_rule(s, row);
    rule = row->native;
    if (rule && row->native_of)
        snprintf(where, sizeof(where),
                 "it stays with %s of the same card, which [device %s] leaves to its native driver",
                 pci_addr_text(row->native_of->addr).s, rule->name);
    else if (rule)
        snprintf(where, sizeof(where), "[device %s] leaves it to its native driver", rule->name);
    return asprintf(&row->sentence, "%s (%04x:%04x): %s; %s", pci_addr_text(row->d->addr).s,
                    row->d->vendor, row->d->device, where,
                    driver_clause(row, driver, sizeof(driver))) >= 0;
}

static bool fill_from_plan(const struct source *s, struct row *row)
{
    const struct verdict *v = row->v;

    row->rule = row->state = row->reason = "";
    if (!v) {
        row->problems = strdup("");
        return row->problems && add_unselected_sentence(s, row);
    }
    row->selected = true;
    row->comes_along = v->comes_along;
    row->leader = v->leader;
    row->usable = v->usable;
    row->rule = v->rule->name;
    row->state = state_word(v->state);
    row->reason = reason_word(v->reason);
    row->problems = problem_words(v->problems);
    return row->problems && add_sentences(s, v, row);
}

/* -- by the daemon -- */

/* Do the policy of the files and the daemon agree about rule and state of the device? Then the
 * plan's sentences apply. */
static bool agrees(const struct row *row)
{
    return row->v && streq(row->rule, row->v->rule->name) &&
           state_parse(row->state) == row->v->state;
}

static char *generic_sentence(const struct row *row)
{
    char *text;
    int n = asprintf(&text, "%s (%04x:%04x, rule %s) %s%s%s", pci_addr_text(row->d->addr).s,
                     row->d->vendor, row->d->device, row->rule, row->state,
                     *row->reason ? ": " : "", row->reason);

    return n < 0 ? NULL : text;
}

static bool forbids_use(const char *word)
{
    for (unsigned bit = 1; bit < PROBLEM_MAX; bit <<= 1)
        if (PROBLEMS_FORBID_USE & bit && streq(word, problem_word((enum problem)bit)))
            return true;
    return false;
}

/* The words for the problems that keep the device from being used, malloc'ed. "": it has none, as
 * while another device of its group is being rebound. */
static char *grave_problems(const struct row *row)
{
    CLEANUP_FREE char *words = strdup(row->problems);
    char *rest = words, *word, *text = calloc(1, strlen(row->problems) + 1);

    while (text && rest && (word = strsep(&rest, "\n"))) {
        if (!forbids_use(word))
            continue;
        if (*text)
            strcat(text, " ");
        strcat(text, word);
    }
    if (words)
        return text;
    free(text);
    return NULL;
}

static char *generic_problem(const struct row *row, const char *problems)
{
    char *text;
    int n = asprintf(&text, "%s is bound, but not usable: %s", pci_addr_text(row->d->addr).s,
                     *problems ? problems : "vfio-bindd does not say why");

    return n < 0 ? NULL : text;
}

/* The plan's verdict, with problems that only the daemon knows. */
static struct verdict with_live_problems(const struct row *row)
{
    static const enum problem problems[] = {PROBLEM_NOT_RESPONDING, PROBLEM_RESET_METHOD};
    struct verdict v = *row->v;

    for (size_t i = 0; i < ELEMENTS(problems); i++)
        if (strstr(row->problems, problem_word(problems[i])) &&
            (problems[i] != PROBLEM_RESET_METHOD || v.rule->reset_method))
            v.problems |= problems[i];
    return v;
}

/* The daemon's reason consists of a word and a sentence, which may contain what only the daemon
 * knows. If all is well there is no reason; if the group is not viable it is a single word. */
static bool add_live_sentences(const struct source *s, struct row *row)
{
    CLEANUP_FREE char *grave = grave_problems(row);

    if (!grave)
        return false;
    bool sad = (streq(row->state, state_word(STATE_BOUND)) && !row->usable && *grave) ||
               strstr(row->problems, problem_word(PROBLEM_SWITCH_BY_WILDCARD));
    const char *word = live_reason_word(row->reason);
    size_t skip = word ? strlen(word) + 2 : 0;

    if (agrees(row)) {
        const struct verdict v = with_live_problems(row);
        if (!add_sentences(s, &v, row))
            return false;
    }
    if (!row->sentence || strchr(row->reason, ' ')) {
        free(row->sentence);
        row->sentence =
            strchr(row->reason, ' ') ? strdup(row->reason + skip) : generic_sentence(row);
    }
    if (!sad) {
        free(row->problem);
        row->problem = NULL;
    } else if (!row->problem) {
        row->problem = generic_problem(row, grave);
    }
    if (strchr(row->reason, ' ')) /* the column of the table has only words */
        row->reason = word ? word : agrees(row) ? reason_word(row->v->reason) : "";
    return row->sentence && (!sad || row->problem);
}

static bool fill_from_live(const struct source *s, struct row *row)
{
    const struct props *p = row->live ? &row->live->props : NULL;

    row->rule = row->state = row->reason = "";
    row->problems = strdup(p ? props_get(p, "Problems") : "");
    if (!row->problems)
        return false;
    if (!p || !*props_get(p, "State"))
        return add_unselected_sentence(s, row);
    row->selected = true;
    row->driver =
        props_get(p, "Driver"); /* of the same moment as the state; /sys was read before */
    row->rule = props_get(p, "Rule");
    row->state = props_get(p, "State");
    row->reason = props_get(p, "Reason");
    row->usable = streq(props_get(p, "Usable"), "yes");
    row->comes_along = pci_addr_parse(props_get(p, "CompanionOf"), &row->leader) >= 0;
    return add_live_sentences(s, row);
}

int rows_build(struct source *s)
{
    s->rows = calloc(s->snapshot.n + 1, sizeof(*s->rows));
    if (!s->rows)
        return -ENOMEM;
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct device *d = &s->snapshot.devices[i];
        struct row *row = &s->rows[i];
        *row = (struct row){.d = d,
                            .v = plan_find(&s->plan, d->addr),
                            .live = live_find(&s->live, d->addr),
                            .driver = d->driver ? d->driver : "",
                            .vendor = names_vendor(s->names, d),
                            .name = names_device(s->names, d),
                            .class = names_class(s->names, d)};
        row->numa_node = numa_node(s, row);
        for (size_t j = 0; j < s->n_boot_displays; j++)
            if (pci_addr_cmp(s->boot_displays[j], d->addr) == 0)
                row->boot_display = true;
        if (!(s->live.running ? fill_from_live(s, row) : fill_from_plan(s, row)))
            return -ENOMEM;
    }
    return 0;
}

/* -- another host -- */

static void read_id_pair(const char *text, uint16_t *first, uint16_t *second)
{
    unsigned a, b;

    if (sscanf(text, "%4x:%4x", &a, &b) == 2) {
        *first = (uint16_t)a;
        *second = (uint16_t)b;
    }
}

static char *copy_if_any(const char *text)
{
    return *text ? strdup(text) : NULL;
}

static char *base_name_if_any(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? strdup(slash + 1) : NULL;
}

/* Adds physical functions, about which the daemon reports only the state of their virtual
 * functions. */
static int physical_devices_of_live(struct source *s)
{
    CLEANUP(physicals_done) struct physicals all = {0};
    int r = physicals_read(s, &all);

    for (size_t i = 0; r == 0 && i < all.n; i++) {
        struct device d = {.detailed = true, .group = NO_GROUP};
        if (pci_addr_parse(all.v[i].address, &d.addr) == 0 && !snapshot_find(&s->snapshot, d.addr))
            r = snapshot_put(&s->snapshot, &d);
    }
    return r;
}

int rows_devices_of_live(struct source *s)
{
    for (size_t i = 0; i < s->live.n; i++) {
        const struct props *p = &s->live.devices[i].props;
        const char *group = props_get(p, "IommuGroup"), *driver = props_get(p, "Driver");
        struct device d = {.addr = s->live.devices[i].addr, .detailed = true, .group = NO_GROUP};

        read_id_pair(props_get(p, "Id"), &d.vendor, &d.device);
        read_id_pair(props_get(p, "Subsystem"), &d.subvendor, &d.subdevice);
        d.class_code = (uint32_t)strtoul(props_get(p, "Class"), NULL, 16);
        if (*group)
            d.group = (uint32_t)strtoul(group, NULL, 10);
        d.driver = *driver ? driver : NULL;
        d.vf = pci_addr_parse(props_get(p, "PhysicalFunction"), &d.pf) == 0;
        d.node = *props_get(p, "VfioNode") != '\0';
        d.cdev = base_name_if_any(props_get(p, "VfioDeviceNode"));
        d.slot = copy_if_any(props_get(p, "Slot"));
        if (snapshot_put(&s->snapshot, &d) < 0)
            return -ENOMEM;
    }
    return physical_devices_of_live(s);
}
