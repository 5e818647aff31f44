/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-json.h"

#include "fields.h"
#include "host/pci-files.h"
#include "model/sriov.h"

const char *device_extra(const struct source *s, const struct row *r, const char *property,
                         char *buf, size_t size)
{
    static const char *const attributes[][2] = {
        {"LocalCpus", "local_cpulist"},
        {"ResetMethods", "reset_method"},
        {"PowerState", "power_state"},
    };
    const char *text = r->live ? props_get(&r->live->props, property) : "";

    if (*text)
        return text;
    for (size_t i = 0; s->root_fd >= 0 && i < ELEMENTS(attributes); i++)
        if (streq(attributes[i][0], property))
            return *pci_attribute(s->root_fd, r->d->addr, attributes[i][1], buf, size) ? buf : NULL;
    return NULL;
}

char *device_vfs(const struct source *s, const struct row *r)
{
    const char *text = r->live ? props_get(&r->live->props, "VirtualFunctions") : "";

    return *text ? strdup(text) : sriov_vfs_text(&s->snapshot, r->d);
}

const char *device_interface(const struct row *r)
{
    const char *text = r->live ? props_get(&r->live->props, "Interface") : "";

    if (!r->selected)
        return NULL;
    return *text ? text : r->v ? interface_word(r->v->rule->interface) : NULL;
}

static void add_identity(struct json *j, const struct source *s, const struct row *r)
{
    static const struct {
        const char *key;
        enum field field;
    } members[] = {
        {"address", FIELD_ADDRESS},       {"id", FIELD_ID},         {"class", FIELD_CLASS},
        {"class_name", FIELD_CLASS_NAME}, {"vendor", FIELD_VENDOR}, {"model", FIELD_MODEL},
        {"subsystem", FIELD_SUBSYSTEM},   {"slot", FIELD_SLOT},     {"serial", FIELD_SERIAL},
        {"driver", FIELD_DRIVER},
    };
    char buf[FIELD_TEXT_MAX];

    for (size_t i = 0; i < ELEMENTS(members); i++)
        json_text(j, members[i].key, field_text(r, members[i].field, buf));
    json_text(j, "physical_function", r->d->vf ? pci_addr_text(r->d->pf).s : NULL);
    CLEANUP_FREE char *vfs = device_vfs(s, r);
    json_words(j, "virtual_functions", vfs, " \n");
    json_digits(j, "iommu_group", field_text(r, FIELD_GROUP, buf));
    json_text(j, "vfio_node", field_text(r, FIELD_NODE, buf));
    json_text(j, "vfio_device_node", field_text(r, FIELD_DEVICE_NODE, buf));
}

static void add_judgement(struct json *j, const struct row *r)
{
    char buf[FIELD_TEXT_MAX];

    json_bool(j, "selected", r->selected);
    json_text(j, "rule", field_text(r, FIELD_RULE, buf));
    json_text(j, "companion_of", r->comes_along ? pci_addr_text(r->leader).s : NULL);
    json_text(j, "resource", field_text(r, FIELD_RESOURCE, buf));
    json_text(j, "interface", device_interface(r));
    json_text(j, "state", r->state);
    json_text(j, "reason", r->reason);
    if (r->selected)
        json_bool(j, "usable", r->usable);
    else
        json_null(j, "usable");
    json_words(j, "problems", r->problems, "\n");
    json_text(j, "sentence", field_text(r, FIELD_SENTENCE, buf));
}

static void add_extras(struct json *j, const struct source *s, const struct row *r)
{
    char buf[FIELD_TEXT_MAX];

    json_digits(j, "numa_node", field_text(r, FIELD_NUMA, buf));
    json_text(j, "local_cpus", device_extra(s, r, "LocalCpus", buf, sizeof(buf)));
    json_words(j, "reset_methods", device_extra(s, r, "ResetMethods", buf, sizeof(buf)), " \n");
    json_text(j, "power_state", device_extra(s, r, "PowerState", buf, sizeof(buf)));
    json_text(j, "previous_driver", device_extra(s, r, "PreviousDriver", buf, sizeof(buf)));
    const char *text = device_extra(s, r, "Untouched", buf, sizeof(buf));
    if (text)
        json_bool(j, "untouched", streq(text, "yes"));
    else
        json_null(j, "untouched");
    text = device_extra(s, r, "BoundUSec", buf, sizeof(buf));
    json_digits(j, "bound_usec", text && !streq(text, "0") ? text : NULL);
}

void device_json(struct json *j, const struct source *s, const struct row *r)
{
    json_object(j, NULL);
    add_identity(j, s, r);
    add_judgement(j, r);
    add_extras(j, s, r);
    json_end(j);
}

void selected_json(struct json *j, const struct source *s)
{
    json_array(j, "devices");
    for (size_t i = 0; i < s->snapshot.n; i++)
        if (s->rows[i].selected)
            device_json(j, s, &s->rows[i]);
    json_end(j);
}

void mismatches_json(struct json *j, const struct policy *p, const struct plan *plan)
{
    json_array(j, "expect_mismatches");
    for (size_t i = 0; i < p->n_rules; i++) {
        if (!plan_is_unexpected(plan, &p->rules[i]))
            continue;
        json_object(j, NULL);
        json_text(j, "rule", p->rules[i].name);
        json_number(j, "expected", (uint64_t)p->rules[i].expect);
        json_number(j, "found", (uint64_t)plan_count_matched(plan, &p->rules[i]));
        json_end(j);
    }
    json_end(j);
}
