/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/found.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>

#include "base/rootfs.h"

/* -- lists -- */

bool list_add(struct list *l, const char *text)
{
    char *copy = strdup(text);

    if (!copy || !grow(&l->v, &l->allocated, l->n, sizeof(*l->v))) {
        free(copy);
        return false;
    }
    l->v[l->n++] = copy;
    return true;
}

void list_done(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct list){0};
}

void found_done(struct found *f)
{
    for (size_t i = 0; i < f->n_claims; i++)
        list_done(&f->claims[i].origins);
    free(f->claims);
    for (size_t i = 0; i < f->n_remarks; i++) {
        free(f->remarks[i].where);
        free(f->remarks[i].text);
    }
    free(f->remarks);
    for (size_t i = 0; i < f->n_steps; i++)
        free(f->steps[i].text);
    free(f->steps);
    for (size_t i = 0; i < f->n_blacklisted; i++)
        free(f->blacklisted[i].path);
    free(f->blacklisted);
    for (size_t i = 0; i < f->n_parameters; i++) {
        free(f->parameters[i].path);
        free(f->parameters[i].value);
    }
    free(f->parameters);
    for (size_t i = 0; i < IDS_MODULES; i++) {
        free(f->options[i].path);
        free(f->options[i].value);
    }
    tree_done(&f->tree);
}

/* Texts quote files: bytes that a terminal could interpret, or that would break a comment of the
 * policy into lines, are replaced. */
static void make_printable(char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            *text = '?';
}

static PRINTF(2, 0) char *format_text(struct found *f, const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0) {
        f->tree.failed = true;
        return NULL;
    }
    make_printable(text);
    return text;
}

/* -- claims -- */

static char *place_text(struct found *f, const char *path, unsigned line)
{
    char *where;
    int r = line ? asprintf(&where, "/%s:%u", path, line) : asprintf(&where, "/%s", path);

    if (r < 0) {
        f->tree.failed = true;
        return NULL;
    }
    make_printable(where);
    return where;
}

static bool same_selection(const struct selection *a, const struct selection *b)
{
    return streq(a->id, b->id) && streq(a->subsystem, b->subsystem) && streq(a->class, b->class) &&
           streq(a->address, b->address) && streq(a->driver, b->driver);
}

static struct claim *find_claim(struct found *f, const struct selection *what)
{
    for (size_t i = 0; i < f->n_claims; i++)
        if (same_selection(&f->claims[i].what, what))
            return &f->claims[i];
    return NULL;
}

bool found_is_claimed(struct found *f, const struct selection *s)
{
    return find_claim(f, s) != NULL;
}

static void add_origin(struct found *f, struct claim *c, const char *origin)
{
    for (size_t i = 0; i < c->origins.n; i++)
        if (streq(c->origins.v[i], origin))
            return;
    if (c->origins.n >= FOUND_REMARKS_MAX)
        f->left_out++;
    else if (!list_add(&c->origins, origin))
        f->tree.failed = true;
}

static bool can_be_said(struct found *f, const struct selection *s, const char *path, unsigned line)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP_FREE char *why = NULL;
    int r = saying_parse(&(struct saying){.name = "x", .what = s}, &p, &why);

    if (r == -EINVAL)
        found_remark(f, path, line, "no rule can say this: %s", why ? why : "");
    else if (r < 0)
        f->tree.failed = true;
    return r == 0;
}

/* Adds a claim. Returns NULL if no rule can express it, or if there is no room. */
static struct claim *new_claim(struct found *f, const struct selection *s, const char *path,
                               unsigned line)
{
    if (f->n_claims >= FOUND_CLAIMS_MAX) {
        f->left_out++;
        return NULL;
    }
    if (!can_be_said(f, s, path, line))
        return NULL;
    if (!grow(&f->claims, &f->allocated_claims, f->n_claims, sizeof(*f->claims))) {
        f->tree.failed = true;
        return NULL;
    }
    f->claims[f->n_claims] = (struct claim){.what = *s};
    return &f->claims[f->n_claims++];
}

static struct claim *put_claim(struct found *f, const struct selection *s, const char *path,
                               unsigned line, const char *what)
{
    CLEANUP_FREE char *where = place_text(f, path, line), *origin = NULL;
    struct claim *c = find_claim(f, s);

    if (!c)
        c = new_claim(f, s, path, line);
    if (where && asprintf(&origin, "%s (%s)", where, what) < 0)
        origin = NULL;
    make_printable(origin);
    if (!origin)
        f->tree.failed = true;
    else if (c)
        add_origin(f, c, origin);
    return c;
}

