/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: the policy and the devices in the forms that others read. Each kind forms its whole text
 * in memory; only export.c writes it, when nothing can go wrong any more but the writing. */
#pragma once

#include "export/yaml-doc.h"
#include "model/resource.h"
#include "source.h"

/* One kind of device, as a cluster knows it. */
struct export_item {
    uint16_t vendor, device;
    char resource[RESOURCE_NAME_MAX + 1];
    bool named;   /* the policy gives the name; else it is formed of the model's */
    bool gpu;     /* a display or 3D controller */
    bool present; /* some device here has the ID; else only the policy names it */
    const struct rule *rule;
    const char *driver; /* a VFIO driver */
    /* of the devices here: */
    size_t selected, bound, advertisable;
};

struct export
{
    struct source *source;
    const struct ctl *ctl;
    FILE *text; /* what will be written */
    struct export_item *items;
    size_t n_items, allocated_items;
    size_t inexpressible; /* how often export_cannot() was called */
};

/* Says what the target cannot express; with --strict that is an error in the end. */
void export_cannot(struct export *e, const char *format, ...) PRINTF(2, 3);

/* Finds the items. Says what a list of IDs cannot express of the policy, what is not ready now, and
 * which names are refused. Returns 0 or an exit code. */
int export_items(struct export *e);

/* Is the row a device that a rule itself selects for virtual machines? */
bool export_lists(const struct row *r);

/* Is it on a variant driver, which KubeVirt's own device plugin passes over? */
bool export_is_external(const struct export_item *item);

/* Does the rule select one here? */
bool export_selects_any(const struct export *e, const struct rule *r);

/* For export_items(): what a list of IDs loses of the policy; how things are. */
void export_say_lost(struct export *e);
void export_say_state(const struct export *e);

/* "10de:20f1" */
struct export_id {
    char s[12];
};
struct export_id export_id(uint16_t vendor, uint16_t device);

/* Begins an operation "add" of a JSON patch: its value and doc_map_end() follow. */
void export_begin_add(struct doc *d, const char *path);

/* Writes the documents to e->text. Returns 0 or an exit code. */
int export_write_docs(struct export *e, struct doc *docs, size_t n);

/* What is expected on standard input. */
struct export_object {
    const char *group, *kind;
    const char *versions[3]; /* those whose fields are known; a NULL is the last */
    const char *instead;     /* what else the user may have meant, or NULL */
};

/* The rest of "export capk -" and "export kubevirt -": the one object on standard input;
 * *ret_version is the index of its version. Returns 0 or an exit code. */
int export_read_object(struct export *e, const struct export_object *o, struct doc *ret,
                       size_t *ret_version);

/* The kinds. Each returns 0 or an exit code. */
int export_kubevirt(struct export *e);
int export_hco(struct export *e);
int export_capk(struct export *e);
int export_nfd(struct export *e);
int export_prometheus(struct export *e);
int export_butane(struct export *e);
int export_talos(struct export *e);
int export_modprobe(struct export *e);
