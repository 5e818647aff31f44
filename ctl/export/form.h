/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types and functions common to all kinds of export. */
#pragma once

#include "export/yaml-doc.h"
#include "model/resource.h"
#include "source.h"

/* A kind of device, as a cluster knows it. */
struct export_item {
    uint16_t vendor, device;
    char resource[RESOURCE_NAME_MAX + 1];
    bool named;   /* the policy gives the name; otherwise it is made from the model's name */
    bool gpu;     /* a display or 3D controller */
    bool present; /* a device of this host has the ID; otherwise only the policy has it */
    const struct rule *rule;
    const char *driver; /* the name of a VFIO driver */
    /* Counts of devices on this host. */
    size_t selected, bound;
    size_t offered, usable; /* one for each IOMMU group of the resource */
};

struct export
{
    struct source *source;
    const struct ctl *ctl;
    FILE *text; /* the output */
    struct export_item *items;
    size_t n_items, allocated_items;
    size_t inexpressible; /* how often export_cannot() was called */
};

/* Reports something that the target cannot express; with --strict the export then fails. */
void export_cannot(struct export *e, const char *format, ...) PRINTF(2, 3);

/* Does a rule itself select the device of this row for virtual machines? */
bool export_lists(const struct row *r);

/* Is it on a variant driver, which KubeVirt's own device plugin ignores? */
bool export_is_external(const struct export_item *item);

/* Does the rule select a device of this host? */
bool export_selects_any(const struct export *e, const struct rule *r);

/* "10de:20f1" */
struct export_id {
    char s[12];
};
struct export_id export_id(uint16_t vendor, uint16_t device);

/* Begins an "add" operation of a JSON patch; its value and doc_map_end() must follow. */
void export_begin_add(struct doc *d, const char *path);

/* Writes the documents to e->text. Returns 0 or an exit code. */
int export_write_docs(struct export *e, struct doc *docs, size_t n);
