/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list, tree: all devices, and how the IOMMU groups them. */
#include <strings.h>

#include "choose.h"
#include "fields.h"
#include "model/kinds.h"
#include "open.h"

/* Do --state, --driver and --class let the device through? */
static bool is_wanted(const struct ctl *c, const struct row *r)
{
    char class[FIELD_TEXT_MAX];
    const char *driver = *r->driver ? r->driver : "none";

    return (!c->state || streq(r->state, c->state)) && (!c->driver || streq(driver, c->driver)) &&
           (!c->class ||
            strncasecmp(field_text(r, FIELD_CLASS, class), c->class, strlen(c->class)) == 0);
}

int verb_list(const struct ctl *c)
{
    static const enum field text_fields[] = {FIELD_ADDRESS, FIELD_ID,    FIELD_GROUP, FIELD_DRIVER,
                                             FIELD_RULE,    FIELD_STATE, FIELD_NAME};
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    CLEANUP(table_done) struct table t = {0};
    const enum field *fields = c->json ? fields_json : text_fields;
    size_t n = c->json ? n_fields_json : ELEMENTS(text_fields);
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r == 0)
        r = c->n_args > 0 || c->all ? choose(&s, &devices) : choose_everything(&s, &devices);
    if (r != 0)
        return r;
    fields_table(&t, c, "devices", fields, n);
    for (size_t i = 0; i < devices.n; i++)
        if (is_wanted(c, devices.v[i]))
            fields_set(&t, table_line(&t, NULL), 0, devices.v[i], fields, n);
    diags_print(&s.diags, stderr);
    return table_print(&t);
}

/* -- tree -- */

static const enum field tree_text[] = {FIELD_ID, FIELD_DRIVER, FIELD_RULE, FIELD_STATE, FIELD_NAME};

/* The first member that keeps the group from being viable; NULL: it is. */
static const struct device *in_the_way(const struct source *s, uint32_t group)
{
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->snapshot.devices[i].group == group && !device_is_viable(&s->snapshot.devices[i]))
            return &s->snapshot.devices[i];
    return NULL;
}

static bool has_selected(const struct source *s, uint32_t group)
{
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->snapshot.devices[i].group == group && s->rows[i].selected)
            return true;
    return false;
}

/* On another host only selected devices are known; the daemon there says what the others do. */
static bool is_viable(const struct source *s, uint32_t group)
{
    for (size_t i = 0; s->remote && i < s->snapshot.n; i++)
        if (s->snapshot.devices[i].group == group &&
            strstr(s->rows[i].problems, problem_word(PROBLEM_GROUP_NOT_VIABLE)))
            return false;
    return group != NO_GROUP && !in_the_way(s, group);
}

/* The line of the group itself. That it is not viable is news only where a rule wants a member:
 * a host's own devices are on their native drivers. */
static struct libscols_line *add_head(const struct source *s, struct table *t, uint32_t group)
{
    const struct device *hindrance = group == NO_GROUP ? NULL : in_the_way(s, group);
    struct libscols_line *head = table_line(t, NULL);
    char text[120];

    snprintf(text, sizeof(text), t->json ? "%u" : "group %u", group);
    table_set(t, head, 0, group != NO_GROUP ? text : t->json ? NULL : "no group");
    if (t->json) {
        table_set(t, head, 1, is_viable(s, group) ? "yes" : "no");
    } else if (hindrance && has_selected(s, group)) {
        snprintf(text, sizeof(text), "not viable: %s is on %s", pci_addr_text(hindrance->addr).s,
                 hindrance->driver);
        table_set(t, head, ELEMENTS(tree_text), text);
        table_set_colour(t, head, ELEMENTS(tree_text), "yellow");
    }
    return head;
}

static void list_group(const struct source *s, struct table *t, uint32_t group,
                       const enum field *fields, size_t n)
{
    struct libscols_line *head = add_head(s, t, group);
    char text[16];

    snprintf(text, sizeof(text), "%u", group);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct device *d = &s->snapshot.devices[i];
        if (d->group != group)
            continue;
        struct libscols_line *line = table_line(t, head);
        table_set(t, line, 0,
                  !t->json            ? pci_addr_text(d->addr).s
                  : group == NO_GROUP ? NULL
                                      : text);
        fields_set(t, line, t->json ? 2 : 1, &s->rows[i], fields, n);
    }
}

static int by_group_number(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

static int add_groups(const struct source *s, struct table *t, const enum field *fields, size_t n)
{
    CLEANUP_FREE uint32_t *groups = calloc(s->snapshot.n + 1, sizeof(*groups));

    if (!groups)
        return -1;
    for (size_t i = 0; i < s->snapshot.n; i++)
        groups[i] = s->snapshot.devices[i].group;
    qsort(groups, s->snapshot.n, sizeof(*groups), by_group_number); /* NO_GROUP comes last */
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (i == 0 || groups[i] != groups[i - 1])
            list_group(s, t, groups[i], fields, n);
    return 0;
}

int verb_tree(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(table_done) struct table t = {0};
    struct column columns[FIELD_MAX + 2] = {
        {c->json ? "GROUP" : "ADDRESS", 12, SCOLS_FL_TREE,
         c->json ? SCOLS_JSON_NUMBER : SCOLS_JSON_STRING},
        {"VIABLE", 6, 0, SCOLS_JSON_BOOLEAN_OPTIONAL},
    };
    const enum field *fields = c->json ? fields_json : tree_text;
    size_t n = c->json ? n_fields_json : ELEMENTS(tree_text), first = c->json ? 2 : 1, used = 0;
    enum field wanted[FIELD_MAX];
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++)
        if (!c->json || fields[i] != FIELD_GROUP) { /* the group is there already */
            wanted[used] = fields[i];
            columns[first + used++] = field_column(fields[i]);
        }
    table_init(&t, c, "groups", columns, first + used);
    if (add_groups(&s, &t, wanted, used) < 0)
        t.failed = true;
    diags_print(&s.diags, stderr);
    return table_print(&t);
}
