/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/rootfs.h"

/* modules.alias has 1 to 2 MiB, /proc/interrupts several on large hosts. The kernel answers reads
 * of its settings that ask for more than it can allocate with ENOMEM. */
#define FILE_MAX (16U << 20)
#define SETTING_MAX 4096U

void check_unseen(struct check *c, const char *what, int r)
{
    char *where = c->unseen ? strstr(c->unseen, what) : NULL;

    if (r == -ENOENT || r == -ENOTDIR)
        return;
    if (where && where[strlen(what)] == ' ') /* said before */
        return;
    check_append(c, &c->unseen, ", ", "%s (%s)", what, strerror(-r));
}

/* As the administrator knows it. */
static void unseen_path(struct check *c, const char *path, int r)
{
    char full[PATH_MAX];

    snprintf(full, sizeof(full), "/%s", path);
    check_unseen(c, full, r);
}

bool check_exists(struct check *c, const char *path)
{
    CLEANUP_CLOSE int fd = rootfs_open(c->root_fd, path, O_PATH);

    if (fd < 0)
        unseen_path(c, path, fd);
    return fd >= 0;
}

char *check_read(struct check *c, const char *path)
{
    char *text;
    size_t size;
    size_t max = after_prefix(path, "proc/sys/") ? SETTING_MAX : FILE_MAX;
    int r = rootfs_read_file(c->root_fd, path, max, &text, &size);

    if (r == 0)
        return text;
    if (r == -ENOMEM)
        c->failed = true;
    else
        unseen_path(c, path, r);
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

size_t check_each(struct check *c, const char *folder, const char *ending, check_entry each,
                  void *data)
{
    const struct dirent *e;
    char **names = NULL, path[PATH_MAX];
    size_t n = 0, allocated = 0;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_open_dir(c->root_fd, folder, &dir);

    if (r < 0)
        unseen_path(c, folder, r);
    while (dir && (e = readdir(dir))) {
        if (e->d_name[0] == '.' || !ends(e->d_name, ending))
            continue;
        char *name = strdup(e->d_name);
        if (!name || !grow(&names, &allocated, n, sizeof(*names))) {
            free(name);
            c->failed = true;
            break;
        }
        names[n++] = name;
    }
    if (n > 1)
        qsort(names, n, sizeof(*names), names_in_order);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (each)
            each(c, path, names[i], data);
        free(names[i]);
    }
    free(names);
    return n;
}

char *check_line(char **rest)
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

/* The kernel takes '-' and '_' in a parameter's name for the same. */
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
