/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "texts.h"

#include <errno.h>

#include "base/rootfs.h"
#include "ctl.h"
#include "policy/load.h"
#include "policy/parse.h"
#include "policy/trial.h"

#define CMDLINE_MAX ((size_t)64 * 1024)
#define CMDLINE_FILE "/proc/cmdline" /* as policy/parse.h calls it */
#define DROPIN_FOLDER "/vfio-bindd.conf.d/"

void texts_done(struct texts *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->v[i].name);
        free(t->v[i].bytes);
    }
    free(t->v);
    free(t->cmdline);
    diags_done(&t->unreadable);
    *t = (struct texts){0};
}

int texts_add(struct texts *t, const char *name, char *bytes, size_t size)
{
    char *copy = strdup(name);

    if (!copy || !grow(&t->v, &t->allocated, t->n, sizeof(*t->v))) {
        free(copy);
        return -ENOMEM;
    }
    t->v[t->n++] = (struct text){.name = copy, .bytes = bytes, .size = size};
    return 0;
}

/* A file that has just been removed counts as absent. */
static int load_one(int root_fd, const char *name, bool untrusted, struct texts *t)
{
    char *bytes;
    size_t size;
    int r = rootfs_read_file(root_fd, name + 1, POLICY_FILE_MAX, &bytes, &size);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    r = texts_add(t, name, bytes, size);
    if (r < 0)
        free(bytes);
    else
        t->v[t->n - 1].untrusted = untrusted;
    return r;
}

/* lib/ finds the files, and reports those that cannot be read. Then their texts are read once
 * more. */
int texts_load(int root_fd, struct texts *ret)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    bool off;
    size_t size;

    int r = 0;

    policy_init(&p);
    policy_load(root_fd, &p, &d, &off);
    for (size_t i = 0; r >= 0 && i < p.n_files; i++)
        if (!streq(p.files[i], CMDLINE_FILE))
            r = load_one(root_fd, p.files[i], policy_is_untrusted(&p, i), ret);
    for (size_t i = 0; r >= 0 && i < d.n; i++)
        if (d.v[i].line == 0)
            diags_add(&ret->unreadable, d.v[i].level, d.v[i].file, 0, "%s", d.v[i].text);
    ret->unread = d.unread > 0 && geteuid() == 0;
    ret->hidden = geteuid() != 0 ? d.denied : 0;
    if (r >= 0 && rootfs_read_file(root_fd, "proc/cmdline", CMDLINE_MAX, &ret->cmdline, &size) < 0)
        ret->cmdline = NULL;
    return r < 0 ? r : 0;
}

static bool is_dropin(const char *name)
{
    return strstr(name, DROPIN_FOLDER) != NULL;
}

struct text *texts_main(const struct texts *t)
{
    return t->n > 0 && !is_dropin(t->v[0].name) ? &t->v[0] : NULL;
}

bool texts_are_on_trial(const struct texts *t)
{
    const struct text *main = texts_main(t);

    return main && streq(main->name, "/" TRIAL_PATH);
}

/* If the main file is replaced, it no longer matters that the old one could not be read. */
static void drop_unreadable_main(struct texts *t)
{
    struct diags kept = {0};

    for (size_t i = 0; i < t->unreadable.n; i++) {
        const struct diag *d = &t->unreadable.v[i];
        if (d->file && strstr(d->file, "vfio-bindd.conf.d"))
            diags_add(&kept, d->level, d->file, 0, "%s", d->text);
    }
    diags_done(&t->unreadable);
    t->unreadable = kept;
    t->unread = t->unread && kept.n > 0;
    if (t->hidden > kept.n)
        t->hidden = kept.n;
}

static int insert_text(struct texts *t, size_t at, const char *name, char *bytes, size_t size)
{
    int r = texts_add(t, name, bytes, size);

    if (r < 0)
        return r;
    struct text new = t->v[t->n - 1];
    memmove(&t->v[at + 1], &t->v[at], (t->n - 1 - at) * sizeof(*t->v));
    t->v[at] = new;
    return 0;
}

int texts_replace_main(struct texts *t, const char *name, char *bytes, size_t size)
{
    struct text *main = texts_main(t);

    if (!main) {
        int r = insert_text(t, 0, name, bytes, size);
        if (r < 0)
            return r;
    } else {
        char *copy = strdup(name);
        if (!copy)
            return -ENOMEM;
        free(main->name);
        free(main->bytes);
        *main = (struct text){.name = copy, .bytes = bytes, .size = size};
    }
    drop_unreadable_main(t);
    return 0;
}

const struct text *texts_find(const struct texts *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (streq(t->v[i].name, name))
            return &t->v[i];
    return NULL;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int texts_add_dropin(struct texts *t, const char *name, char *bytes, size_t size)
{
    size_t at = texts_main(t) ? 1 : 0;

    for (; at < t->n && strcmp(file_name(t->v[at].name), file_name(name)) <= 0; at++)
        if (streq(file_name(t->v[at].name), file_name(name)))
            return -EEXIST;
    return insert_text(t, at, name, bytes, size);
}

void texts_remove(struct texts *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!streq(t->v[i].name, name))
            continue;
        free(t->v[i].name);
        free(t->v[i].bytes);
        memmove(&t->v[i], &t->v[i + 1], (--t->n - i) * sizeof(*t->v));
        return;
    }
}

int texts_parse(const struct texts *t, struct policy *p, struct diags *d, bool *ret_off)
{
    int r = 0;

    *ret_off = false;
    for (size_t i = 0; i < t->unreadable.n; i++) {
        const struct diag *u = &t->unreadable.v[i];
        diags_add(d, u->level, u->file, u->line, "%s", u->text);
    }
    for (size_t i = 0; r >= 0 && i < t->n; i++)
        r = (t->v[i].untrusted ? policy_parse_untrusted
                               : policy_parse)(p, t->v[i].name, t->v[i].bytes, t->v[i].size, d);
    if (r >= 0 && t->cmdline)
        r = policy_parse_cmdline(p, t->cmdline, d, ret_off);
    if (r < 0)
        return r;
    if (t->unread || d->unread > 0)
        policy_distrust(p);
    policy_finish(p, d);
    return 0;
}

char *texts_line(const struct texts *t, const char *file, unsigned line)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!streq(t->v[i].name, file))
            continue;
        const char *at = t->v[i].bytes, *end = at + t->v[i].size;
        for (unsigned n = 1; at && at < end; n++) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            size_t length = (size_t)((newline ? newline : end) - at);
            if (n == line)
                return strndup(at, length > 0 && at[length - 1] == '\r' ? length - 1 : length);
            at = newline ? newline + 1 : NULL;
        }
    }
    return NULL;
}

void texts_remedy(const char *file, char *buf, size_t size)
{
    if (!file || !*file || streq(file, "/etc/vfio-bindd.conf"))
        snprintf(buf, size, "%svfio-bindctl edit", ctl_sudo());
    else if (streq(file, CMDLINE_FILE))
        snprintf(buf, size, "# correct vfio_bindd.ids= on the kernel command line");
    else
        snprintf(buf, size, "%s%s && %ssystemctl reload vfio-bindd",
                 geteuid() == 0 ? "${EDITOR:-vi} " : "sudoedit ", file, ctl_sudo());
}
