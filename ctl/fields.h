/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns of all tables of devices. */
#pragma once

#include "source.h"
#include "table.h"

enum field {
    FIELD_ADDRESS,
    FIELD_ID,
    FIELD_CLASS,
    FIELD_GROUP,
    FIELD_DRIVER,
    FIELD_RULE,
    FIELD_STATE,
    FIELD_USABLE,
    FIELD_SUBSYSTEM,
    FIELD_SLOT,
    FIELD_SERIAL,
    FIELD_NODE,
    FIELD_DEVICE_NODE,
    FIELD_NUMA,
    FIELD_RESOURCE,
    FIELD_CLASS_NAME,
    FIELD_VENDOR,
    FIELD_MODEL,
    FIELD_NAME, /* model and class: "GA100 [A100 PCIe 40GB] (3D controller)" */
    FIELD_SENTENCE,
    FIELD_MAX,
};

#define FIELD_TEXT_MAX 512

/* The column's definition for table_init(). */
struct column field_column(enum field f);

/* The row's value, in buf or elsewhere; NULL: none. */
const char *field_text(const struct row *r, enum field f, char buf[static FIELD_TEXT_MAX]);

/* Writes these fields of the row into the columns, beginning with `first`; states are coloured. */
void fields_set(struct table *t, struct libscols_line *line, size_t first, const struct row *r,
                const enum field *fields, size_t n);

/* Makes a table of these fields; fields_set() fills its rows. */
void fields_table(struct table *t, const struct ctl *c, const enum field *fields, size_t n);

/* "NVIDIA Corporation GA100 [A100 PCIe 40GB]", as far as known. */
const char *row_name(const struct row *r, char buf[static FIELD_TEXT_MAX]);
