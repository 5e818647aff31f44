/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-ids.h"

#include "base/util.h"
#include "policy/select.h"

static bool is_named_before(const struct snapshot *s, const bool *in, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (in[k] && s->devices[k].vendor == s->devices[i].vendor &&
            s->devices[k].device == s->devices[i].device)
            return true;
    return false;
}

char *ids_of_marked(const struct snapshot *s, const bool *in)
{
    char *text = NULL;
    const char *before = "";
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (!in[i] || is_named_before(s, in, i))
            continue;
        fprintf(f, "%s%04x:%04x", before, s->devices[i].vendor, s->devices[i].device);
        before = ", ";
    }
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

char *ids_of_rule(const struct snapshot *s, const struct policy *p, const struct rule *r)
{
    CLEANUP_FREE bool *in = calloc(s->n + 1, sizeof(*in));

    for (size_t i = 0; in && i < s->n; i++)
        in[i] = policy_match(p, &s->devices[i]) == r;
    return in ? ids_of_marked(s, in) : NULL;
}
