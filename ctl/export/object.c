/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/object.h"

#include <errno.h>

#define INPUT_MAX ((size_t)4 << 20)

static int read_input(char **ret, size_t *ret_size)
{
    int r = ctl_read(stdin, INPUT_MAX, ret, ret_size);

    if (r == -EFBIG)
        return ctl_error("standard input has more than 4 MiB: that is not a single object");
    return r < 0 ? ctl_error("cannot read standard input: %s", strerror(-r)) : 0;
}

static int check_documents(const struct doc *d, const struct doc_facts *facts,
                           const struct export_object *o)
{
    const char *kind = o->kind;

    if (facts->documents == 0 || (facts->documents == 1 && doc_is_null(d, doc_root(d))))
        return ctl_error("standard input is empty: a %s is expected there%s%s", kind,
                         o->instead ? ", or " : "", o->instead ? o->instead : "");
    if (facts->documents > 1)
        return ctl_error("standard input has %zu YAML documents: give the %s alone",
                         facts->documents, kind);
    if (d->v[doc_root(d)].type != YAML_MAPPING_START_EVENT)
        return ctl_error("standard input is not a Kubernetes object: %s expected", kind);
    return 0;
}

/* "List", "KubeVirtList" */
static bool is_list(const char *kind)
{
    size_t n = strlen(kind);

    return n >= 4 && streq(kind + n - 4, "List");
}

static int check_kind(const struct doc *d, const struct export_object *o)
{
    const char *is = doc_get_text(d, doc_root(d), "kind");

    if (!is)
        return ctl_error("standard input is an object without kind, not a %s", o->kind);
    if (is_list(is))
        return ctl_error("standard input is a %s: give one %s alone, as \"kubectl get %s NAME -o "
                         "yaml\" writes it",
                         is, o->kind, o->kind);
    if (!streq(is, o->kind))
        return ctl_error("standard input is a %s, not a %s", is, o->kind);
    return 0;
}

/* Another version may have the fields in other places. */
static int check_version(const struct doc *d, const struct export_object *o, size_t *ret)
{
    const char *api = doc_get_text(d, doc_root(d), "apiVersion");
    const char *version = api ? after_prefix(api, o->group) : NULL;

    if (!version || *version != '/')
        return ctl_error("apiVersion is %s: a %s has %s/%s", api ? api : "missing", o->kind,
                         o->group, o->versions[0]);
    for (size_t i = 0; i < ELEMENTS(o->versions) && o->versions[i]; i++)
        if (streq(o->versions[i], version + 1)) {
            *ret = i;
            return 0;
        }
    return ctl_error("apiVersion is %s, whose fields are not known here: %s/%s are", api, o->group,
                     o->versions[0]);
}

int export_read_object(struct export *e, const struct export_object *o, struct doc *ret,
                       size_t *ret_version)
{
    CLEANUP_FREE char *bytes = NULL;
    struct doc_facts facts;
    size_t size = 0;
    int r = read_input(&bytes, &size);

    if (r != 0)
        return r;
    r = doc_read(bytes, size, ret, &facts);
    if (r == -EINVAL)
        return ctl_error("standard input is not YAML: %s", facts.error);
    if (r < 0)
        return ctl_errno(r);
    r = check_documents(ret, &facts, o);
    if (r == 0)
        r = check_kind(ret, o);
    if (r == 0)
        r = check_version(ret, o, ret_version);
    if (r == 0 && facts.comments > 0)
        export_cannot(e, "%zu comment%s of standard input will be lost: libyaml does not keep them",
                      facts.comments, facts.comments == 1 ? "" : "s");
    return r;
}
