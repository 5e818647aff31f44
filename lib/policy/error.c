/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/error.h"

#include <stdarg.h>

void policy_error(const struct key_context *c, const char *format, ...)
{
    CLEANUP_FREE char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    diags_add(c->diags, DIAG_ERROR, policy_file(c->policy, c->origin), c->origin.line, "%s",
              text ? text : "out of memory");
}
