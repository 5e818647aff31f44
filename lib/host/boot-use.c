/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/boot-use.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <mntent.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/boot-net.h"
#include "host/boot-words.h"

#define FILE_MAX (1 << 20)
#define MOUNT_EXTRA "systemd.mount-extra="
#define SWAP_EXTRA "systemd.swap-extra="
#define LINKS_MAX 4 /* links in /dev that point to each other */

/* A disk that a configuration names. */
struct boot_disk {
    char *disk;  /* "UUID=…", "/dev/…" */
    char *where; /* "/etc/fstab (/data)", "root=" */
    bool on_cmdline;
};

/* -- from names to block devices -- */

/* The names of links in by-path contain the address of the PCI device: "pci-0000:00:1f.2-ata-1",
 * "pci-0000:00:0e.0-pci-10000:e1:00.0-nvme-1". */
static bool names_address(const char *path, struct pci_addr a)
{
    char text[PCI_ADDR_MAX + 8];
    size_t n = (size_t)snprintf(text, sizeof(text), "pci-%s", pci_addr_text(a).s);

    for (const char *p = path; (p = strstr(p, text)); p++)
        if (!p[n] || p[n] == '-')
            return true;
    return false;
}

/* Encodes a label as udev does in the name of a link. */
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

/* The path of a disk, below the root; false if it is not a disk (nfs, tmpfs, a file). */
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

/* The disk's name in /sys/class/block. Returns 1, 0 (not a disk) or negative errno. */
static int block_name(int root_fd, const char *disk, char name[static NAME_MAX + 1])
{
    char path[PATH_MAX], target[NAME_MAX + 1];
    int r = 1;

    if (!disk_path(disk, path))
        return 0;
    /* The links point to kernel names directly below /dev. */
    for (int i = 0; i < LINKS_MAX && (r = rootfs_link_name(root_fd, path, target)) > 0; i++)
        snprintf(path, sizeof(path), "dev/%s", target);
    if (r < 0 && r != -EINVAL) /* -EINVAL: not a link */
        return r;
    size_t length = strlen(path + strlen("dev/"));
    if (length > NAME_MAX)
        return 0;
    memcpy(name, path + strlen("dev/"), length + 1);
    for (char *p = name; *p; p++)
        if (*p == '/') /* as the kernel does for /dev/cciss/c0d0 */
            *p = '!';
    return *name != '\0';
}

/* -- where disks are named -- */

static int add_disk(struct boot_use *b, const char *disk, const char *where, bool on_cmdline)
{
    if (!grow(&b->disks, &b->allocated, b->n, sizeof(*b->disks)))
        return -ENOMEM;
    struct boot_disk new = {strdup(disk), strdup(where), on_cmdline};
    b->disks[b->n++] = new;
    return new.disk &&new.where ? 0 : -ENOMEM;
}

/* Converts a bare UUID, possibly with "luks-" before it and "=NAME" after it, to "UUID=...". */
static void luks_disk(const char *value, char *disk, size_t size)
{
    const char *uuid = after_prefix(value, "luks-");

    snprintf(disk, size, "UUID=%s", uuid ? uuid : value);
    disk[strlen("UUID=") + strcspn(disk + strlen("UUID="), "=")] = '\0';
}

/* The disk with a key file: "/dev/disk/by-label/keys:/file", "/file:UUID=…". Returns false if the
 * text names no disk. */
static bool key_disk(const char *key, char *disk, size_t size)
{
    const char *device = strrchr(key, ':');

    if (after_prefix(key, "/dev/"))
        snprintf(disk, size, "%.*s", (int)(strstr(key, ":/") ? strstr(key, ":/") - key : 4000),
                 key);
    else if (device && (strchr(device, '=') || after_prefix(device, ":/dev/")))
        snprintf(disk, size, "%s", device + 1);
    else
        return false;
    return !after_prefix(disk, "/dev/urandom") && !after_prefix(disk, "/dev/random");
}

