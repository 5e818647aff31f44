/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device as JSON. Its keys are the properties of org.vfio.Bindd1.Device as docs/json.md lists
 * them: one form, in whichever verb's output. */
#pragma once

#include "json.h"
#include "source.h"

void device_json(struct json *j, const struct source *s, const struct row *r);

/* The array "devices": those that are selected. */
void selected_json(struct json *j, const struct source *s);

/* The array "expect_mismatches": rules that match another number of devices than they expect. */
void mismatches_json(struct json *j, const struct policy *p, const struct plan *plan);

/* What only the daemon knows, or an attribute whose reading takes no lock has; NULL: not known. */
const char *device_extra(const struct source *s, const struct row *r, const char *property,
                         char *buf, size_t size);

/* The addresses of its virtual functions, separated by blanks or newlines; malloc'ed, NULL when out
 * of memory. */
char *device_vfs(const struct source *s, const struct row *r);
