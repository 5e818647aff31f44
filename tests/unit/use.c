/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs below a device, and what of it the host uses. */
#include "tree.h"

#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "host/use.h"

#define CARD "sys/bus/pci/devices/0000:06:00.0/"
#define NVME CARD "nvme/nvme0/nvme0n1"
#define DM "sys/devices/virtual/block/"
#define TARGET "sys/kernel/config/nvmet/subsystems/nqn.2014-08.org.example:a/namespaces/1/"

static const struct pci_addr card = {0, 6, 0, 0};

static void check_use(const struct tree *t, const char *wanted)
{
    CLEANUP(below_done) struct below below = {0};
    CLEANUP(host_use_done) struct host_use host = {0};
    CLEANUP_FREE char *use = NULL;

    ck_assert_int_eq(below_walk(t->fd, card, &below), 0);
    ck_assert_int_eq(host_use_read(t->fd, &host), 0);
    ck_assert_int_eq(use_of(&host, &below, &use), 0);
    ck_assert_msg(use ? wanted && streq(use, wanted) : !wanted, "%s, not %s", use ? use : "nothing",
                  wanted ? wanted : "nothing");
}

static void check_unknown(const struct tree *t, int error)
{
    CLEANUP(host_use_done) struct host_use host = {0};

    ck_assert_int_eq(host_use_read(t->fd, &host), error);
}

/* Instead of the library's: only root can make nodes of block devices. Here sda2 is one. */
int fstatat(int fd, const char *path, struct stat *ret, int flags)
{
    if (strncmp(path, "dev/", strlen("dev/")) != 0)
        return (int)syscall(SYS_newfstatat, fd, path, ret, flags);
    *ret = (struct stat){.st_mode = S_IFBLK, .st_rdev = makedev(8, 2)};
    errno = streq(path, "dev/secret") ? EACCES : ENOENT;
    if (streq(path, "dev/sdb1"))
        ret->st_rdev = makedev(8, 17);
    return streq(path, "dev/sda2") || streq(path, "dev/sdb1") ? 0 : -1;
}

static void mount_at(const struct tree *t, const char *number, const char *where)
{
    char line[128];

    snprintf(line, sizeof(line), "21 1 0:19 / / rw - tmpfs none rw\n22 1 %s / %s rw - ext4 x rw\n",
             number, where);
    tree_write(t, "proc/1/mountinfo", line);
}

START_TEST(mounted)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, NVME, "259:0\n", "block");
    check_use(&t, NULL);
    mount_at(&t, "259:1", "/data");
    check_use(&t, NULL);
    mount_at(&t, "259:0", "/data");
    check_use(&t, "has the file system mounted on /data");
    /* our own mounts lack what ProtectHome= hides */
    tree_write(&t, "proc/self/mountinfo", "21 1 0:19 / / rw - tmpfs none rw\n");
    check_use(&t, "has the file system mounted on /data");
    unlinkat(t.fd, "proc/1/mountinfo", 0);
    if (geteuid() == 0)
        check_unknown(&t, -EACCES); /* /proc hides PID 1 */
    else
        check_use(&t, NULL);
}
END_TEST

/* An SD card: of no class that is known for disks. */
START_TEST(of_any_class)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, CARD "mmc_host/mmc0/mmc0:4567/block/mmcblk0", "179:0\n", "block");
    tree_node(&t, CARD "mmc_host/mmc0/mmc0:4567/block/mmcblk0/mmcblk0p1", "179:1\n", "block");
    mount_at(&t, "179:1", "/data");
    check_use(&t, "has the file system mounted on /data");
}
END_TEST

/* A host with 1,200 overlays of many layers has more than 4 MiB of it; the disk comes last. */
START_TEST(with_a_long_mountinfo)
{
    CLEANUP(tree_done) struct tree t;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    tree_init(&t);
    tree_node(&t, NVME, "259:0\n", "block");
    for (int i = 0; i < 1200; i++) {
        fprintf(f, "%d 1 0:%d / /run/k%d rw - overlay overlay rw,lowerdir=", 30 + i, 100 + i, i);
        for (int k = 0; k < 50; k++)
            fprintf(f, "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/%08d/fs:", k);
        fputs("\n", f);
    }
    fputs("22 1 259:0 / /data rw - ext4 x rw\n", f);
    fclose(f);
    ck_assert_uint_gt(size, 4 << 20);
    tree_write(&t, "proc/1/mountinfo", text);
    free(text);
    check_use(&t, "has the file system mounted on /data");
}
END_TEST

