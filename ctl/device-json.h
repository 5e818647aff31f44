/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device as JSON. The keys are the properties of org.vfio.Bindd1.Device, as docs/json.md lists
 * them. The form is the same in the output of all verbs. */
#pragma once

#include "json.h"
#include "source.h"

void device_json(struct json *j, const struct source *s, const struct row *r);

/* The array "devices" with the selected devices. */
void selected_json(struct json *j, const struct source *s);

/* The array "expect_mismatches": rules that match another number of devices than they expect. */
void mismatches_json(struct json *j, const struct policy *p, const struct plan *plan);

/* A value that only the daemon knows, or that is in an attribute which can be read without a lock;
 * NULL: not known. */
const char *device_extra(const struct source *s, const struct row *r, const char *property,
                         char *buf, size_t size);

/* The node that its rule requires; NULL: no rule selects it, or the rule is not known. */
const char *device_interface(const struct row *r);

/* The addresses of its virtual functions, separated by blanks or newlines; malloc'ed, NULL when out
 * of memory. */
char *device_vfs(const struct source *s, const struct row *r);