static int add_word(struct boot_use *b, const char *word)
{
    static const struct {
        const char *key;
        bool luks;
        const char *before; /* prefix that makes the value the name of a disk */
    } keys[] = {{"root=block:", false, ""},
                {"root=", false, ""},
                {"resume=", false, ""},
                {"mount.usr=", false, ""},
                {"cryptdevice=", false, ""},
                {"rd.luks.uuid=", true, ""},
                {"rd.luks.name=", true, ""},
                {"luks.uuid=", true, ""},
                {"luks.name=", true, ""},
                {"rd.md.uuid=", false, "ID=md-uuid-"},
                {"rd.lvm.lv=", false, "/dev/"},
                {MOUNT_EXTRA, false, ""},
                {"rd." MOUNT_EXTRA, false, ""},
                {SWAP_EXTRA, false, ""},
                {"rd." SWAP_EXTRA, false, ""},
                {"systemd.verity_root_data=", false, ""},
                {"systemd.verity_root_hash=", false, ""},
                {"systemd.verity_usr_data=", false, ""},
                {"systemd.verity_usr_hash=", false, ""}};

    const char *key = after_prefix(word, "rd.luks.key=");
    char disk[256];
    if (key && key_disk(key, disk, sizeof(disk)))
        return add_disk(b, disk, "rd.luks.key=", true);
    for (size_t i = 0; i < ELEMENTS(keys); i++) {
        const char *value = after_prefix(word, keys[i].key);
        if (!value)
            continue;
        if (keys[i].luks)
            luks_disk(value, disk, sizeof(disk));
        else
            snprintf(disk, sizeof(disk), "%s%s", keys[i].before, value);
        if ((streq(keys[i].key, "cryptdevice=") || strstr(keys[i].key, "-extra=")) &&
            !strstr(disk, "/by-path/"))
            disk[strcspn(disk, ":")] = '\0'; /* the name of the mapping, or the mount point */
        return add_disk(b, disk, keys[i].key, true);
    }
    return 0;
}

/* Further disks that options name: of btrfs, of XFS, the journal of ext4, the header of LUKS. */
static int add_from_options(struct boot_use *b, const char *options, const char *where)
{
    static const char *const keys[] = {"device=", "logdev=", "rtdev=", "journal_path=", "header="};
    CLEANUP_FREE char *copy = strdup(options);
    char *rest = copy, *option, disk[256];
    int r = copy ? 0 : -ENOMEM;

    while (r == 0 && (option = strsep(&rest, ",")))
        for (size_t i = 0; r == 0 && i < ELEMENTS(keys); i++) {
            const char *value = after_prefix(option, keys[i]);
            if (value && key_disk(value, disk, sizeof(disk)))
                r = add_disk(b, disk, where, false);
        }
    return r;
}

/* bcachefs names all of its disks: "/dev/sda:/dev/sdb". */
static int add_source(struct boot_use *b, char *source, const char *where)
{
    char *next;
    int r = 0;

    for (; r == 0 && after_prefix(source, "/dev/") && (next = strstr(source, ":/dev/"));
         source = next + 1) {
        *next = '\0';
        r = add_disk(b, source, where, false);
    }
    return r == 0 ? add_disk(b, source, where, false) : r;
}

static int read_fstab(int root_fd, struct boot_use *b)
{
    CLEANUP_FREE char *text = NULL;
    char buf[4096], where[300];
    struct mntent entry;
    size_t size;
    int r = rootfs_read_file(root_fd, "etc/fstab", FILE_MAX, &text, &size);

    if (r < 0 || size == 0)
        return fact_error(r);
    CLEANUP(fclosep) FILE *f = fmemopen(text, size, "r");
    if (!f)
        return -ENOMEM;
    while (r == 0 && getmntent_r(f, &entry, buf, sizeof(buf))) {
        snprintf(where, sizeof(where), "/etc/fstab (%.255s)",
                 streq(entry.mnt_type, "swap") ? "swap" : entry.mnt_dir);
        r = add_source(b, entry.mnt_fsname, where);
        if (r == 0)
            r = add_from_options(b, entry.mnt_opts, where);
    }
    return r;
}

static int read_crypttab(int root_fd, const char *path, struct boot_use *b)
{
    CLEANUP_FREE char *text = NULL;
    char *rest, *line, name[256], disk[256], key[256], options[1024], where[300];
    size_t size;
    int r = rootfs_read_file(root_fd, path, FILE_MAX, &text, &size);

    if (r < 0)
        return fact_error(r);
    for (rest = text; r == 0 && (line = strsep(&rest, "\n"));) {
        int n = sscanf(line, "%255s %255s %255s %1023s", name, disk, key, options);
        if (n < 2 || name[0] == '#')
            continue;
        snprintf(where, sizeof(where), "/%s (%s)", path, name);
        r = add_disk(b, disk, where, false);
        if (r == 0 && n == 4)
            r = add_from_options(b, options, where);
        if (r == 0 && n >= 3 && key_disk(key, disk, sizeof(disk)))
            r = add_disk(b, disk, where, false);
    }
    return r;
}

