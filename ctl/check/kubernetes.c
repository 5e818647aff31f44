/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: which of the usable devices kubelet has seen, by its device plugin checkpoint. (Its
 * pod-resources socket would tell the same by gRPC, for which this is no reason.) */
#include <errno.h>
#include <yaml.h>

#include "check/files.h"
#include "check/parts.h"

#define CHECKPOINT "var/lib/kubelet/device-plugins/kubelet_internal_checkpoint"
#define DEPTH_MAX 200

/* -- the checkpoint: JSON, which is YAML as well -- */

static bool is_word(const yaml_node_t *node, const char *word)
{
    return node && node->type == YAML_SCALAR_NODE &&
           streq((const char *)node->data.scalar.value, word);
}

/* The member of an object, or NULL. */
static yaml_node_t *member(yaml_document_t *d, const yaml_node_t *node, const char *name)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++)
        if (is_word(yaml_document_get_node(d, p->key), name))
            return yaml_document_get_node(d, p->value);
    return NULL;
}

static bool holds(yaml_document_t *d, const yaml_node_t *list, const char *word)
{
    if (!list || list->type != YAML_SEQUENCE_NODE)
        return false;
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
         i++)
        if (is_word(yaml_document_get_node(d, *i), word))
            return true;
    return false;
}

/* libyaml's time grows with the square of the depth; kubelet needs five. */
static bool is_too_deep(const char *text)
{
    int depth = 0;

    for (; *text && depth <= DEPTH_MAX; text++)
        depth += *text == '[' || *text == '{' ? 1 : *text == ']' || *text == '}' ? -1 : 0;
    return depth > DEPTH_MAX;
}

static bool load(const char *text, size_t size, yaml_document_t *ret)
{
    yaml_parser_t parser;

    if (is_too_deep(text) || !yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    int ok = yaml_parser_load(&parser, ret);
    yaml_parser_delete(&parser);
    return ok;
}

/* -- what should be there -- */

struct pod_tally {
    size_t expected, seen, stale;
    char *missing; /* "16, 17" */
};

/* KubeVirt's ID of a device is its IOMMU group; a group counts once. */
static bool is_advertised(const struct row *r, const char *resource)
{
    return r->usable && r->v && !r->comes_along && r->v->rule->resource &&
           streq(r->v->rule->resource, resource) && streq(r->driver, "vfio-pci");
}

static void count_expected(struct check *c, yaml_document_t *d, const yaml_node_t *ids,
                           const char *resource, struct pod_tally *t)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        char group[16];
        bool counted = false;
        if (!is_advertised(r, resource))
            continue;
        for (size_t j = i;
             j-- > 0 && !counted && pci_addr_same_slot(c->s->rows[j].d->addr, r->d->addr);)
            counted =
                c->s->rows[j].d->group == r->d->group && is_advertised(&c->s->rows[j], resource);
        if (counted)
            continue;
        snprintf(group, sizeof(group), "%u", r->d->group);
        t->expected++;
        if (holds(d, ids, group))
            t->seen++;
        else
            check_append(c, &t->missing, ", ", "%s", group);
    }
}

/* An ID of a group that is not usable (any more). */
static size_t count_stale(const struct check *c, yaml_document_t *d, const yaml_node_t *ids,
                          const char *resource)
{
    size_t stale = 0;

    if (!ids || ids->type != YAML_SEQUENCE_NODE)
        return 0;
    for (yaml_node_item_t *i = ids->data.sequence.items.start; i < ids->data.sequence.items.top;
         i++) {
        bool usable = false;
        for (size_t j = 0; j < c->s->snapshot.n && !usable; j++) {
            char group[16];
            snprintf(group, sizeof(group), "%u", c->s->rows[j].d->group);
            usable = is_advertised(&c->s->rows[j], resource) &&
                     is_word(yaml_document_get_node(d, *i), group);
        }
        stale += !usable;
    }
    return stale;
}

/* -- what to say -- */

static void restart_handler(struct check *c)
{
    check_remedy(c, "kubectl -n kubevirt delete pod -l kubevirt.io=virt-handler --field-selector "
                    "spec.nodeName=\"$(hostname)\"");
}

static void check_resource(struct check *c, yaml_document_t *d, const yaml_node_t *registered,
                           const char *resource)
{
    yaml_node_t *ids = member(d, registered, resource);
    struct pod_tally t = {0};

    count_expected(c, d, ids, resource, &t);
    t.stale = count_stale(c, d, ids, resource);
    if (t.expected > 0 && !ids) {
        check_add(c, FINDING_WARN, "kubelet",
                  "kubelet knows no %s, of which %zu %s usable: is it permitted in the KubeVirt "
                  "object?",
                  resource, t.expected, t.expected == 1 ? "is" : "are");
        check_remedy(c, "kubectl get kubevirts -A -o jsonpath='{.items[*].spec.configuration."
                        "permittedHostDevices}'");
    } else if (t.missing) {
        check_add(c, FINDING_WARN, "kubelet",
                  "kubelet has seen %zu of %zu usable devices of %s; not those of the IOMMU "
                  "group%s %s: virt-handler looks for devices only when it starts",
                  t.seen, t.expected, resource, t.expected - t.seen == 1 ? "" : "s", t.missing);
        restart_handler(c);
    } else if (t.expected > 0) {
        check_add(c, FINDING_OK, "kubelet", "kubelet has seen all %zu usable devices of %s",
                  t.expected, resource);
    }
    if (t.stale > 0) {
        check_add(c, FINDING_WARN, "kubelet",
                  "kubelet still lists %zu device%s of %s that %s not usable", t.stale,
                  t.stale == 1 ? "" : "s", resource, t.stale == 1 ? "is" : "are");
        restart_handler(c);
    }
    free(t.missing);
}

/* Is this the first rule with this resource? Several rules may have the same. */
static bool is_first(const struct policy *p, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (p->rules[j].resource && streq(p->rules[j].resource, p->rules[i].resource))
            return false;
    return true;
}

void check_kubernetes(struct check *c)
{
    const struct policy *p = &c->s->policy;
    CLEANUP_FREE char *text = check_read(c, CHECKPOINT);
    yaml_document_t d;

    if (!text)
        return;
    if (!load(text, strlen(text), &d)) {
        check_unseen(c, "/" CHECKPOINT, -EBADMSG);
        return;
    }
    yaml_node_t *data = member(&d, yaml_document_get_root_node(&d), "Data");
    yaml_node_t *registered = member(&d, data, "RegisteredDevices");
    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].resource && is_first(p, i))
            check_resource(c, &d, registered, p->rules[i].resource);
    yaml_document_delete(&d);
}
