/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/files.h"

#include "base/rootfs.h"

/* modules.alias has 1 to 2 MiB, /proc/interrupts several on large hosts. For its settings in
 * /proc/sys, the kernel returns ENOMEM if a read asks for more than it can allocate. */
#define FILE_MAX (16U << 20)
#define SETTING_MAX 4096U

void check_unseen(struct check *c, const char *what, int r)
{
    tree_unseen(&c->tree, what, r);
}

bool check_exists(struct check *c, const char *path)
{
    return tree_exists(&c->tree, path);
}

char *check_read(struct check *c, const char *path)
{
    size_t size;

    return tree_read(&c->tree, path, after_prefix(path, "proc/sys/") ? SETTING_MAX : FILE_MAX,
                     &size);
}

/* The callback that gets an entry. */
struct entry_call {
    struct check *c;
    check_entry each;
    void *data;
};

static void call_entry(void *userdata, const char *path, const char *name)
{
    const struct entry_call *call = userdata;

    call->each(call->c, path, name, call->data);
}

size_t check_each(struct check *c, const char *folder, const char *ending, check_entry each,
                  void *data)
{
    struct entry_call call = {c, each, data};

    return tree_each(&c->tree, folder, ending, each ? call_entry : NULL, &call);
}

static const char *const config_roots[] = {"etc", "run", "usr/local/lib", "usr/lib", "lib"};

/* The callback for a file, unless an earlier folder has a file of the same name. */
struct config_call {
    const char *folder;
    size_t root; /* index into config_roots */
    check_entry each;
    void *data;
};

static void call_unhidden(struct check *c, const char *path, const char *name, void *data)
{
    const struct config_call *call = data;
    char earlier[PATH_MAX];

    for (size_t i = 0; i < call->root; i++) {
        snprintf(earlier, sizeof(earlier), "%s/%s/%s", config_roots[i], call->folder, name);
        if (check_exists(c, earlier) || rootfs_is_mask(c->tree.root_fd, earlier) > 0)
            return;
    }
    call->each(c, path, name, call->data);
}

void check_each_config(struct check *c, const char *folder, const char *ending, check_entry each,
                       void *data)
{
    char path[64], target[16];

    for (size_t i = 0; i < ELEMENTS(config_roots); i++) {
        struct config_call call = {folder, i, each, data};
        /* /lib is usually a link to /usr/lib. */
        if (readlinkat(c->tree.root_fd, config_roots[i], target, sizeof(target)) > 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", config_roots[i], folder);
        check_each(c, path, ending, call_unhidden, &call);
    }
}

char *check_line(char **rest)
{
    return tree_line(rest);
}

/* In names of parameters the kernel treats '-' and '_' as equal. */
static const char *after_parameter(const char *word, const char *parameter)
{
    for (; *parameter; word++, parameter++)
        if (*word != *parameter && !(*word == '-' && *parameter == '_') &&
            !(*word == '_' && *parameter == '-'))
            return NULL;
    return word;
}

const char *check_cmdline(const struct check *c, const char *word)
{
    const char *found = NULL;

    for (size_t i = 0; i < c->cmdline.n; i++) {
        const char *after = after_parameter(c->cmdline.v[i], word);
        if (after && (word[strlen(word) - 1] == '=' || !*after))
            found = after;
    }
    return found;
}