bool found_claim(struct found *f, const struct selection *s, const char *path, unsigned line,
                 const char *what)
{
    struct claim *c = put_claim(f, s, path, line, what);

    if (c)
        c->at_boot = true;
    return c != NULL;
}

bool found_claim_on_demand(struct found *f, const struct selection *s, const char *path,
                           unsigned line, const char *what)
{
    return put_claim(f, s, path, line, what) != NULL;
}

/* Returns NULL if the host does not use it. */
static const char *use_of(const struct found *f, const struct device *d)
{
    if (driver_is_vfio(d->driver))
        return NULL;
    if (d->driver && !d->use && (d->boot_display || found_row(f, d)->boot_display))
        return "shows the console";
    return d->use;
}

bool found_shared_with_host(struct found *f, const struct selection *s, const char *path,
                            unsigned line)
{
    bool shared = false;

    for (size_t i = 0; i < f->s->snapshot.n; i++) {
        const struct device *d = &f->s->snapshot.devices[i];
        const char *use = use_of(f, d);
        if (!use || fnmatch(s->address, pci_addr_text(d->addr).s, 0) != 0)
            continue;
        found_remark(f, path, line,
                     "%s is in use by this host now (%s) and gets no rule: a rule would take the "
                     "device at boot, not when the virtual machine starts",
                     pci_addr_text(d->addr).s, use);
        shared = true;
    }
    return shared;
}

/* -- remarks and steps -- */

void found_remark(struct found *f, const char *path, unsigned line, const char *format, ...)
{
    CLEANUP_FREE char *where = place_text(f, path, line);
    va_list args;

    va_start(args, format);
    CLEANUP_FREE char *text = format_text(f, format, args);
    va_end(args);
    if (!where || !text)
        return;
    for (size_t i = 0; i < f->n_remarks; i++)
        if (streq(f->remarks[i].where, where) && streq(f->remarks[i].text, text))
            return;
    if (f->n_remarks >= FOUND_REMARKS_MAX) {
        f->left_out++;
        return;
    }
    if (!grow(&f->remarks, &f->allocated_remarks, f->n_remarks, sizeof(*f->remarks))) {
        f->tree.failed = true;
        return;
    }
    f->remarks[f->n_remarks++] = (struct remark){where, text};
    where = text = NULL;
}

void found_step(struct found *f, enum stage stage, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    CLEANUP_FREE char *text = format_text(f, format, args);
    va_end(args);
    for (size_t i = 0; text && i < f->n_steps; i++)
        if (f->steps[i].stage == stage && streq(f->steps[i].text, text))
            return;
    if (text && f->n_steps >= FOUND_CLAIMS_MAX) {
        f->left_out++;
        return;
    }
    if (!text || !grow(&f->steps, &f->allocated_steps, f->n_steps, sizeof(*f->steps))) {
        f->tree.failed = true;
        return;
    }
    f->steps[f->n_steps++] = (struct step){stage, text};
    text = NULL;
}

void found_blacklisted(struct found *f, const char *module, const char *path, unsigned line)
{
    struct blacklisted b = {.path = strdup(path), .line = line};

    if (!b.path || f->n_blacklisted >= FOUND_REMARKS_MAX || strlen(module) >= sizeof(b.module) ||
        !grow(&f->blacklisted, &f->allocated_blacklisted, f->n_blacklisted,
              sizeof(*f->blacklisted))) {
        free(b.path);
        return;
    }
    for (size_t i = 0; module[i]; i++)
        b.module[i] = (char)(module[i] == '-' ? '_' : module[i]);
    f->blacklisted[f->n_blacklisted++] = b;
}

void found_edit(struct found *f, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    CLEANUP_FREE char *command = format_text(f, format, args);
    va_end(args);
    if (command && loader_is_managed(&f->tree))
        found_step(
            f, STAGE_FILES,
            "# take it out of the MachineConfig that writes /%s, which is compared with what "
            "is here; only if none does: %s",
            path, command);
    else if (command)
        found_step(f, STAGE_FILES, "%s", command);
}

static void rebuild_step(void *userdata, const char *line)
{
    found_step(userdata, STAGE_REBUILD, "%s", line);
}

