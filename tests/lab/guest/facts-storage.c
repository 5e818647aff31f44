/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which PCI functions the mounted file systems, the swap and the disks are on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "facts.h"

#define MAX_DEPTH 16

struct mount {
    char *point;
    char *type;
    char *source;
    char *devno;
};

static struct mount *mounts;
static size_t mount_count;

/* Spaces and the like are written as \ooo. */
static char *unescaped(char *text)
{
    char *to = text;

    for (const char *from = text; *from; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return text;
}

/* "ID PARENT DEVNO ROOT POINT OPTIONS [MORE…] - TYPE SOURCE OPTIONS" */
static void add_mount(char *line)
{
    char *fields[5], *rest = strstr(line, " - ");
    struct mount *mount;

    if (!rest)
        return;
    *rest = '\0';
    rest += 3;
    for (int i = 0; i < 5; i++)
        if (!(fields[i] = strsep(&line, " ")))
            return;
    mounts = realloc(mounts, (mount_count + 1) * sizeof(*mounts));
    if (!mounts)
        abort();
    mount = &mounts[mount_count];
    mount->devno = fields[2];
    mount->point = unescaped(fields[4]);
    mount->type = unescaped(strsep(&rest, " "));
    mount->source = rest ? unescaped(strsep(&rest, " ")) : NULL;
    mount_count += mount->source != NULL;
}

static void read_mounts(void)
{
    char *text = content_of("/proc/self/mountinfo"), *line;

    while ((line = next_line(&text)))
        add_mount(line);
}

static char *devno_text(dev_t devno)
{
    return format("%u:%u", major(devno), minor(devno));
}

static void add_disk(struct texts *pci, const char *path, int depth);
static void add_devno(struct texts *pci, const char *devno, int depth);

/* The file system that a path is on, by the longest mount point above it: the device numbers of
 * files on btrfs are not those of its mounts. */
static const struct mount *mount_above(const char *path)
{
    const struct mount *found = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < mount_count; i++) {
        const char *point = mounts[i].point;
        size_t length = strcmp(point, "/") == 0 ? 0 : strlen(point);
        if (strncmp(path, point, length) == 0 && (path[length] == '/' || !path[length]) &&
            (!found || length >= longest)) {
            found = &mounts[i];
            longest = length;
        }
    }
    return found;
}

/* Every device of the btrfs that one of them is in: an array's mounts name only one. */
static void add_btrfs(struct texts *pci, const char *source, int depth)
{
    char **systems, **members;
    struct stat file;
    const char *devno = stat(source, &file) == 0 ? devno_text(file.st_rdev) : NULL;
    size_t count = names_in(&systems, "/sys/fs/btrfs");

    for (size_t i = 0; i < count && devno; i++) {
        const char *folder = format("/sys/fs/btrfs/%s/devices", systems[i]);
        size_t size = names_in(&members, folder);
        bool ours = false;
        for (size_t j = 0; j < size && !ours; j++) {
            const char *member = line_of("%s/%s/dev", folder, members[j]);
            ours = member && strcmp(member, devno) == 0;
        }
        for (size_t j = 0; j < size && ours; j++)
            add_disk(pci, real_path("%s/%s", folder, members[j]), depth + 1);
    }
}

static void add_mount_disks(struct texts *pci, const struct mount *mount, int depth)
{
    if (strcmp(mount->type, "btrfs") == 0)
        add_btrfs(pci, mount->source, depth);
    add_devno(pci, mount->devno, depth);
}

/* What a loop device or a swap is made of: a file's disk, or the disk itself. */
static void add_file(struct texts *pci, const char *path, int depth)
{
    const struct mount *mount;
    struct stat file;

    if (stat(path, &file) < 0)
        return;
    if (S_ISBLK(file.st_mode))
        add_devno(pci, devno_text(file.st_rdev), depth);
    else if (major(file.st_dev) != 0)
        add_devno(pci, devno_text(file.st_dev), depth);
    else if ((mount = mount_above(path)))
        add_mount_disks(pci, mount, depth);
}

/* A disk of an NVMe subsystem with several paths is below no controller, but beside their links. */
static void add_nvme_paths(struct texts *pci, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *subsystem = format("%.*s", (int)(slash - path), path);
    char **names, *function;
    size_t count = names_in(&names, subsystem);

    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i], "nvme", 4) == 0 &&
            (function = nearest_function(real_path("%s/%s", subsystem, names[i]))))
            add_text(pci, function);
}

/* A disk or partition by its folder in /sys/devices. */
static void add_disk(struct texts *pci, const char *path, int depth)
{
    char **slaves, *function, *file;
    size_t count;

    if (!path || depth > MAX_DEPTH)
        return;
    if (exists("%s/partition", path))
        path = real_path("%s/..", path);
    if ((function = nearest_function(path)))
        add_text(pci, function);
    if (strstr(path, "/nvme-subsystem/"))
        add_nvme_paths(pci, path);
    if ((file = line_of("%s/loop/backing_file", path)))
        add_file(pci, file, depth + 1);
    count = names_in(&slaves, format("%s/slaves", path));
    for (size_t i = 0; i < count; i++)
        add_disk(pci, real_path("%s/slaves/%s", path, slaves[i]), depth + 1);
}

static void add_devno(struct texts *pci, const char *devno, int depth)
{
    add_disk(pci, real_path("/sys/dev/block/%s", devno), depth);
}

static void put_pci(struct texts *pci)
{
    sort_texts(pci);
    put_texts("pci", pci->at, pci->count);
}

void print_mounts(void *unused)
{
    (void)unused;
    read_mounts();
    for (size_t i = 0; i < mount_count; i++) {
        struct texts pci = {0};
        if (strcmp(mounts[i].type, "btrfs") != 0 && !exists("/sys/dev/block/%s", mounts[i].devno))
            continue;
        add_mount_disks(&pci, &mounts[i], 0);
        begin("mount");
        put_text("point", mounts[i].point);
        put_text("type", mounts[i].type);
        put_text("source", mounts[i].source);
        put_text("devno", mounts[i].devno);
        put_pci(&pci);
        end();
    }
}

void print_swaps(void *unused)
{
    char *text = content_of("/proc/swaps"), *line;

    (void)unused;
    read_mounts();
    next_line(&text);
    while ((line = next_line(&text))) {
        struct texts pci = {0};
        const char *source = unescaped(strsep(&line, " \t"));
        add_file(&pci, source, 0);
        begin("swap");
        put_text("source", source);
        put_pci(&pci);
        end();
    }
}

void print_blocks(void *unused)
{
    char **names;
    size_t count = names_in(&names, "/sys/block");

    (void)unused;
    read_mounts();
    for (size_t i = 0; i < count; i++) {
        struct texts pci = {0};
        if (strncmp(names[i], "ram", 3) == 0 ||
            (strncmp(names[i], "loop", 4) == 0 && !exists("/sys/block/%s/loop", names[i])))
            continue;
        add_disk(&pci, real_path("/sys/block/%s", names[i]), 0);
        begin("block");
        put_text("name", names[i]);
        put_text("devno", line_of("/sys/block/%s/dev", names[i]));
        put_text("dm", line_of("/sys/block/%s/dm/name", names[i]));
        put_bool("md", exists("/sys/block/%s/md", names[i]));
        put_pci(&pci);
        put_number("size", 512 * number_of(line_of("/sys/block/%s/size", names[i]), 0));
        end();
    }
}
