/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export kubevirt, hco: the list of permitted devices of a cluster, as an object or a patch. */
#include "export/items.h"
#include "export/kinds.h"
#include "export/merge.h"

static const struct permit_target kubevirt[] = {{
    .group = "kubevirt.io",
    .version = "v1",
    .kind = "KubeVirt",
    .name = "kubevirt",
    .namespace = "kubevirt",
    .resource = "kubevirt",
    .path = {"spec", "configuration", "permittedHostDevices", "pciHostDevices"},
    .depth = 4,
    .selector = "pciVendorSelector",
    .gate = true,
}};

/* HyperConverged makes the KubeVirt object itself, and overwrites other changes. */
static const struct permit_target hco[] = {
    {
        .group = "hco.kubevirt.io",
        .version = "v1",
        .kind = "HyperConverged",
        .name = "kubevirt-hyperconverged",
        .namespace = "openshift-cnv",
        .resource = "hyperconvergeds.v1.hco.kubevirt.io",
        .path = {"spec", "virtualization", "permittedHostDevices", "pciHostDevices"},
        .depth = 4,
        .selector = "pciDeviceSelector",
    },
    /* Older clusters have only this version. */
    {
        .group = "hco.kubevirt.io",
        .version = "v1beta1",
        .kind = "HyperConverged",
        .name = "kubevirt-hyperconverged",
        .namespace = "openshift-cnv",
        .resource = "hyperconvergeds.v1beta1.hco.kubevirt.io",
        .path = {"spec", "permittedHostDevices", "pciHostDevices"},
        .depth = 3,
        .selector = "pciDeviceSelector",
    },
};

static void write_gate(struct doc *d)
{
    doc_text(d, "developerConfiguration");
    doc_map(d);
    doc_text(d, "featureGates");
    doc_list(d);
    doc_text(d, "HostDevices");
    doc_list_end(d);
    doc_map_end(d);
}

/* Adds the fields that the object and the merge patch share. The gates are next to the last two
 * keys of the path. */
static void add_spec(struct doc *d, const struct export *e, const struct permit_target *t)
{
    for (size_t i = 0; i < t->depth; i++) {
        if (i == t->depth - 2 && permit_needs_gate(e, t))
            write_gate(d);
        doc_text(d, t->path[i]);
        if (i < t->depth - 1)
            doc_map(d);
    }
    doc_list(d);
    for (size_t i = 0; i < e->n_items; i++)
        permit_add_device(d, t, &e->items[i]);
    doc_list_end(d);
    for (size_t i = 0; i < t->depth - 1; i++)
        doc_map_end(d);
}

static void add_object(struct doc *d, const struct export *e, const struct permit_target *t)
{
    const char *space = e->ctl->namespace ? e->ctl->namespace : t->namespace;

    char api[64];

    snprintf(api, sizeof(api), "%s/%s", t->group, t->version);
    doc_pair(d, "apiVersion", api);
    doc_pair(d, "kind", t->kind);
    doc_text(d, "metadata");
    doc_map(d);
    doc_pair(d, "name", t->name);
    doc_pair(d, "namespace", space);
    doc_map_end(d);
}

/* Appends to both lists, so both must exist. */
static void add_operations(struct doc *d, const struct export *e, const struct permit_target *t)
{
    char path[160];
    size_t used = 0;

    for (size_t i = 0; i < t->depth && used < sizeof(path); i++)
        used += (size_t)snprintf(path + used, sizeof(path) - used, "/%s%s", t->path[i],
                                 i == t->depth - 1 ? "/-" : "");
    doc_list(d);
    for (size_t i = 0; i < e->n_items; i++) {
        export_begin_add(d, path);
        permit_add_device(d, t, &e->items[i]);
        doc_map_end(d);
    }
    if (permit_needs_gate(e, t)) {
        export_begin_add(d, "/spec/configuration/developerConfiguration/featureGates/-");
        doc_text(d, "HostDevices");
        doc_map_end(d);
    }
    doc_list_end(d);
}

static void say_lists(const struct export *e, const struct permit_target *t)
{
    if (!e->ctl->patch)
        return;
    if (streq(e->ctl->patch, "json"))
        ctl_note(e->ctl,
                 "the patch appends: it needs the lists to be there, and what is there "
                 "already would stand there twice; with \"-\" and the object of the cluster "
                 "on standard input it is made to fit");
    else
        ctl_note(
            e->ctl,
            "this patch replaces %s as a whole, with whatever else the cluster has there; with "
            "\"-\" and the object of the cluster on standard input that is kept",
            permit_needs_gate(e, t) ? "pciHostDevices and featureGates" : "pciHostDevices");
}

static int write_alone(struct export *e, const struct permit_target *t)
{
    CLEANUP(doc_done) struct doc d = {0};
    bool json = e->ctl->patch && streq(e->ctl->patch, "json");

    doc_begin(&d);
    if (json) {
        add_operations(&d, e, t);
    } else {
        doc_map(&d);
        if (!e->ctl->patch)
            add_object(&d, e, t);
        add_spec(&d, e, t);
        doc_map_end(&d);
    }
    doc_end(&d);
    say_lists(e, t);
    permit_say_cluster(e, t, t->name, e->ctl->namespace ? e->ctl->namespace : t->namespace);
    return export_write_docs(e, &d, 1);
}

/* A label, like the names of namespaces. */
static bool is_namespace(const char *s)
{
    size_t n = strlen(s);

    return n >= 1 && n <= 63 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
           s[0] != '-' && s[n - 1] != '-';
}

static int check_kubevirt_options(const struct ctl *c)
{
    if (c->patch && !streq(c->patch, "merge") && !streq(c->patch, "json"))
        return ctl_error("--patch %s: %s has merge and json", c->patch, c->args[0]), EXIT_USAGE;
    if (c->namespace && c->n_args > 1)
        return ctl_error("--namespace and standard input (\"-\") do not go together: the object "
                         "has a namespace"),
               EXIT_USAGE;
    if (c->namespace && !is_namespace(c->namespace))
        return ctl_error("--namespace %s: write up to 63 lower-case letters, digits and '-'",
                         c->namespace),
               EXIT_USAGE;
    return 0;
}

/* An object on standard input has its own version. Otherwise --variant gives the version that the
 * cluster uses; the default is the newest one. */
static const struct permit_target *find_version(const struct ctl *c,
                                                const struct permit_target versions[], size_t n)
{
    if (!c->variant)
        return &versions[0];
    for (size_t i = 0; i < n && c->n_args < 2; i++)
        if (streq(c->variant, versions[i].version))
            return &versions[i];
    return NULL;
}

static int export_target(struct export *e, const struct permit_target versions[], size_t n)
{
    const struct permit_target *t = find_version(e->ctl, versions, n);
    int r = check_kubevirt_options(e->ctl);

    if (!t && e->ctl->n_args > 1)
        return ctl_error("--variant and standard input (\"-\") do not go together: the object "
                         "has a version"),
               EXIT_USAGE;
    if (!t)
        return ctl_error("--variant %s: %s has v1 and v1beta1", e->ctl->variant, e->ctl->args[0]),
               EXIT_USAGE;

    if (r == 0)
        r = export_items(e);
    if (r != 0)
        return r;
    return e->ctl->n_args > 1 ? permit_merge(e, versions, n) : write_alone(e, t);
}

int export_kubevirt(struct export *e)
{
    return export_target(e, kubevirt, ELEMENTS(kubevirt));
}

int export_hco(struct export *e)
{
    return export_target(e, hco, ELEMENTS(hco));
}
