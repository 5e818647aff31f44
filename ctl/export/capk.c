/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export capk: adds devices to the KubevirtMachineTemplate from which worker nodes are made. */
#include <ctype.h>
#include <errno.h>

#include "export/items.h"
#include "export/kinds.h"
#include "export/object.h"

#define GROUP "infrastructure.cluster.x-k8s.io"
#define KIND "KubevirtMachineTemplate"

static const struct export_object template = {
    GROUP, KIND, {"v1alpha1"}, "--template NAME for a patch without one"};

/* The path from the template's root to the devices of the virtual machine. */
static const char *const path[] = {"spec",   "template", "spec", "virtualMachineTemplate",
                                   "spec",   "template", "spec", "domain",
                                   "devices"};
#define POINTER "/spec/template/spec/virtualMachineTemplate/spec/template/spec/domain/devices"

struct wish {
    const char *resource;
    const char *list;   /* gpus or hostDevices */
    const char *prefix; /* prefix of the devices' names in the virtual machine */
    unsigned count;
};

/* -- which devices -- */

static int choose(const struct export *e, struct wish *w)
{
    const struct export_item *found = NULL;
    size_t usable = 0;

    for (size_t i = 0; i < e->n_items; i++) {
        const struct export_item *item = &e->items[i];
        if (e->ctl->resource && !streq(item->resource, e->ctl->resource))
            continue;
        if (found && !streq(found->resource, item->resource))
            return ctl_error("there are several resources, %s and %s among them: choose one with "
                             "--resource",
                             found->resource, item->resource);
        found = found ? found : item;
        usable += item->usable;
    }
    if (!found)
        return ctl_error("no rule has the resource %s; the first one has %s", e->ctl->resource,
                         e->items[0].resource);
    *w = (struct wish){
        .resource = found->resource,
        .list = found->gpu ? "gpus" : "hostDevices",
        .prefix = found->gpu ? "gpu" : "hostdevice",
        .count = e->ctl->count ? e->ctl->count : 1,
    };
    if (found->present && w->count > usable)
        ctl_note(e->ctl, "a virtual machine wants %u of %s, this host can give %zu now", w->count,
                 w->resource, usable);
    if (!found->gpu)
        ctl_note(e->ctl,
                 "hostDevices need KubeVirt's feature gate HostDevices: \"export kubevirt\" "
                 "has it");
    return 0;
}

static void add_entry(struct doc *d, const struct wish *w, unsigned number)
{
    char name[32];

    snprintf(name, sizeof(name), "%s%u", w->prefix, number);
    doc_map(d);
    doc_pair(d, "name", name);
    doc_pair(d, "deviceName", w->resource);
    doc_map_end(d);
}

/* -- a patch for generated manifests -- */

static void write_operations(struct doc *d, const struct wish *w)
{
    char pointer[160];

    snprintf(pointer, sizeof(pointer), "%s/%s", POINTER, w->list);
    doc_list(d);
    export_begin_add(d, pointer);
    doc_list(d);
    for (unsigned i = 1; i <= w->count; i++)
        add_entry(d, w, i);
    doc_list_end(d);
    doc_map_end(d);
    doc_list_end(d);
}

/* kustomize treats the target's name as a regular expression. */
static void add_target_name(struct doc *d, const char *name)
{
    char text[600];
    size_t n = 0;

    for (; *name && n < sizeof(text) - 2; name++) {
        if (!isalnum((unsigned char)*name) && *name != '-' && *name != '_')
            text[n++] = '\\';
        text[n++] = *name;
    }
    text[n] = '\0';
    doc_pair(d, "name", text);
}

static void add_kustomization(struct doc *d, const char *name, const char *operations)
{
    doc_map(d);
    doc_pair(d, "apiVersion", "kustomize.config.k8s.io/v1beta1");
    doc_pair(d, "kind", "Kustomization");
    doc_text(d, "patches");
    doc_list(d);
    doc_map(d);
    doc_text(d, "target");
    doc_map(d);
    doc_pair(d, "group", GROUP);
    doc_pair(d, "kind", KIND);
    add_target_name(d, name);
    doc_map_end(d);
    doc_text(d, "patch");
    doc_block(d, operations);
    doc_map_end(d);
    doc_list_end(d);
    doc_map_end(d);
}