bool found_retire_file(struct found *f, const char *path, const char *etc_folder, const char *name)
{
    CLEANUP_FREE char *file = found_quoted("/", path), *mask = NULL;

    if (asprintf(&mask, "%s/%s", etc_folder, name) < 0)
        mask = NULL;
    CLEANUP_FREE char *mask_quoted = mask ? found_quoted("/", mask) : NULL;
    if (!file || !mask_quoted)
        return false;
    if (after_prefix(path, "etc/") && !f->hides)
        found_edit(f, path, "%srm %s", ctl_sudo(), file);
    else /* removing it must not uncover another file */
        found_edit(f, path, "%sln -sf /dev/null %s", ctl_sudo(), mask_quoted);
    return true;
}

void found_rebuild_loader(struct found *f, enum loader loader)
{
    const struct loader_to to = {&f->tree, f->release, rebuild_step, f};

    loader_rebuild(&to, loader);
    f->needs_reboot = true;
}

void found_rebuild_initramfs(struct found *f)
{
    const struct loader_to to = {&f->tree, f->release, rebuild_step, f};

    loader_rebuild_initramfs(&to);
}

/* -- files -- */

char *found_read(struct found *f, const char *path)
{
    size_t size;

    if (f->n_bytes > FOUND_BYTES_MAX) {
        f->left_out++;
        return NULL;
    }
    char *text = tree_read(&f->tree, path, FOUND_FILE_MAX, &size);
    f->n_bytes += text ? size : 0;
    for (size_t i = 0; text && i < size; i++)
        if (text[i] == '\0')
            text[i] = '?';
    return text;
}

void found_modules_folder(struct found *f, char ret[static 160])
{
    *ret = '\0';
    if (*f->release)
        snprintf(ret, 160, "%slib/modules/%s",
                 tree_exists(&f->tree, "usr/lib/modules") ? "usr/" : "", f->release);
}

bool found_is_built_in(struct found *f, const char *module)
{
    char folder[160], path[192], name[64];

    found_modules_folder(f, folder);
    if (!*folder)
        return false;
    snprintf(path, sizeof(path), "%s/modules.builtin", folder);
    CLEANUP_FREE char *text = found_read(f, path);
    snprintf(name, sizeof(name), "/%s.ko", module);
    return text && strstr(text, name);
}

struct folder_call {
    struct found *f;
    found_file *see;
};

static void see_one_file(void *userdata, const char *path, const char *name)
{
    struct folder_call *call = userdata;

    if (call->f->n_files++ >= FOUND_FILES_MAX)
        call->f->left_out++;
    else
        call->see(call->f, path, name);
}

void found_each(struct found *f, const char *folder, const char *ending, found_file *see)
{
    struct folder_call call = {f, see};

    tree_each(&f->tree, folder, ending, see_one_file, &call);
}

/* The paths in several folders, one for each name. */
struct paths {
    struct found *f;
    struct list list, hidden;
};

static const char *name_in(const char *path)
{
    return strrchr(path, '/') + 1;
}

static void add_path(void *userdata, const char *path, const char *name)
{
    struct paths *p = userdata;

    for (size_t i = 0; i < p->list.n; i++)
        if (streq(name_in(p->list.v[i]), name)) {
            if (p->hidden.n < FOUND_FILES_MAX && !list_add(&p->hidden, path))
                p->f->tree.failed = true;
            return;
        }
    if (p->f->n_files++ >= FOUND_FILES_MAX)
        p->f->left_out++;
    else if (!list_add(&p->list, path))
        p->f->tree.failed = true;
}

static int by_name(const void *x, const void *y)
{
    return strcmp(name_in(*(char *const *)x), name_in(*(char *const *)y));
}

void found_each_of(struct found *f, const char *const *folders, size_t n, const char *ending,
                   found_file *see)
{
    struct paths p = {.f = f};

    for (size_t i = 0; i < n; i++)
        tree_each(&f->tree, folders[i], ending, add_path, &p);
    if (p.list.n > 1)
        qsort(p.list.v, p.list.n, sizeof(*p.list.v), by_name);
    for (size_t i = 0; i < p.list.n; i++) {
        f->hides = false;
        for (size_t j = 0; j < p.hidden.n; j++)
            f->hides = f->hides || streq(name_in(p.hidden.v[j]), name_in(p.list.v[i]));
        see(f, p.list.v[i], name_in(p.list.v[i]));
    }
    list_done(&p.list);
    list_done(&p.hidden);
}

char *found_quoted(const char *prefix, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+:@%=,";
    const char *quote = *text && !text[strspn(text, plain)] ? "" : "'";
    char *word;

    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '\'')
            return NULL;
    if (*prefix == '\0' && *text == '-') /* it would be an option */
        return NULL;
    return asprintf(&word, "%s%s%s%s", quote, prefix, text, quote) < 0 ? NULL : word;
}