/* Arrays: "ARRAY /dev/md0 metadata=1.2 UUID=…" in mdadm.conf. */
static int take_array(void *userdata, char *line)
{
    char *word, disk[128] = "ID=md-uuid-", *uuid;

    if (!after_prefix(line, "ARRAY "))
        return 0;
    while ((word = strsep(&line, " \t"))) {
        if (!(uuid = (char *)after_prefix(word, "UUID=")))
            continue;
        snprintf(disk + strlen(disk), sizeof(disk) - strlen(disk), "%s", uuid);
        return add_disk(userdata, disk, "mdadm.conf", false);
    }
    return 0;
}

/* Files that only an initramfs has: its crypttab (initramfs-tools), its arrays. */
static int read_initramfs(int root_fd, struct boot_use *b)
{
    static const char *const arrays[] = {"etc/mdadm/mdadm.conf", "etc/mdadm.conf"};
    int r = read_crypttab(root_fd, "cryptroot/crypttab", b);

    for (size_t i = 0; r == 0 && i < ELEMENTS(arrays); i++)
        r = fact_error(rootfs_each_line(root_fd, arrays[i], take_array, b));
    return r;
}

/* -- what an initramfs cannot resolve -- */

/* The name that must be in the list. NULL: as far as is visible, the disk is on no device of this
 * host. A root file system in a form that names no disk (ZFS) is in no list. */
static const char *needed_name(const struct boot_disk *disk, char path[static PATH_MAX])
{
    const bool is_root = streq(disk->where, "root=");

    if (is_root && boot_net_is_root(disk->disk))
        return NULL;
    if (disk_path(disk->disk, path))
        return path;
    return is_root ? disk->disk : NULL;
}

static int note_doubts(struct boot_use *b)
{
    char path[PATH_MAX], what[300];
    int r = boot_net_need(&b->words, &b->devices);

    for (size_t i = 0; r == 0 && i < b->n; i++) {
        const struct boot_disk *disk = &b->disks[i];
        const char *name = needed_name(disk, path);
        if (disk->on_cmdline)
            snprintf(what, sizeof(what), "%s%.200s", disk->where, disk->disk);
        else
            snprintf(what, sizeof(what), "%.200s in %.80s", disk->disk, disk->where);
        if (name)
            r = boot_devices_need(&b->devices, name, what);
    }
    return r;
}

int boot_use_read(int root_fd, struct boot_use *ret)
{
    int r = boot_devices_read(root_fd, &ret->devices);

    if (r == 0)
        r = boot_words_read(root_fd, ret->devices.in_initramfs, &ret->words);
    for (size_t i = 0; r == 0 && i < ret->words.n; i++)
        r = add_word(ret, ret->words.v[i]);
    if (r == 0)
        r = read_fstab(root_fd, ret);
    if (r == 0)
        r = read_crypttab(root_fd, "etc/crypttab", ret);
    if (r == 0 && ret->devices.in_initramfs)
        r = read_initramfs(root_fd, ret);
    return r == 0 && ret->devices.in_initramfs ? note_doubts(ret) : r;
}

void boot_use_done(struct boot_use *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free(b->disks[i].disk);
        free(b->disks[i].where);
    }
    free(b->disks);
    cmdline_done(&b->words);
    boot_devices_done(&b->devices);
    *b = (struct boot_use){0};
}

/* -- is a device needed -- */

/* Is the disk on the device? A device without a driver has no disk yet, but a path may name it.
 * Returns 1, 0 or negative errno. */
static int is_on_device(int root_fd, const char *disk, const struct device *d,
                        const struct below *below)
{
    char name[NAME_MAX + 1];
    int r;

    if (after_prefix(disk, "/dev/disk/by-path/") && names_address(disk, d->addr))
        return 1;
    if (below->n == 0)
        return 0;
    r = block_name(root_fd, disk, name);
    return r > 0 ? below_block(below, name) != NULL : r;
}

int boot_use_of(int root_fd, const struct boot_use *b, const struct device *d,
                const struct below *below, char **ret)
{
    int r = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct boot_disk *disk = &b->disks[i];
        int q = is_on_device(root_fd, disk->disk, d, below);
        r = r < 0 ? r : fact_error(q);
        if (q <= 0)
            continue;
        int n = disk->on_cmdline ? asprintf(ret, "has %s (%s)", disk->where, disk->disk)
                                 : asprintf(ret, "is in %s", disk->where);
        return n < 0 ? -ENOMEM : 0;
    }
    int q = boot_net_use(root_fd, d, below, &b->words, ret);
    if (q == 0 && !*ret)
        q = boot_devices_use(&b->devices, d, ret);
    return r < 0 && q == 0 && !*ret ? r : q;
}
