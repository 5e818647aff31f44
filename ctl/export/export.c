/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/export.h"

#include <errno.h>
#include <stdarg.h>

#define INPUT_MAX ((size_t)4 << 20)

/* The options that a kind understands. */
enum {
    TAKES_PATCH = 1 << 0,
    TAKES_TEMPLATE = 1 << 1, /* and --count, --resource */
    TAKES_NAMESPACE = 1 << 2,
    TAKES_VARIANT = 1 << 3,
    TAKES_INPUT = 1 << 4,
    /* It tells how things are here, mistakes in the policy included; the others tell what the
     * policy wants, and ask for a sound one. */
    TELLS_STATE = 1 << 5,
};

static const struct kind {
    const char *name;
    int (*form)(struct export *e);
    unsigned flags;
} kinds[] = {
    {"kubevirt", export_kubevirt, TAKES_PATCH | TAKES_NAMESPACE | TAKES_INPUT},
    {"hco", export_hco, TAKES_PATCH | TAKES_NAMESPACE | TAKES_INPUT},
    {"capk", export_capk, TAKES_PATCH | TAKES_TEMPLATE | TAKES_INPUT},
    {"nfd", export_nfd, TELLS_STATE},
    {"prometheus", export_prometheus, TELLS_STATE},
    {"butane", export_butane, TAKES_VARIANT},
    {"talos", export_talos, 0},
    {"modprobe", export_modprobe, 0},
};

void export_cannot(struct export *e, const char *format, ...)
{
    va_list args;

    e->inexpressible++;
    fputs(e->ctl->strict ? "error: " : "warning: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void export_begin_add(struct doc *d, const char *path)
{
    doc_map(d);
    doc_pair(d, "op", "add");
    doc_pair(d, "path", path);
    doc_text(d, "value");
}

int export_write_docs(struct export *e, struct doc *docs, size_t n)
{
    int r = doc_write(docs, n, e->text);

    if (r == -EINVAL)
        return ctl_error("the YAML cannot be formed: is some text of the policy no UTF-8?");
    return r < 0 ? ctl_errno(r) : 0;
}

/* -- standard input -- */

static int read_input(char **ret, size_t *ret_size)
{
    int r = ctl_read(stdin, INPUT_MAX, ret, ret_size);

    if (r == -EFBIG)
        return ctl_error("standard input has more than 4 MiB: that is no single object");
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
        return ctl_error("standard input is no Kubernetes object: a %s is expected there", kind);
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

/* In a version that is not known the fields may have other places. */
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
        return ctl_error("standard input is no YAML: %s", facts.error);
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

/* -- the verb -- */

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        if (streq(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

/* An option that a kind would silently ignore is a mistake of the user's. */
static const char *foreign_option(const struct ctl *c, unsigned flags)
{
    if (c->patch && !(flags & TAKES_PATCH))
        return "--patch";
    if (c->template && !(flags & TAKES_TEMPLATE))
        return "--template";
    if (c->count && !(flags & TAKES_TEMPLATE))
        return "--count";
    if (c->resource && !(flags & TAKES_TEMPLATE))
        return "--resource";
    if (c->namespace && !(flags & TAKES_NAMESPACE))
        return "--namespace";
    if (c->variant && !(flags & TAKES_VARIANT))
        return "--variant";
    if (c->n_args > 1 && !(flags & TAKES_INPUT))
        return "standard input (\"-\")";
    return NULL;
}

static int wrong_use(const struct ctl *c, const char *foreign)
{
    if (foreign) {
        fprintf(stderr, "vfio-bindctl: export %s takes no %s; see \"vfio-bindctl --help\"\n",
                c->args[0], foreign);
        return EXIT_USAGE;
    }
    fprintf(stderr, "vfio-bindctl: there is no export %s; there are", c->args[0]);
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        fprintf(stderr, " %s", kinds[i].name);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

static int open_source(const struct ctl *c, const struct kind *kind, struct source *s)
{
    /* Another policy than the running one: what the daemon says does not fit. */
    unsigned flags = SOURCE_FILES | (c->policy ? 0 : SOURCE_DAEMON);
    /* What tells how things are needs devices. */
    if (!(kind->flags & TELLS_STATE))
        flags |= SOURCE_BARE_TREE;
    int r = source_open(c, flags, s);

    if (r == 0 && c->policy)
        r = source_use_policy(s, c->policy);
    if (r != 0)
        return r;
    diags_print(&s->diags, stderr);
    if (s->diags.errors > 0 && !(kind->flags & TELLS_STATE))
        return ctl_error("the policy has %zu mistake%s: nothing is exported", s->diags.errors,
                         s->diags.errors == 1 ? "" : "s");
    if (s->off)
        ctl_note(c, "vfio-bindd is disabled here by the kernel command line");
    return 0;
}

static int finish(struct export *e, const char *text, size_t size)
{
    if (e->inexpressible > 0 && e->ctl->strict)
        return ctl_error("not everything can be expressed, and --strict asks for that: nothing is "
                         "exported");
    if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
        return ctl_error("cannot write the output: %m");
    return EXIT_SUCCESS;
}

int verb_export(const struct ctl *c)
{
    CLEANUP(source_done) struct source s = {.root_fd = -1};
    CLEANUP_FREE char *text = NULL;
    const struct kind *kind = find_kind(c->args[0]);
    const char *foreign = kind ? foreign_option(c, kind->flags) : NULL;
    size_t size;

    if (!kind || foreign)
        return wrong_use(c, foreign);
    int r = open_source(c, kind, &s);
    if (r != 0)
        return r;
    struct export e = {.source = &s, .ctl = c, .text = open_memstream(&text, &size)};
    if (!e.text)
        return ctl_errno(-ENOMEM);
    r = kind->form(&e);
    free(e.items);
    if (fclose(e.text) != 0 && r == 0)
        r = ctl_errno(-ENOMEM);
    return r == 0 ? finish(&e, text, size) : r;
}
