/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot-use.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>

#include "boot-net.h"
#include "rootfs.h"
#include "use.h"
#include "util.h"

#define FILE_MAX (1 << 20)
#define LINKS_MAX 4 /* links in /dev that lead to each other */

/* A disk that is named somewhere: "UUID=…", "/dev/…". */
struct claim {
    const char *disk;
    const char *where; /* "/etc/fstab (/data)", "root=" */
    bool on_cmdline;
};

/* Returns true to go no further. */
typedef bool visitor(void *userdata, const struct claim *c);

/* -- which block device is meant -- */

/* Links of by-path have the PCI device's address in their names:
 * "pci-0000:00:1f.2-ata-1", "pci-0000:00:0e.0-pci-10000:e1:00.0-nvme-1". */
static bool names_address(const char *path, struct pci_addr a)
{
    char text[PCI_ADDR_MAX + 8];
    size_t n = (size_t)snprintf(text, sizeof(text), "pci-%s", pci_addr_text(a).s);

    for (const char *p = path; (p = strstr(p, text)); p++)
        if (!p[n] || p[n] == '-')
            return true;
    return false;
}

/* udev's spelling of a label in the name of a link. */
static void encode(const char *text, char *to, size_t size)
{
    size_t n = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p && n + 5 < size; p++)
        if (isalnum(*p) || *p >= 0x80 || strchr("#+-.:=@_", *p))
            to[n++] = (char)*p;
        else
            n += (size_t)snprintf(to + n, size - n, "\\x%02x", *p);
    to[n] = '\0';
}

/* The path below the root of what is meant; false if it is no disk (nfs, tmpfs, a file). */
static bool disk_path(const char *disk, char path[static PATH_MAX])
{
    static const struct {
        const char *key, *folder;
    } tags[] = {{"UUID=", "uuid"},
                {"LABEL=", "label"},
                {"PARTUUID=", "partuuid"},
                {"PARTLABEL=", "partlabel"},
                {"ID=", "id"}};

    for (size_t i = 0; i < ELEMENTS(tags); i++) {
        const char *value = after_prefix(disk, tags[i].key);
        char bare[256], encoded[4 * 256];
        if (!value)
            continue;
        snprintf(bare, sizeof(bare), "%s", *value == '"' ? value + 1 : value);
        bare[strcspn(bare, "\"")] = '\0';
        encode(bare, encoded, sizeof(encoded));
        snprintf(path, PATH_MAX, "dev/disk/by-%s/%s", tags[i].folder, encoded);
        return *bare != '\0';
    }
    if (!after_prefix(disk, "/dev/") || strlen(disk) >= PATH_MAX)
        return false;
    snprintf(path, PATH_MAX, "%s", disk + 1);
    return true;
}

