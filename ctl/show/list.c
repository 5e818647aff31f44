/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list, tree: all devices, and their IOMMU groups. */
#include <strings.h>

#include "choose.h"
#include "device-json.h"
#include "fields.h"
#include "model/kinds.h"
#include "open.h"

/* Does the device match --state, --driver and --class? */
static bool is_wanted(const struct ctl *c, const struct row *r)
{
    char class[FIELD_TEXT_MAX], state[FIELD_TEXT_MAX];
    const char *driver = *r->driver ? r->driver : "none";

    return (!c->state || streq(field_text(r, FIELD_STATE, state), c->state)) &&
           (!c->driver || streq(driver, c->driver)) &&
           (!c->class ||
            strncasecmp(field_text(r, FIELD_CLASS, class), c->class, strlen(c->class)) == 0);
}

static void list_json(const struct source *s, const struct chosen *devices)
{
    struct json j;

    json_begin(&j, stdout, false);
    json_array(&j, "devices");
    for (size_t i = 0; i < devices->n; i++)
        if (is_wanted(s->ctl, devices->v[i]))
            device_json(&j, s, devices->v[i]);
    json_end(&j);
    json_finish(&j);
}

int verb_list(const struct ctl *c)
{
    static const enum field fields[] = {FIELD_ADDRESS, FIELD_ID,    FIELD_GROUP, FIELD_DRIVER,
                                        FIELD_RULE,    FIELD_STATE, FIELD_NAME};
    CLEANUP(source_done) struct source s;
    CLEANUP(chosen_done) struct chosen devices = {0};
    CLEANUP(table_done) struct table t = {0};
    size_t n = 0;
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r == 0)
        r = c->n_args > 0 || c->all ? choose(&s, &devices) : choose_everything(&s, &devices);
    if (r != 0)
        return r;
    diags_print(&s.diags, stderr);
    if (c->json) {
        list_json(&s, &devices);
        return EXIT_SUCCESS;
    }
    fields_table(&t, c, fields, ELEMENTS(fields));
    for (size_t i = 0; i < devices.n; i++)
        if (is_wanted(c, devices.v[i])) {
            fields_set(&t, table_line(&t, NULL), 0, devices.v[i], fields, ELEMENTS(fields));
            n++;
        }
    if (n == 0)
        ctl_note(
            c, c->state || c->driver || c->class ? "no device matches --state, --driver and --class"
                                                 : "there is no PCI device here");
    table_fit(&t, ctl_width_if_known());
    return table_print(&t);
}

/* -- tree -- */

static const enum field tree_fields[] = {FIELD_ID, FIELD_DRIVER, FIELD_RULE, FIELD_STATE,
                                         FIELD_NAME};
#define STATE_COLUMN 4 /* after the address, ID, driver and rule */

static bool is_viable(const struct source *s, uint32_t group)
{
    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (s->snapshot.devices[i].group != group)
            continue;
        /* For another host only the selected devices are known, but its daemon reports problems of
         * their groups. */
        if (!device_is_viable(&s->snapshot.devices[i]) ||
            (s->remote && strstr(s->rows[i].problems, problem_word(PROBLEM_GROUP_NOT_VIABLE))))
            return false;
    }
    return group != NO_GROUP;
}

/* It matters only for groups with a selected device that they are not viable: other devices are on
 * their native drivers anyway. */
static bool is_worth_saying(const struct source *s, uint32_t group)
{
    for (size_t i = 0; group != NO_GROUP && i < s->snapshot.n; i++)
        if (s->snapshot.devices[i].group == group && s->rows[i].selected)
            return !is_viable(s, group);
    return false;
}

static void add_group_lines(const struct source *s, struct table *t, uint32_t group)
{
    struct libscols_line *head = table_line(t, NULL);
    bool tell = is_worth_saying(s, group);
    char text[24];

    snprintf(text, sizeof(text), "group %u", group);
    table_set(t, head, 0, group != NO_GROUP ? text : "no group");
    if (tell) {
        table_set(t, head, STATE_COLUMN, "not viable");
        table_set_colour(t, head, STATE_COLUMN, "yellow");
    }
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct device *d = &s->snapshot.devices[i];
        if (d->group != group)
            continue;
        struct libscols_line *line = table_line(t, head);
        table_set(t, line, 0, pci_addr_text(d->addr).s);
        fields_set(t, line, 1, &s->rows[i], tree_fields, ELEMENTS(tree_fields));
        if (!tell || s->rows[i].selected || device_is_viable(d))
            continue;
        table_set(t, line, STATE_COLUMN, "in the way");
        table_set_colour(t, line, STATE_COLUMN, "yellow");
    }
}

static void add_group_json(const struct source *s, struct json *j, uint32_t group)
{
    json_object(j, NULL);
    if (group == NO_GROUP) {
        json_null(j, "iommu_group");
        json_null(j, "viable");
    } else {
        json_number(j, "iommu_group", group);
        json_bool(j, "viable", is_viable(s, group));
    }
    json_array(j, "devices");
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->snapshot.devices[i].group == group)
            device_json(j, s, &s->rows[i]);
    json_end(j);
    json_end(j);
}

static int by_group_number(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* All groups without duplicates; NO_GROUP is the last one. NULL when out of memory. */
static uint32_t *find_groups(const struct source *s, size_t *ret_n)
{
    uint32_t *groups = calloc(s->snapshot.n + 1, sizeof(*groups));
    size_t n = 0;

    if (!groups)
        return NULL;
    for (size_t i = 0; i < s->snapshot.n; i++)
        groups[i] = s->snapshot.devices[i].group;
    qsort(groups, s->snapshot.n, sizeof(*groups), by_group_number);
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (i == 0 || groups[i] != groups[n - 1])
            groups[n++] = groups[i];
    *ret_n = n;
    return groups;
}

static int tree_json(const struct source *s, const uint32_t *groups, size_t n)
{
    struct json j;

    json_begin(&j, stdout, false);
    json_array(&j, "groups");
    for (size_t i = 0; i < n; i++)
        add_group_json(s, &j, groups[i]);
    json_end(&j);
    json_finish(&j);
    return EXIT_SUCCESS;
}

static int tree_text(const struct source *s, const uint32_t *groups, size_t n)
{
    CLEANUP(table_done) struct table t = {0};
    struct column columns[1 + ELEMENTS(tree_fields)] = {{"ADDRESS", SCOLS_FL_TREE}};

    for (size_t i = 0; i < ELEMENTS(tree_fields); i++)
        columns[1 + i] = field_column(tree_fields[i]);
    table_init(&t, s->ctl, columns, ELEMENTS(columns));
    for (size_t i = 0; i < n; i++)
        add_group_lines(s, &t, groups[i]);
    table_fit(&t, ctl_width_if_known());
    return table_print(&t);
}

int verb_tree(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    size_t n = 0;
    int r = source_open(c, SOURCE_DAEMON, &s);

    if (r != 0)
        return r;
    CLEANUP_FREE uint32_t *groups = find_groups(&s, &n);
    if (!groups)
        return ctl_errno(-ENOMEM);
    diags_print(&s.diags, stderr);
    return c->json ? tree_json(&s, groups, n) : tree_text(&s, groups, n);
}