START_TEST(by_a_node)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, CARD "ata1/host0/block/sda/sda2", "8:2\n", "block");
    tree_write(&t, "proc/swaps", "Filename Type Size Used Priority\n/dev/sdb1 partition 9 0 -2\n");
    check_use(&t, NULL);
    tree_write(&t, "proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 9 0 -2\n");
    check_use(&t, "has the swap space /dev/sda2");
    tree_write(&t, "proc/swaps", "/dev/sda2 partition 9 0 -2\n/swap\\040file file 9 0 -2\n");
    check_use(&t, "has the swap space /dev/sda2");
    /* btrfs: the number is of no block device */
    tree_write(&t, "proc/1/mountinfo", "22 1 0:40 / /data rw - btrfs /dev/sda2 rw\n");
    check_use(&t, "has the file system mounted on /data");
}
END_TEST

START_TEST(below_other_block_devices)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, NVME, "259:0\n", "block");
    check_use(&t, NULL);
    /* a logical volume on an encrypted one */
    tree_link(&t, NVME "/holders/dm-0", "x");
    tree_link(&t, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
    tree_link(&t, "sys/class/block/dm-1", "../../devices/virtual/block/dm-1");
    tree_node(&t, DM "dm-0", "253:0\n", "block");
    check_use(&t, "is part of the block device dm-0");
    tree_link(&t, DM "dm-0/holders/dm-1", "x");
    tree_node(&t, DM "dm-1", "253:1\n", "block");
    mount_at(&t, "253:1", "/home");
    check_use(&t, "has the file system mounted on /home");
}
END_TEST

START_TEST(further_disks_of_btrfs)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, CARD "ata1/host0/block/sdb/sdb1", "8:17\n", "block");
    tree_write(&t, "sys/fs/btrfs/features/raid1c34", "0\n");
    tree_link(&t, "sys/fs/btrfs/1111-2222/devices/sda2", "x");
    check_use(&t, NULL);
    tree_link(&t, "sys/fs/btrfs/1111-2222/devices/sdb1", "x");
    check_use(&t, "has part of a mounted file system on sdb1");
}
END_TEST

/* The kernel lists neither in a folder "holders", nor does it claim the disk for them. */
START_TEST(behind_a_loop_device)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, CARD "ata1/host0/block/sdb", "8:16\n", "block");
    tree_node(&t, CARD "ata1/host0/block/sdb/sdb1", "8:17\n", "block");
    tree_write(&t, "sys/class/block/loop0/size", "0\n"); /* without a disk or file */
    tree_write(&t, "sys/class/block/loop1/loop/backing_file", "/srv/dev/sdb1\n");
    tree_write(&t, "sys/class/block/loop2/loop/backing_file", "/dev/sda2\n");
    check_use(&t, NULL);
    tree_write(&t, "sys/class/block/loop2/loop/backing_file", "/dev/sdb1\n");
    check_use(&t, "is behind the block device loop2");
}
END_TEST

START_TEST(exported_by_an_nvme_target)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, CARD "ata1/host0/block/sdb/sdb1", "8:17\n", "block");
    tree_write(&t, TARGET "enable", "0\n");
    tree_write(&t, TARGET "device_path", "/dev/sdb1\n");
    check_use(&t, NULL);
    tree_write(&t, TARGET "enable", "1\n");
    check_use(&t, "is exported as nqn.2014-08.org.example:a");
}
END_TEST

