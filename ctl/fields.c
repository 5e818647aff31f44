/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"

static const struct column columns[FIELD_MAX] = {
    [FIELD_ADDRESS] = {"ADDRESS", 12, 0, SCOLS_JSON_STRING},
    [FIELD_ID] = {"ID", 9, 0, SCOLS_JSON_STRING},
    [FIELD_CLASS] = {"CLASS", 6, 0, SCOLS_JSON_STRING},
    [FIELD_GROUP] = {"GROUP", 5, SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER},
    [FIELD_DRIVER] = {"DRIVER", 8, 0, SCOLS_JSON_STRING},
    [FIELD_RULE] = {"RULE", 4, SCOLS_FL_TRUNC, SCOLS_JSON_STRING},
    [FIELD_STATE] = {"STATE", 5, 0, SCOLS_JSON_STRING},
    [FIELD_USABLE] = {"USABLE", 6, 0, SCOLS_JSON_BOOLEAN_OPTIONAL},
    [FIELD_REASON] = {"REASON", 6, 0, SCOLS_JSON_STRING},
    [FIELD_PROBLEMS] = {"PROBLEMS", 8, 0, SCOLS_JSON_ARRAY_STRING},
    [FIELD_ALONG] = {"ALONG", 5, 0, SCOLS_JSON_BOOLEAN_OPTIONAL},
    [FIELD_SUBSYSTEM] = {"SUBSYSTEM", 9, 0, SCOLS_JSON_STRING},
    [FIELD_SLOT] = {"SLOT", 4, 0, SCOLS_JSON_STRING},
    [FIELD_SERIAL] = {"SERIAL", 23, 0, SCOLS_JSON_STRING},
    [FIELD_NODE] = {"NODE", 12, 0, SCOLS_JSON_STRING},
    [FIELD_DEVICE_NODE] = {"DEVICE_NODE", 10, 0, SCOLS_JSON_STRING},
    [FIELD_NUMA] = {"NUMA_NODE", 4, SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER},
    [FIELD_RESOURCE] = {"RESOURCE", 8, 0, SCOLS_JSON_STRING},
    [FIELD_CLASS_NAME] = {"CLASSNAME", 9, 0, SCOLS_JSON_STRING},
    [FIELD_VENDOR] = {"VENDOR", 6, 0, SCOLS_JSON_STRING},
    [FIELD_MODEL] = {"MODEL", 5, SCOLS_FL_TRUNC, SCOLS_JSON_STRING},
    [FIELD_NAME] = {"NAME", 0.2, SCOLS_FL_TRUNC, SCOLS_JSON_STRING},
    [FIELD_SENTENCE] = {"SENTENCE", 8, 0, SCOLS_JSON_STRING},
};

const enum field fields_json[] = {
    FIELD_ADDRESS,    FIELD_ID,     FIELD_CLASS,  FIELD_GROUP,       FIELD_DRIVER, FIELD_RULE,
    FIELD_STATE,      FIELD_USABLE, FIELD_REASON, FIELD_PROBLEMS,    FIELD_ALONG,  FIELD_SUBSYSTEM,
    FIELD_SLOT,       FIELD_SERIAL, FIELD_NODE,   FIELD_DEVICE_NODE, FIELD_NUMA,   FIELD_RESOURCE,
    FIELD_CLASS_NAME, FIELD_VENDOR, FIELD_MODEL,  FIELD_SENTENCE,
};
const size_t n_fields_json = ELEMENTS(fields_json);

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
    char name[FIELD_TEXT_MAX];

    switch (f) {
    case FIELD_DRIVER:
        return r->driver;
    case FIELD_RULE:
        return r->rule;
    case FIELD_STATE:
        return r->state;
    case FIELD_USABLE:
        return r->selected ? (r->usable ? "yes" : "no") : NULL;
    case FIELD_REASON:
        return r->reason;
    case FIELD_PROBLEMS:
        return r->problems;
    case FIELD_ALONG:
        return r->selected ? (r->comes_along ? "yes" : "no") : NULL;
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
        snprintf(buf, FIELD_TEXT_MAX, "%.99s: %.400s", r->class ? r->class : "Device",
                 row_name(r, name));
        return buf;
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

void fields_table(struct table *t, const struct ctl *c, const char *name, const enum field *fields,
                  size_t n)
{
    struct column used[FIELD_MAX];

    for (size_t i = 0; i < n; i++)
        used[i] = columns[fields[i]];
    table_init(t, c, name, used, n);
}
