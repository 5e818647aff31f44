/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/selection.h"

#include <errno.h>

#include "base/util.h"
#include "policy/parse.h"

static void write_key(FILE *f, enum rule_key key, const char *value)
{
    if (*value)
        fprintf(f, "%s = %s\n", rule_key_name(key), value);
}

void saying_write(const struct saying *s, FILE *f)
{
    fprintf(f, "[device %s]\n", s->name);
    write_key(f, KEY_ID, s->ids ? s->ids : s->what->id);
    write_key(f, KEY_SUBSYSTEM, s->what->subsystem);
    write_key(f, KEY_CLASS, s->what->class);
    write_key(f, KEY_ADDRESS, s->addresses ? s->addresses : s->what->address);
    if (!streq(s->what->driver, "vfio-pci"))
        write_key(f, KEY_DRIVER, s->what->driver);
    if (s->matched)
        write_key(f, KEY_GROUP, "matched");
}

int saying_parse(const struct saying *s, struct policy *ret, char **ret_why)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    *ret_why = NULL;
    policy_init(ret);
    if (!f)
        return -ENOMEM;
    saying_write(s, f);
    if (fclose(f) != 0 || policy_parse(ret, "import", text, size, &d) < 0)
        return -ENOMEM;
    if (d.errors == 0 && ret->n_rules == 1 && rule_has_positive(&ret->rules[0]))
        return 0;
    *ret_why = strdup(d.n > 0 ? d.v[0].text : "it selects nothing");
    return -EINVAL;
}
