/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"

static const struct column columns[FIELD_MAX] = {
    [FIELD_ADDRESS] = {"ADDRESS", 0},
    [FIELD_ID] = {"ID", 0},
    [FIELD_CLASS] = {"CLASS", 0},
    [FIELD_GROUP] = {"GROUP", SCOLS_FL_RIGHT},
    [FIELD_DRIVER] = {"DRIVER", 0},
    [FIELD_RULE] = {"RULE", 0},
    [FIELD_STATE] = {"STATE", 0},
    [FIELD_USABLE] = {"USABLE", 0},
    [FIELD_SUBSYSTEM] = {"SUBSYSTEM", 0},
    [FIELD_SLOT] = {"SLOT", 0},
    [FIELD_SERIAL] = {"SERIAL", 0},
    [FIELD_NODE] = {"NODE", 0},
    [FIELD_DEVICE_NODE] = {"DEVICE_NODE", 0},
    [FIELD_NUMA] = {"NUMA", SCOLS_FL_RIGHT},
    [FIELD_RESOURCE] = {"RESOURCE", 0},
    [FIELD_CLASS_NAME] = {"CLASS", 0},
    [FIELD_VENDOR] = {"VENDOR", 0},
    [FIELD_MODEL] = {"MODEL", 0},
    [FIELD_NAME] = {"DEVICE", 0},
    [FIELD_SENTENCE] = {"SENTENCE", 0},
};

struct column field_column(enum field f)
{
    return columns[f];
}

const char *row_name(const struct row *r, char buf[static FIELD_TEXT_MAX])
{
    snprintf(buf, FIELD_TEXT_MAX, "%s%s%s", r->vendor ? r->vendor : "",
             r->vendor && r->name ? " " : "", r->name ? r->name : "");
    return *buf ? buf : "(not in pci.ids)";
}

/* The part that distinguishes devices comes first, since narrow terminals show no more. */
static const char *short_name(const struct row *r, char buf[static FIELD_TEXT_MAX])
{
    const char *name = r->name ? r->name : r->vendor;

    if (r->class)
        snprintf(buf, FIELD_TEXT_MAX, "%.255s%s%.200s%s", name ? name : "", name ? " (" : "",
                 r->class, name ? ")" : "");
    return r->class ? buf : name;
}

static const char *resource_of(const struct row *r)
{
    if (r->live)
        return props_get(&r->live->props, "Resource");
    return r->v && r->v->rule->resource ? r->v->rule->resource : NULL;
}

/* The numbers of the device itself. */
static const char *number_text(const struct device *d, enum field f, char *buf)
{
    switch (f) {
    case FIELD_ADDRESS:
        snprintf(buf, FIELD_TEXT_MAX, "%s", pci_addr_text(d->addr).s);
        return buf;
    case FIELD_ID:
        snprintf(buf, FIELD_TEXT_MAX, "%04x:%04x", d->vendor, d->device);
        return buf;
    case FIELD_CLASS:
        snprintf(buf, FIELD_TEXT_MAX, "%06x", d->class_code);
        return buf;
    case FIELD_SUBSYSTEM:
        snprintf(buf, FIELD_TEXT_MAX, "%04x:%04x", d->subvendor, d->subdevice);
        return buf;
    case FIELD_GROUP:
        snprintf(buf, FIELD_TEXT_MAX, "%u", d->group);
        return d->group == NO_GROUP ? NULL : buf;
    case FIELD_DEVICE_NODE:
        snprintf(buf, FIELD_TEXT_MAX, "%s", device_own_node(d).s);
        return d->cdev ? buf : NULL;
    default: /* FIELD_NODE */
        snprintf(buf, FIELD_TEXT_MAX, "%s", device_group_node(d).s);
        return d->node ? buf : NULL;
    }
}

const char *field_text(const struct row *r, enum field f, char buf[static FIELD_TEXT_MAX])
{
    switch (f) {
    case FIELD_DRIVER:
        return r->driver;
    case FIELD_RULE:
        return r->native ? r->native->name : r->rule;
    case FIELD_STATE:
        return r->native ? "native" : r->state;
    case FIELD_USABLE:
        return r->selected ? (r->usable ? "yes" : "no") : NULL;
    case FIELD_SLOT:
        return r->d->slot;
    case FIELD_SERIAL:
        return r->d->serial;
    case FIELD_RESOURCE:
        return resource_of(r);
    case FIELD_NUMA:
        snprintf(buf, FIELD_TEXT_MAX, "%d", r->numa_node);
        return r->numa_node < 0 ? NULL : buf;
    case FIELD_CLASS_NAME:
        return r->class;
    case FIELD_VENDOR:
        return r->vendor;
    case FIELD_MODEL:
        return r->name;
    case FIELD_NAME:
        return short_name(r, buf);
    case FIELD_SENTENCE:
        return r->problem ? r->problem : r->sentence;
    default:
        return number_text(r->d, f, buf);
    }
}

static const char *state_colour(const struct row *r)
{
    if (!r->selected)
        return NULL;
    if (streq(r->state, "bound"))
        return r->usable ? "green" : "yellow";
    return streq(r->state, "pending") || streq(r->state, "released") ? "yellow" : "red";
}

void fields_set(struct table *t, struct libscols_line *line, size_t first, const struct row *r,
                const enum field *fields, size_t n)
{
    char buf[FIELD_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        table_set(t, line, first + i, field_text(r, fields[i], buf));
        if (fields[i] == FIELD_STATE || fields[i] == FIELD_USABLE)
            table_set_colour(t, line, first + i, state_colour(r));
    }
}

void fields_table(struct table *t, const struct ctl *c, const enum field *fields, size_t n)
{
    struct column used[FIELD_MAX];

    for (size_t i = 0; i < n; i++)
        used[i] = columns[fields[i]];
    table_init(t, c, used, n);
}
