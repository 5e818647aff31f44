/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export kubevirt -, hco -: adds the devices to the object of a cluster; the output is the whole
 * object, or a patch. Existing entries are kept, and nothing is added twice. */
#include "export/merge.h"

#include <errno.h>
#include <strings.h>

#include "export/object.h"

/* The position of a list in the object. */
struct list_place {
    const char *const *path;
    size_t depth;   /* length of the path */
    size_t existed; /* how many of its keys existed before */
    bool grew;      /* something was added to the list */
};

static void count_existing(const struct doc *d, struct list_place *p)
{
    size_t at = doc_root(d);

    for (p->existed = 0; p->existed < p->depth; p->existed++) {
        ssize_t value = doc_get(d, at, p->path[p->existed]);
        if (value < 0 || doc_is_null(d, (size_t)value))
            return;
        at = (size_t)value;
    }
}

/* Goes to the list, and creates missing keys on the way. */
static int enter_list(struct doc *d, const struct list_place *p, size_t *ret)
{
    size_t at = doc_root(d);
    int r = 0;

    for (size_t i = 0; i < p->depth && r == 0; i++)
        r = doc_enter(d, at, p->path[i], DOC_MAKE | (i == p->depth - 1 ? DOC_LIST : 0), &at);
    *ret = at;
    return r;
}

/* The index of the node after the first n keys, which exist. */
static size_t find(const struct doc *d, const struct list_place *p, size_t n)
{
    size_t at = doc_root(d);

    for (size_t i = 0; i < n; i++)
        at = (size_t)doc_get(d, at, p->path[i]);
    return at;
}

static bool is_scalar(const struct doc *d, ssize_t node, const char *word)
{
    return node >= 0 && d->v[node].type == YAML_SCALAR_EVENT &&
           streq((const char *)d->v[node].data.scalar.value, word);
}

/* Is the device already listed? If its name there is another one, that one is kept. */
static bool is_listed(struct export *e, const struct permit_target *t, const struct doc *d,
                      size_t list, const struct export_item *item)
{
    for (size_t i = list + 1; d->v[i].type != YAML_SEQUENCE_END_EVENT; i = doc_next(d, i)) {
        const char *selector = doc_get_text(d, i, t->selector);
        const char *resource = doc_get_text(d, i, "resourceName");
        if (!selector || strcasecmp(selector, export_id(item->vendor, item->device).s) != 0)
            continue;
        if (!resource || !streq(resource, item->resource))
            export_cannot(
                e, "line %zu: %s is listed already, as %s and not as %s: it stays as it is",
                doc_line(d, i), selector, resource ? resource : "nothing", item->resource);
        /* HyperConverged's own default entries cannot be removed, only disabled. */
        if (is_scalar(d, doc_get(d, i, "disabled"), "true"))
            export_cannot(e,
                          "line %zu: %s is listed as disabled, so HyperConverged permits none: "
                          "write \"disabled: false\" there if that is wrong",
                          doc_line(d, i), selector);
        return true;
    }
    return false;
}

/* added[i]: item i is new */
static int add_permitted(struct export *e, const struct permit_target *t, struct doc *d,
                         struct list_place *p, bool added[])
{
    size_t list;
    int r = enter_list(d, p, &list);

    for (size_t i = 0; i < e->n_items && r == 0; i++) {
        struct doc entry = {0};
        if (is_listed(e, t, d, list, &e->items[i]))
            continue;
        permit_add_device(&entry, t, &e->items[i]);
        doc_splice(d, doc_next(d, list) - 1, 0, &entry);
        added[i] = p->grew = true;
    }
    return r;
}

/* KubeVirt's webhook refuses a gate that is in both lists (1.9.0,
 * webhooks/kubevirt-update-admitter.go). */
