/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export butane, talos, modprobe: the policy for hosts that other tools create. */
#include "export/kinds.h"

/* -- Butane -- */

static const struct variant {
    const char *name, *version;
} variants[] = {
    {"fcos", "1.5.0"},
    {"flatcar", "1.1.0"},
    {"openshift", "4.14.0"},
};

static const struct variant *find_host_variant(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(variants); i++)
        if (streq(variants[i].name, name))
            return &variants[i];
    return NULL;
}

/* An administrator's files keep their paths; other files go to the place in /etc that overrides
 * them. */
static void target_path(const struct export *e, const struct text *t, char *buf, size_t size)
{
    const char *base = strrchr(t->name, '/');

    if (t == texts_main(&e->source->texts))
        snprintf(buf, size, "/etc/vfio-bindd.conf");
    else
        snprintf(buf, size, "/etc/vfio-bindd.conf.d/%s", base ? base + 1 : t->name);
}

static int add_files(struct export *e, struct doc *d)
{
    const struct texts *texts = &e->source->texts;

    doc_text(d, "files");
    doc_list(d);
    for (size_t i = 0; i < texts->n; i++) {
        char name[512];
        target_path(e, &texts->v[i], name, sizeof(name));
        doc_map(d);
        doc_pair(d, "path", name);
        doc_text(d, "mode");
        doc_plain(d, "0644");
        doc_text(d, "overwrite");
        doc_plain(d, "true");
        doc_text(d, "contents");
        doc_map(d);
        doc_text(d, "inline");
        doc_block(d, texts->v[i].bytes);
        doc_map_end(d);
        doc_map_end(d);
    }
    doc_list_end(d);
    return 0;
}

static void add_unit(struct doc *d, const char *name)
{
    doc_map(d);
    doc_pair(d, "name", name);
    doc_text(d, "enabled");
    doc_plain(d, "true");
    doc_map_end(d);
}

static void add_units(const struct policy *p, struct doc *d)
{
    doc_text(d, "systemd");
    doc_map(d);
    doc_text(d, "units");
    doc_list(d);
    add_unit(d, "vfio-bindd.service");
    if (p->node_features || p->metrics)
        add_unit(d, "vfio-bindd-features.path");
    doc_list_end(d);
    doc_map_end(d);
}

static void note_variant(struct doc *d, const struct variant *v)
{
    doc_pair(d, "variant", v->name);
    doc_pair(d, "version", v->version);
    if (!streq(v->name, "openshift"))
        return;
    doc_text(d, "metadata");
    doc_map(d);
    doc_pair(d, "name", "99-worker-vfio-bindd");
    doc_text(d, "labels");
    doc_map(d);
    doc_pair(d, "machineconfiguration.openshift.io/role", "worker");
    doc_map_end(d);
    doc_map_end(d);
}

static void say_cmdline_rule(struct export *e)
{
    for (size_t i = 0; i < e->source->policy.n_rules; i++)
        if (streq(e->source->policy.rules[i].name, RULE_CMDLINE))
            export_cannot(e,
                          "the rule of vfio_bindd.ids= on the kernel command line is in no file: "
                          "it is not exported");
}

int export_butane(struct export *e)
{
    CLEANUP(doc_done) struct doc d = {0};
    const char *name = e->ctl->variant ? e->ctl->variant : "fcos";
    const struct variant *v = find_host_variant(name);

    if (!v)
        return ctl_error("--variant %s: there are fcos, flatcar and openshift", name), EXIT_USAGE;
    if (e->source->texts.n == 0)
        return ctl_error("there is no policy file: nothing is exported");
    say_cmdline_rule(e);
    doc_begin(&d);
    doc_map(&d);
    note_variant(&d, v);
    doc_text(&d, "storage");
    doc_map(&d);
    add_files(e, &d);
    doc_map_end(&d);
    add_units(&e->source->policy, &d);
    doc_map_end(&d);
    doc_end(&d);
    ctl_note(e->ctl,
             "the programs must be in the host's image, and on Intel processors intel_iommu=on "
             "on its kernel command line");
    return export_write_docs(e, &d, 1);
}

/* -- Talos -- */

/* Talos needs addresses, but few rules have them: so this lists the current addresses of this
 * host. */
static void say_addresses(struct export *e)
{
    const struct source *s = e->source;

    for (size_t i = 0; i < s->policy.n_rules; i++) {
        const struct rule *r = &s->policy.rules[i];
        bool listed = false;
        for (size_t j = 0; j < s->snapshot.n; j++)
            listed = listed || (s->rows[j].v && s->rows[j].v->rule == r);
        if (listed && r->narrow[KEY_ADDRESS].n == 0)
            export_cannot(e,
                          "[device %s] names no address: Talos knows nothing else, the list has "
                          "the addresses that its devices have now",
                          r->name);
    }
}

int export_talos(struct export *e)
{
    const struct source *s = e->source;
    struct doc *docs = calloc(s->snapshot.n + 1, sizeof(*docs));
    size_t n = 0;

    if (!docs)
        return ctl_error("out of memory");
    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct row *r = &s->rows[i];
        if (!r->v)
            continue;
        if (r->v->state == STATE_REFUSED) {
            ctl_note(e->ctl, "%s: not listed", r->sentence ? r->sentence : r->reason);
            continue;
        }
        struct doc *d = &docs[n++];
        doc_begin(d);
        doc_map(d);
        doc_pair(d, "apiVersion", "v1alpha1");
        doc_pair(d, "kind", "PCIDriverRebindConfig");
        doc_pair(d, "name", pci_addr_text(r->d->addr).s);
        doc_pair(d, "targetDriver", r->v->driver);
        doc_map_end(d);
        doc_end(d);
    }
    say_addresses(e);
    ctl_note(e->ctl, "Talos needs the modules vfio_pci and vfio_iommu_type1 in "
                     "machine.kernel.modules; vfio-bindd does not run there");
    int r = n > 0
                ? export_write_docs(e, docs, n)
                : ctl_error("no device here is selected: Talos wants addresses, so run this on the "
                            "host, or with --root on a report of it");
    for (size_t i = 0; i < n; i++)
        doc_done(&docs[i]);
    free(docs);
    return r;
}