/* The name in /sys/class/block; false if there is no such block device yet. */
static bool block_name(int root_fd, const char *disk, char name[static NAME_MAX + 1])
{
    char path[PATH_MAX], target[PATH_MAX], class_path[NAME_MAX + 32];

    if (!disk_path(disk, path))
        return false;
    for (int i = 0; i < LINKS_MAX; i++) {
        ssize_t n = readlinkat(root_fd, path, target, sizeof(target) - 1);
        if (n <= 0)
            break;
        target[n] = '\0';
        const char *slash = strrchr(target, '/'); /* they lead to kernel names, right below /dev */
        snprintf(path, sizeof(path), "dev/%.*s", NAME_MAX, slash ? slash + 1 : target);
    }
    size_t length = strlen(path + strlen("dev/"));
    if (length > NAME_MAX)
        return false;
    memcpy(name, path + strlen("dev/"), length + 1);
    for (char *p = name; *p; p++)
        if (*p == '/') /* as the kernel does for /dev/cciss/c0d0 */
            *p = '!';
    snprintf(class_path, sizeof(class_path), "sys/class/block/%s", name);
    return *name && faccessat(root_fd, class_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* -- who names disks -- */

static bool each_of_cmdline(const struct cmdline *words, visitor *visit, void *userdata)
{
    static const struct {
        const char *key;
        bool luks; /* a bare UUID, perhaps with "=NAME" */
    } keys[] = {{"root=", false},        {"resume=", false},      {"mount.usr=", false},
                {"cryptdevice=", false}, {"rd.luks.uuid=", true}, {"rd.luks.name=", true},
                {"luks.uuid=", true},    {"luks.name=", true}};

    for (size_t i = 0; i < words->n; i++)
        for (size_t k = 0; k < ELEMENTS(keys); k++) {
            const char *value = after_prefix(words->v[i], keys[k].key);
            struct claim c = {.where = keys[k].key, .on_cmdline = true};
            char disk[256];
            if (!value)
                continue;
            if (keys[k].luks) {
                const char *uuid = after_prefix(value, "luks-");
                snprintf(disk, sizeof(disk), "UUID=%s", uuid ? uuid : value);
                disk[strlen("UUID=") + strcspn(disk + strlen("UUID="), "=")] = '\0';
            } else {
                snprintf(disk, sizeof(disk), "%s", value);
                if (streq(keys[k].key, "cryptdevice=") && !strstr(disk, "/by-path/"))
                    disk[strcspn(disk, ":")] = '\0'; /* the name that it gets follows */
            }
            c.disk = disk;
            if (visit(userdata, &c))
                return true;
        }
    return false;
}

static bool each_of_fstab(int root_fd, visitor *visit, void *userdata)
{
    CLEANUP_FREE char *text = NULL;
    char buf[4096], where[300];
    struct mntent entry;
    size_t size;

    if (rootfs_read_file(root_fd, "etc/fstab", FILE_MAX, &text, &size) < 0 || size == 0)
        return false;
    CLEANUP(fclosep) FILE *f = fmemopen(text, size, "r");
    while (f && getmntent_r(f, &entry, buf, sizeof(buf))) {
        struct claim c = {.disk = entry.mnt_fsname, .where = where};
        snprintf(where, sizeof(where), "/etc/fstab (%.255s)",
                 streq(entry.mnt_type, "swap") ? "swap" : entry.mnt_dir);
        if (visit(userdata, &c))
            return true;
    }
    return false;
}

static bool each_of_crypttab(int root_fd, visitor *visit, void *userdata)
{
    CLEANUP_FREE char *text = NULL;
    char *rest, *line, name[256], disk[256], where[300];
    size_t size;

    if (rootfs_read_file(root_fd, "etc/crypttab", FILE_MAX, &text, &size) < 0)
        return false;
    for (rest = text; (line = strsep(&rest, "\n"));) {
        struct claim c = {.disk = disk, .where = where};
        if (sscanf(line, "%255s %255s", name, disk) != 2 || name[0] == '#')
            continue;
        snprintf(where, sizeof(where), "/etc/crypttab (%s)", name);
        if (visit(userdata, &c))
            return true;
    }
    return false;
}

static void each_claim(int root_fd, const struct cmdline *words, visitor *visit, void *userdata)
{
    if (!each_of_cmdline(words, visit, userdata) && !each_of_fstab(root_fd, visit, userdata))
        (void)each_of_crypttab(root_fd, visit, userdata);
}

/* -- the kernel command line -- */

static void cmdline_done(struct cmdline *words)
{
    free(words->v);
    free(words->text);
}

/* Words are separated by blanks outside of double quotes, which are dropped. */
static void cmdline_read(int root_fd, struct cmdline *ret)
{
    size_t size;

    if (rootfs_read_file(root_fd, "proc/cmdline", 64 * 1024, &ret->text, &size) < 0)
        return;
    for (char *p = ret->text; *p;) {
        char *word, *to;
        bool quoted = false;
        p += strspn(p, " \t\n");
        for (word = to = p; *p && (quoted || !strchr(" \t\n", *p)); p++)
            if (*p == '"')
                quoted = !quoted;
            else
                *to++ = *p;
        if (*p)
            p++;
        *to = '\0';
        if (!*word)
            continue;
        if (!grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v)))
            return;
        ret->v[ret->n++] = word;
    }
}

/* -- the two questions -- */

struct search {
    int root_fd;
    struct pci_addr addr;
    char *words;
};

static bool is_on_device(void *userdata, const struct claim *c)
{
    struct search *s = userdata;
    char name[NAME_MAX + 1];
    int r;

    if (!(after_prefix(c->disk, "/dev/disk/by-path/") && names_address(c->disk, s->addr)) &&
        !(block_name(s->root_fd, c->disk, name) && use_block_is_on(s->root_fd, name, s->addr)))
        return false;
    r = c->on_cmdline ? asprintf(&s->words, "has %s (%s)", c->where, c->disk)
                      : asprintf(&s->words, "is in %s", c->where);
    if (r < 0)
        s->words = NULL;
    return true;
}

char *boot_use_of(int root_fd, const struct device *d)
{
    CLEANUP(cmdline_done) struct cmdline words = {0};
    struct search s = {.root_fd = root_fd, .addr = d->addr};

    cmdline_read(root_fd, &words);
    each_claim(root_fd, &words, is_on_device, &s);
    return s.words ? s.words : boot_net_use(root_fd, d, &words);
}

static bool add_unresolved(void *userdata, const struct claim *c)
{
    struct search *s = userdata;
    char path[PATH_MAX], name[NAME_MAX + 1], *longer;

    if (!disk_path(c->disk, path) || block_name(s->root_fd, c->disk, name))
        return false;
    if (asprintf(&longer, "%s%s%.255s of %s", s->words ? s->words : "", s->words ? ", " : "",
                 c->disk, c->where) < 0)
        return true;
    free(s->words);
    s->words = longer;
    return false;
}

char *boot_use_unresolved(int root_fd)
{
    CLEANUP(cmdline_done) struct cmdline words = {0};
    struct search s = {.root_fd = root_fd};

    cmdline_read(root_fd, &words);
    each_claim(root_fd, &words, add_unresolved, &s);
    return s.words;
}