static int refuse_disabled_gate(const struct doc *d, const struct list_place *gates)
{
    ssize_t at = (ssize_t)doc_root(d);

    for (size_t i = 0; i < gates->depth && at >= 0; i++)
        at =
            doc_get(d, (size_t)at, i == gates->depth - 1 ? "disabledFeatureGates" : gates->path[i]);
    if (at < 0 || d->v[at].type != YAML_SEQUENCE_START_EVENT)
        return 0;
    for (size_t i = (size_t)at + 1; d->v[i].type != YAML_SEQUENCE_END_EVENT; i = doc_next(d, i))
        if (is_scalar(d, (ssize_t)i, "HostDevices"))
            return ctl_error("line %zu: disabledFeatureGates has HostDevices, which these devices "
                             "need, and KubeVirt refuses a gate in both lists: take it out there "
                             "first",
                             doc_line(d, i));
    return 0;
}

static int add_gate(struct doc *d, struct list_place *p)
{
    struct doc entry = {0};
    size_t list;
    int r = refuse_disabled_gate(d, p);

    if (r == 0)
        r = enter_list(d, p, &list);

    if (r != 0)
        return r;
    for (size_t i = list + 1; d->v[i].type != YAML_SEQUENCE_END_EVENT; i = doc_next(d, i))
        if (is_scalar(d, (ssize_t)i, "HostDevices"))
            return 0;
    doc_text(&entry, "HostDevices");
    doc_splice(d, doc_next(d, list) - 1, 0, &entry);
    p->grew = true;
    return 0;
}

/* -- as a patch -- */

/* "/spec/configuration/permittedHostDevices" for n = 3 */
static void pointer(const struct list_place *p, size_t n, const char *end, char *buf, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "/%s", p->path[i]);
    if (used < size)
        snprintf(buf + used, size - used, "%s", end);
}

/* Adds the missing part of the path as a whole. Returns false if the list exists, and the caller
 * must append. */
static bool add_missing(struct doc *patch, const struct doc *d, const struct list_place *p)
{
    char path[160];

    if (p->existed == p->depth)
        return false;
    pointer(p, p->existed + 1, "", path, sizeof(path));
    export_begin_add(patch, path);
    doc_copy(patch, d, find(d, p, p->existed + 1));
    doc_map_end(patch);
    return true;
}

static void form_json(const struct export *e, const struct permit_target *t, const struct doc *d,
                      const struct list_place *devices, const struct list_place *gates,
                      const bool added[], struct doc *patch)
{
    char path[160];

    doc_list(patch);
    if (devices->grew && !add_missing(patch, d, devices)) {
        pointer(devices, devices->depth, "/-", path, sizeof(path));
        for (size_t i = 0; i < e->n_items; i++) {
            if (!added[i])
                continue;
            export_begin_add(patch, path);
            permit_add_device(patch, t, &e->items[i]);
            doc_map_end(patch);
        }
    }
    /* Both lists are below spec.configuration. If that is created, the first operation contains
     * both. */
    bool made = devices->grew && devices->existed < 2;
    if (gates->grew && !made && !add_missing(patch, d, gates)) {
        pointer(gates, gates->depth, "/-", path, sizeof(path));
        export_begin_add(patch, path);
        doc_text(patch, "HostDevices");
        doc_map_end(patch);
    }
    doc_list_end(patch);
}

/* A merge patch replaces lists, so it must contain them completely. Both are two keys below their
 * common parent. */
static void form_merge(const struct doc *d, const struct list_place *devices,
                       const struct list_place *gates, struct doc *patch)
{
    const struct list_place *const places[] = {gates, devices};
    size_t shared = devices->depth - 2;

    doc_map(patch);
    for (size_t i = 0; i < shared; i++) {
        doc_text(patch, devices->path[i]);
        doc_map(patch);
    }
    for (size_t i = 0; i < ELEMENTS(places); i++) {
        if (!places[i]->grew)
            continue;
        doc_text(patch, places[i]->path[shared]);
        doc_map(patch);
        doc_text(patch, places[i]->path[shared + 1]);
        doc_copy(patch, d, find(d, places[i], shared + 2));
        doc_map_end(patch);
    }
    for (size_t i = 0; i < shared; i++)
        doc_map_end(patch);
    doc_map_end(patch);
}

