/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/reset-methods.h"

#include <errno.h>

#include "base/util.h"
#include "host/pci-files.h"

int reset_methods_note(int root_fd, const struct policy *p, const struct snapshot *s,
                       struct records *records)
{
    for (size_t i = 0; policy_uses(p, KEY_RESET_METHOD) && i < s->n; i++) {
        const struct device *d = &s->devices[i];
        const struct rule *rule = d->detailed ? policy_match(p, d) : NULL;
        struct record *r = rule && rule->reset_method ? records_find(records, d->addr) : NULL;
        char text[128];
        if (!r || r->reset_method ||
            !streq(pci_attribute(root_fd, d->addr, "reset_method", text, sizeof(text)),
                   rule->reset_method))
            continue;
        r->reset_method = strdup(text);
        if (!r->reset_method)
            return -ENOMEM;
    }
    return 0;
}
