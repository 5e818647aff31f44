/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/rootfs.h"
#include "base/util.h"

void tree_done(struct tree *t)
{
    free(t->unseen);
    t->unseen = NULL;
}

void tree_unseen(struct tree *t, const char *what, int r)
{
    char *where = t->unseen ? strstr(t->unseen, what) : NULL, *longer;

    if (r == -ENOENT || r == -ENOTDIR)
        return;
    if (where && where[strlen(what)] == ' ') /* already recorded */
        return;
    if (asprintf(&longer, "%s%s%s (%s)", t->unseen ? t->unseen : "", t->unseen ? ", " : "", what,
                 strerror(-r)) < 0) {
        t->failed = true;
        return;
    }
    free(t->unseen);
    t->unseen = longer;
}

/* Records the path as the administrator knows it. */
static void unseen_path(struct tree *t, const char *path, int r)
{
    char full[PATH_MAX];

    snprintf(full, sizeof(full), "/%s", path);
    tree_unseen(t, full, r);
}

bool tree_exists(struct tree *t, const char *path)
{
    CLEANUP_CLOSE int fd = rootfs_open(t->root_fd, path, O_PATH);

    if (fd < 0)
        unseen_path(t, path, fd);
    return fd >= 0;
}

char *tree_read(struct tree *t, const char *path, size_t max, size_t *ret_size)
{
    char *text;
    int r = rootfs_read_file(t->root_fd, path, max, &text, ret_size);

    if (r == 0)
        return text;
    if (r == -ENOMEM)
        t->failed = true;
    else if (rootfs_is_mask(t->root_fd, path) <= 0)
        unseen_path(t, path, r);
    return NULL;
}

static bool ends(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n >= m && streq(name + n - m, ending);
}

static int names_in_order(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

size_t tree_each(struct tree *t, const char *folder, const char *ending, tree_entry each,
                 void *userdata)
{
    const struct dirent *e;
    char **names = NULL, path[PATH_MAX];
    size_t n = 0, allocated = 0;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_open_dir(t->root_fd, folder, &dir);

    if (r < 0)
        unseen_path(t, folder, r);
    while (dir && (e = readdir(dir))) {
        if (e->d_name[0] == '.' || !ends(e->d_name, ending))
            continue;
        char *name = strdup(e->d_name);
        if (!name || !grow(&names, &allocated, n, sizeof(*names))) {
            free(name);
            t->failed = true;
            break;
        }
        names[n++] = name;
    }
    if (n > 1)
        qsort(names, n, sizeof(*names), names_in_order);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (each)
            each(userdata, path, names[i]);
        free(names[i]);
    }
    free(names);
    return n;
}

char *tree_line(char **rest)
{
    char *line;

    while ((line = strsep(rest, "\n"))) {
        line += strspn(line, " \t");
        size_t n = strlen(line);
        while (n > 0 && strchr(" \t\r", line[n - 1]))
            line[--n] = '\0';
        if (*line && *line != '#' && *line != ';')
            return line;
    }
    return NULL;
}
