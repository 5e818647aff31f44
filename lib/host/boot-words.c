/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/boot-words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

/* Longer texts are not command lines. */
#define TEXT_MAX (64 * 1024L)

struct boot_text {
    int root_fd;
    FILE *f;
};

static int add_part(struct boot_text *t, const char *key, const char *value)
{
    if (ftell(t->f) + (long)strlen(value) > TEXT_MAX)
        return -EFBIG;
    return fprintf(t->f, " %s%s", key, value) < 0 ? -ENOMEM : 0;
}

static int add_cmdline_file(struct boot_text *t, const char *path)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    int r = rootfs_read_file(t->root_fd, path, (size_t)TEXT_MAX, &text, &size);

    return r < 0 ? fact_error(r) : add_part(t, "", text);
}

/* Translates variables of initramfs-tools to dracut's words. */
static int take_variable(void *userdata, char *line)
{
    static const struct {
        const char *variable, *word;
    } variables[] = {{"ROOT=", "root="}, {"IP=", "ip="}, {"DEVICE=", "bootdev="}};

    if (streq(line, "BOOT=nfs"))
        return add_part(userdata, "", "root=/dev/nfs");
    for (size_t i = 0; i < ELEMENTS(variables); i++) {
        const char *value = after_prefix(line, variables[i].variable);
        if (value && *value)
            return add_part(userdata, variables[i].word, value);
    }
    return 0;
}

static int add_variables(struct boot_text *t, const char *path)
{
    return fact_error(rootfs_each_line(t->root_fd, path, take_variable, t));
}

static int add_folder(struct boot_text *t, const char *folder,
                      int (*add)(struct boot_text *t, const char *path))
{
    CLEANUP(closedirp) DIR *dir = NULL;
    const struct dirent *entry;
    int r = rootfs_list(t->root_fd, folder, &dir);

    while (r == 0 && (r = rootfs_next(dir, &entry)) > 0) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        r = add(t, path);
    }
    return r;
}

static int add_initramfs(struct boot_text *t)
{
    int r = add_cmdline_file(t, "etc/cmdline");

    if (r == 0)
        r = add_folder(t, "etc/cmdline.d", add_cmdline_file);
    if (r == 0)
        r = add_variables(t, "conf/initramfs.conf");
    if (r == 0)
        r = add_folder(t, "conf/conf.d", add_variables);
    return r == 0 ? add_variables(t, "conf/param.conf") : r;
}

int boot_words_read(int root_fd, bool in_initramfs, struct cmdline *ret)
{
    char *text = NULL;
    size_t size;
    struct boot_text t = {root_fd, open_memstream(&text, &size)};

    if (!t.f)
        return -ENOMEM;
    int r = add_cmdline_file(&t, "proc/cmdline");
    if (r == 0 && in_initramfs)
        r = add_initramfs(&t);
    if (fclose(t.f) != 0)
        r = -ENOMEM;
    if (r == 0)
        return cmdline_split(text, ret);
    free(text);
    return r;
}