static bool has_alias(const struct doc *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].type == YAML_ALIAS_EVENT)
            return true;
    return false;
}

static int write_patch(struct export *e, const struct permit_target *t, const struct doc *d,
                       const struct list_place *devices, const struct list_place *gates,
                       const bool added[])
{
    CLEANUP(doc_done) struct doc patch = {0};

    if (has_alias(d))
        return ctl_error("the object on standard input has aliases (*x): write them out");
    doc_begin(&patch);
    if (streq(e->ctl->patch, "json"))
        form_json(e, t, d, devices, gates, added, &patch);
    else
        form_merge(d, devices, gates, &patch);
    doc_end(&patch);
    return export_write_docs(e, &patch, 1);
}

/* The API server drops members of spec without a value (null), and the schemas of both kinds allow
 * none there: strict validation of the object would fail. */
static void drop_nulls(const struct export *e, struct doc *d)
{
    ssize_t spec = doc_get(d, doc_root(d), "spec");
    size_t next;

    if (spec < 0 || d->v[spec].type != YAML_MAPPING_START_EVENT)
        return;
    for (size_t key = (size_t)spec + 1; d->v[key].type != YAML_MAPPING_END_EVENT; key = next) {
        const size_t value = doc_next(d, key);
        struct doc nothing = {0};
        next = doc_next(d, value);
        if (d->v[key].type != YAML_SCALAR_EVENT || !doc_is_null(d, value) ||
            doc_is_shared(d, value))
            continue;
        ctl_note(e->ctl,
                 "line %zu: %s has no value, which the API server does not keep: it is left out",
                 doc_line(d, key), (const char *)d->v[key].data.scalar.value);
        doc_splice(d, key, next - key, &nothing);
        next = key;
    }
}

static void say_cluster(const struct export *e, const struct permit_target *t, const struct doc *d)
{
    ssize_t metadata = doc_get(d, doc_root(d), "metadata");
    const char *name = metadata < 0 ? NULL : doc_get_text(d, (size_t)metadata, "name");
    const char *namespace = metadata < 0 ? NULL : doc_get_text(d, (size_t)metadata, "namespace");

    permit_say_cluster(e, t, name ? name : t->name, namespace ? namespace : t->namespace);
}

int permit_merge(struct export *e, const struct permit_target versions[], size_t n)
{
    CLEANUP(doc_done) struct doc d = {0};
    CLEANUP_FREE bool *added = calloc(e->n_items, sizeof(*added));
    struct export_object o = {.group = versions[0].group, .kind = versions[0].kind};
    size_t version = 0;

    for (size_t i = 0; i < n; i++)
        o.versions[i] = versions[i].version;
    int r = added ? export_read_object(e, &o, &d, &version) : ctl_errno(-ENOMEM);
    if (r != 0)
        return r;
    const struct permit_target *t = &versions[version];
    struct list_place devices = {.path = t->path, .depth = t->depth};
    struct list_place gates = {.path = permit_gate_path, .depth = t->depth};
    count_existing(&d, &devices);
    count_existing(&d, &gates);
    r = add_permitted(e, t, &d, &devices, added);
    if (r == 0 && permit_needs_gate(e, t))
        r = add_gate(&d, &gates);
    if (r != 0)
        return r;
    if (!devices.grew && !gates.grew)
        ctl_note(e->ctl, "the object lists all of it already: nothing was added");
    else
        say_cluster(e, t, &d);
    if (e->ctl->patch)
        return write_patch(e, t, &d, &devices, &gates, added);
    drop_nulls(e, &d);
    return export_write_docs(e, &d, 1);
}