static int form_operations(const struct wish *w, char **ret)
{
    CLEANUP(doc_done) struct doc d = {0};
    size_t size;
    FILE *f = open_memstream(ret, &size);

    if (!f)
        return -ENOMEM;
    doc_begin(&d);
    write_operations(&d, w);
    doc_end(&d);
    int r = doc_write(&d, 1, f);
    return fclose(f) == 0 ? r : -ENOMEM;
}

static int write_capk_patch(struct export *e, const struct wish *w)
{
    CLEANUP(doc_done) struct doc d = {0};
    CLEANUP_FREE char *operations = NULL;
    bool json = e->ctl->patch && streq(e->ctl->patch, "json");

    doc_begin(&d);
    if (json) {
        write_operations(&d, w);
    } else {
        int r = form_operations(w, &operations);
        if (r < 0)
            return ctl_errno(r);
        add_kustomization(&d, e->ctl->template, operations);
    }
    doc_end(&d);
    if (!json)
        ctl_note(e->ctl,
                 "name it kustomization.yaml, add \"resources: [MANIFESTS.yaml]\", and apply "
                 "it with: kubectl apply -k .");
    ctl_note(e->ctl,
             "a template that has a list of %s loses it to this one: read such a one as a "
             "whole (export capk - <FILE)",
             w->list);
    ctl_note(e->ctl,
             "this patches manifests before they are applied: the spec of a %s that a cluster has "
             "cannot be changed, make one under a new name (export capk -)",
             KIND);
    return export_write_docs(e, &d, 1);
}

/* -- a whole template -- */

struct listed_devices {
    unsigned listed;                      /* number of entries with the resource */
    bool names[4 * EXPORT_COUNT_MAX + 1]; /* which of "gpu1" and so on are in use */
};

static void look_at_list(const struct doc *d, size_t devices, const char *list,
                         const struct wish *w, struct listed_devices *t)
{
    ssize_t at = doc_get(d, devices, list);

    if (at < 0 || d->v[at].type != YAML_SEQUENCE_START_EVENT)
        return;
    for (size_t i = (size_t)at + 1; d->v[i].type != YAML_SEQUENCE_END_EVENT; i = doc_next(d, i)) {
        const char *name = doc_get_text(d, i, "name");
        const char *resource = doc_get_text(d, i, "deviceName");
        const char *number = name ? after_prefix(name, w->prefix) : NULL;
        unsigned long n = number ? strtoul(number, NULL, 10) : 0;
        t->listed += resource && streq(resource, w->resource);
        if (n < ELEMENTS(t->names))
            t->names[n] = true;
    }
}

static int add_to_template(struct export *e, struct doc *d, const struct wish *w)
{
    struct listed_devices taken = {0};
    struct doc entries = {0};
    size_t at = doc_root(d), list;
    int r = 0;

    for (size_t i = 0; i < ELEMENTS(path) && r == 0; i++)
        r = doc_enter(d, at, path[i], i == ELEMENTS(path) - 1 ? DOC_MAKE : 0, &at);
    if (r != 0)
        return r;
    look_at_list(d, at, "gpus", w, &taken);
    look_at_list(d, at, "hostDevices", w, &taken);
    if (taken.listed >= w->count) {
        ctl_note(e->ctl, "the template lists %u of %s already: no device was added", taken.listed,
                 w->resource);
        return 0;
    }
    r = doc_enter(d, at, w->list, DOC_MAKE | DOC_LIST, &list);
    if (r != 0)
        return r;
    unsigned number = 0;
    for (unsigned missing = w->count - taken.listed; missing > 0; missing--) {
        do
            number++;
        while (number < ELEMENTS(taken.names) && taken.names[number]);
        add_entry(&entries, w, number);
    }
    doc_splice(d, doc_next(d, list) - 1, 0, &entries);
    return d->failed ? ctl_errno(-ENOMEM) : 0;
}

static void drop_key(struct doc *d, size_t map, const char *key)
{
    struct doc nothing = {0};
    ssize_t value = doc_get(d, map, key);

    if (value > 0)
        doc_splice(d, (size_t)value - 1, doc_next(d, (size_t)value) - (size_t)value + 1, &nothing);
}

/* Drops fields that the API server and "kubectl apply" have set; a new object must not contain
 * them. */
