/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/printable-stream.h"
#include "export/kinds.h"
#include "open.h"

/* The options that a kind accepts. */
enum {
    TAKES_PATCH = 1 << 0,
    TAKES_TEMPLATE = 1 << 1, /* also --count and --resource */
    TAKES_NAMESPACE = 1 << 2,
    TAKES_VARIANT = 1 << 3,
    TAKES_INPUT = 1 << 4,
    /* Exports the current state, including errors in the policy. The others export the policy, and
     * refuse one with errors. */
    TELLS_STATE = 1 << 5,
};

static const struct kind {
    const char *name;
    int (*form)(struct export *e);
    unsigned flags;
} kinds[] = {
    {"kubevirt", export_kubevirt, TAKES_PATCH | TAKES_NAMESPACE | TAKES_INPUT},
    {"hco", export_hco, TAKES_PATCH | TAKES_NAMESPACE | TAKES_INPUT | TAKES_VARIANT},
    {"capk", export_capk, TAKES_PATCH | TAKES_TEMPLATE | TAKES_INPUT},
    {"nfd", export_nfd, TELLS_STATE},
    {"prometheus", export_prometheus, TELLS_STATE},
    {"butane", export_butane, TAKES_VARIANT},
    {"talos", export_talos, 0},
    {"modprobe", export_modprobe, 0},
    {"libvirt", export_libvirt, 0},
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        if (streq(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

/* An option that would be ignored is an error. */
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
    /* With another policy than the running one, the daemon's data do not apply. */
    unsigned flags = SOURCE_FILES | (c->policy ? 0 : SOURCE_DAEMON);
    /* Without devices there is no state to export. */
    if (!(kind->flags & TELLS_STATE))
        flags |= SOURCE_BARE_TREE;
    int r = source_open(c, flags, s);

    if (r == 0 && c->policy)
        r = source_use_policy(s, c->policy);
    if (r != 0)
        return r;
    diags_print(&s->diags, stderr);
    if (s->diags.errors > 0 && !(kind->flags & TELLS_STATE))
        return ctl_error("the policy has %zu error%s: nothing is exported", s->diags.errors,
                         s->diags.errors == 1 ? "" : "s");
    if (s->off)
        ctl_note(c, "vfio-bindd is disabled here by the kernel command line");
    return 0;
}

static int finish_export(struct export *e, const char *text)
{
    if (e->inexpressible > 0 && e->ctl->strict)
        return ctl_error("some of the policy cannot be expressed (--strict): nothing is exported");
    /* The formats have their own escapes for unprintable characters. */
    int r = printable_bypass(stdout, text);
    return r < 0 ? ctl_error("cannot write the output: %s", strerror(-r)) : EXIT_SUCCESS;
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
    return r == 0 ? finish_export(&e, text) : r;
}
