/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all kinds of export are formed of and with. */
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
    size_t selected, bound;
    size_t offered, usable; /* one for each IOMMU group of the resource */
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

/* Is the row a device that a rule itself selects for virtual machines? */
bool export_lists(const struct row *r);

/* Is it on a variant driver, which KubeVirt's own device plugin passes over? */
bool export_is_external(const struct export_item *item);

/* Does the rule select one here? */
bool export_selects_any(const struct export *e, const struct rule *r);

/* "10de:20f1" */
struct export_id {
    char s[12];
};
struct export_id export_id(uint16_t vendor, uint16_t device);

/* Begins an operation "add" of a JSON patch: its value and doc_map_end() follow. */
void export_begin_add(struct doc *d, const char *path);

/* Writes the documents to e->text. Returns 0 or an exit code. */
int export_write_docs(struct export *e, struct doc *docs, size_t n);
