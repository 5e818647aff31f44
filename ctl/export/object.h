/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object of the cluster that "export capk -" and "export kubevirt -" read. */
#pragma once

#include "export/form.h"

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