/* With multipath the disk hangs below its subsystem. */
START_TEST(by_an_nvme_subsystem)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_node(&t, CARD "nvme/nvme0", "240:0\n", "nvme");
    tree_node(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:0\n", "block");
    tree_link(&t, "sys/class/nvme-subsystem/nvme-subsys0",
              "../../devices/virtual/nvme-subsystem/nvme-subsys0");
    mount_at(&t, "259:0", "/data");
    check_use(&t, NULL);
    tree_link(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0", "x");
    check_use(&t, "has the file system mounted on /data");
}
END_TEST

START_TEST(interfaces)
{
    static const struct {
        const char *path, *flags;
        bool enslaved;
        const char *wanted;
    } cases[] = {
        {"net/eth0", "0x1003\n", false, "has the network interface eth0, which is up"},
        {"net/eth0", "0x1002\n", false, NULL},
        {"net/eth0", "0x1002\n", true,
         "has the network interface eth0, which is part of a bridge or bond"},
        {"virtio0/net/ens3", "0x1043\n", false, "has the network interface ens3, which is up"},
        {"virtio0/net/ens3", "0x1002\n", false, NULL},
        /* on a USB controller */
        {"usb1/1-2/1-2:1.0/net/enx0", "0x1003\n", false,
         "has the network interface enx0, which is up"},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        char path[128];
        tree_init(&t);
        snprintf(path, sizeof(path), CARD "%s", cases[i].path);
        tree_interface(&t, path, cases[i].flags, "52:54:00:aa:bb:cc\n");
        snprintf(path, sizeof(path), CARD "%s/master", cases[i].path);
        if (cases[i].enslaved)
            tree_link(&t, path, "../../br0");
        check_use(&t, cases[i].wanted);
    }
}
END_TEST

/* A container has it: the folder is there, and nothing in it. */
START_TEST(interface_elsewhere)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, CARD "virtio0/net/.empty", "");
    check_use(&t, "has a network interface in another network namespace");
    tree_interface(&t, CARD "virtio0/net/ens3", "0x1002\n", "52:54:00:aa:bb:cc\n");
    check_use(&t, NULL);
}
END_TEST

START_TEST(consoles)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, CARD "usb1/1-1/1-1:1.0/input/input4/capabilities/ev", "17\n"); /* a mouse */
    tree_write(&t, "sys/class/tty/console/active", "tty0 ttyS40\n");
    check_use(&t, NULL);
    tree_node(&t, CARD "tty/ttyS4", "4:68\n", "tty");
    check_use(&t, NULL);
    tree_write(&t, "sys/class/tty/console/active", "tty0 ttyS4\n");
    check_use(&t, "has the console ttyS4");
    tree_write(&t, CARD "usb1/1-1/1-1:1.0/input/input5/capabilities/ev", "120013\n");
    tree_write(&t, "sys/class/tty/console/active", "ttyS0\n");
    check_use(&t, NULL);
    tree_write(&t, "sys/class/tty/console/active", "tty0 ttyS0\n");
    check_use(&t, "has a keyboard of the console, input5");
}
END_TEST

/* What cannot be read is not "no". */
START_TEST(unknown)
{
    CLEANUP(tree_done) struct tree t;
    static const struct {
        const char *path, *text;
        int r;
    } cases[] = {
        {"proc/swaps/folder", "", -EISDIR},
        {"sys/class/block/loop3/loop/backing_file/folder", "", -EISDIR},
        {TARGET "enable/folder", "", -EISDIR},
        {"sys/class/tty/console/active/folder", "", -EISDIR},
        /* in use, but which block device is it? */
        {"proc/swaps", "/dev/sda2\\040(deleted) partition 9 0 -2\n", -ENOTBLK},
        {"proc/swaps", "/dm-0 partition 9 0 -2\n", -ENOTBLK},
        {"proc/1/mountinfo", "22 1 0:40 / /data rw - btrfs /dev/secret rw\n", -EACCES},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(host_use_done) struct host_use host = {0};
        tree_init(&t);
        tree_write(&t, cases[i].path, cases[i].text);
        /* An ordinary user who may not look is shown what his own namespace has: nothing here. */
        int wanted = cases[i].r == -EACCES && geteuid() != 0 ? 0 : cases[i].r;
        ck_assert_int_eq(host_use_read(t.fd, &host), wanted);
        if (i + 1 < ELEMENTS(cases))
            tree_done(&t);
    }
}
END_TEST

UNIT_MAIN("use", mounted, of_any_class, with_a_long_mountinfo, by_a_node, below_other_block_devices,
          further_disks_of_btrfs, behind_a_loop_device, exported_by_an_nvme_target,
          by_an_nvme_subsystem, interfaces, interface_elsewhere, consoles, unknown)
