/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/refusal.h"

#include <stdarg.h>

int refuse(struct refusal *r, enum refusal_kind kind, const char *format, ...)
{
    static const int errors[REFUSAL_KINDS] = {[REFUSAL_FAILED] = -EIO,
                                              [REFUSAL_REFUSED] = -EPERM,
                                              [REFUSAL_BUSY] = -EBUSY,
                                              [REFUSAL_NO_SUCH_DEVICE] = -ENODEV,
                                              [REFUSAL_POLICY_INVALID] = -EINVAL};
    va_list args;

    r->kind = kind;
    va_start(args, format);
    vsnprintf(r->text, sizeof(r->text), format, args);
    va_end(args);
    return errors[kind];
}
