/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object of the cluster that "export capk -" and "export kubevirt -" read. */
#pragma once

#include "export/form.h"

/* The object that is expected on standard input. */
struct export_object {
    const char *group, *kind;
    const char *versions[3]; /* versions whose fields are known; the last one is NULL */
    const char *instead;     /* another object that the user may have meant, or NULL */
};

/* Reads the rest of the document for "export capk -" and "export kubevirt -": one object on
 * standard input; *ret_version is the index of its version. Returns 0 or an exit code. */
int export_read_object(struct export *e, const struct export_object *o, struct doc *ret,
                       size_t *ret_version);