static void drop_server_fields(struct doc *d, size_t metadata)
{
    static const char *const keys[] = {
        "uid",           "resourceVersion", "generation", "selfLink", "creationTimestamp",
        "managedFields", "ownerReferences"};

    for (size_t i = 0; i < ELEMENTS(keys); i++)
        drop_key(d, metadata, keys[i]);
    ssize_t annotations = doc_get(d, metadata, "annotations");
    if (annotations > 0)
        drop_key(d, (size_t)annotations, "kubectl.kubernetes.io/last-applied-configuration");
}

static int rename_template(struct export *e, struct doc *d)
{
    struct doc name = {0};
    ssize_t metadata = doc_get(d, doc_root(d), "metadata");
    ssize_t value = metadata < 0 ? metadata : doc_get(d, (size_t)metadata, "name");

    if (value < 0)
        return ctl_error("the template has no metadata.name to change");
    int r = doc_check_own(d, (size_t)metadata, "metadata");
    if (r != 0)
        return r;
    doc_text(&name, e->ctl->template);
    doc_splice(d, (size_t)value, 1, &name);
    drop_server_fields(d, (size_t)metadata);
    return d->failed ? ctl_errno(-ENOMEM) : 0;
}

static int write_template(struct export *e, const struct wish *w)
{
    CLEANUP(doc_done) struct doc d = {0};
    size_t version;
    int r = export_read_object(e, &template, &d, &version);

    if (r == 0)
        r = add_to_template(e, &d, w);
    if (r != 0)
        return r;
    ssize_t metadata = doc_get(&d, doc_root(&d), "metadata");
    if (e->ctl->template)
        r = rename_template(e, &d);
    else if (metadata >= 0 && doc_get(&d, (size_t)metadata, "uid") >= 0)
        ctl_note(e->ctl,
                 "this template is out of a cluster, where its spec cannot be changed: give "
                 "it a new name with --template, and name that in the MachineDeployment");
    return r == 0 ? export_write_docs(e, &d, 1) : r;
}

/* -- the kind -- */

static bool is_label_char(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c);
}

/* '-' is allowed between letters, digits and further '-'; '.' between letters and digits. */
static bool joins(const char *s, size_t i, size_t n)
{
    bool inside = i > 0 && i + 1 < n;

    if (s[i] == '-')
        return inside && s[i - 1] != '.' && s[i + 1] != '.';
    return s[i] == '.' && inside && s[i - 1] != '.' && s[i + 1] != '.';
}

/* Is it a valid Kubernetes name, or one in a manifest before envsubst: "${CLUSTER_NAME}-md-0"? */
static bool is_name(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '$' && s[i + 1] == '{') {
            size_t m = strcspn(s + i, "}");
            if (i + m >= n || strspn(s + i + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != m - 2)
                return false;
            i += m;
        } else if (!is_label_char(s[i]) && !joins(s, i, n)) {
            return false;
        }
    }
    return n > 0 && n <= 253;
}

static bool is_patch(const struct ctl *c)
{
    return c->patch || (c->template && c->n_args == 1);
}

static int check_capk_options(const struct ctl *c)
{
    if (c->patch && !streq(c->patch, "kustomize") && !streq(c->patch, "json"))
        return ctl_error("--patch %s: capk has kustomize and json", c->patch), EXIT_USAGE;
    if (c->template && !is_name(c->template))
        return ctl_error("--template %s: that is no name of an object", c->template), EXIT_USAGE;
    if (c->patch && c->n_args > 1)
        return ctl_error("--patch and standard input (\"-\") do not go together"), EXIT_USAGE;
    if (c->patch && !c->template && !streq(c->patch, "json"))
        return ctl_error("--patch kustomize needs --template NAME"), EXIT_USAGE;
    if (!is_patch(c) && isatty(STDIN_FILENO))
        return ctl_error("give --template NAME for a patch, or a %s on standard input", KIND),
               EXIT_USAGE;
    return 0;
}

int export_capk(struct export *e)
{
    struct wish w;
    int r = check_capk_options(e->ctl);

    if (r == 0)
        r = export_items(e);
    if (r == 0)
        r = choose(e, &w);
    if (r != 0)
        return r;
    return is_patch(e->ctl) ? write_capk_patch(e, &w) : write_template(e, &w);
}
