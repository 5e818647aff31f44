/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host has on a disk or network card. */
#include "tree.h"

#include <sys/sysmacros.h>

#include "use.h"

#define CARD "0000:06:00.0"
#define OTHER "0000:07:00.0"
#define PCI "../../devices/pci0000:00/0000:00:01.0/"

enum { DISK = 0x010802, FIBRE = 0x0c0400, NIC = 0x020000, GPU = 0x030200 };

static void check_use(const struct tree *t, uint32_t class_code, const char *wanted)
{
    struct device d = {.class_code = class_code};

    ck_assert_int_eq(pci_addr_parse(CARD, &d.addr), 0);
    CLEANUP_FREE char *use = use_of(t->fd, &d);
    ck_assert_msg(use ? wanted && streq(use, wanted) : !wanted, "%s, not %s", use ? use : "nothing",
                  wanted ? wanted : "nothing");
}

/* Instead of the library's: only root can make nodes of block devices. Here sda2 is one. */
int fstatat(int fd, const char *path, struct stat *ret, int flags)
{
    (void)fd;
    (void)flags;
    *ret = (struct stat){.st_mode = S_IFBLK, .st_rdev = makedev(8, 2)};
    errno = ENOENT;
    return streq(path, "dev/sda2") ? 0 : -1;
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
    tree_link(&t, "sys/dev/block/259:0", PCI CARD "/nvme/nvme0/nvme0n1");
    tree_link(&t, "sys/dev/block/259:1", PCI OTHER "/nvme/nvme1/nvme1n1");
    check_use(&t, DISK, NULL);
    mount_at(&t, "259:1", "/data");
    check_use(&t, DISK, NULL);
    mount_at(&t, "259:0", "/data");
    check_use(&t, DISK, "has the file system mounted on /data");
    check_use(&t, FIBRE, "has the file system mounted on /data");
    check_use(&t, GPU, NULL);
    /* our own mounts lack what ProtectHome= hides */
    tree_write(&t, "proc/self/mountinfo", "21 1 0:19 / / rw - tmpfs none rw\n");
    check_use(&t, DISK, "has the file system mounted on /data");
    unlinkat(t.fd, "proc/1/mountinfo", 0);
    check_use(&t, DISK, NULL);
}
END_TEST

START_TEST(by_a_node)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_link(&t, "sys/dev/block/8:2", PCI CARD "/ata1/host0/block/sda/sda2");
    tree_write(&t, "proc/swaps", "Filename Type Size Used Priority\n/dev/sdb1 partition 9 0 -2\n");
    check_use(&t, DISK, NULL);
    tree_write(&t, "proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 9 0 -2\n");
    check_use(&t, DISK, "has the swap space /dev/sda2");
    /* btrfs: the number is of no block device */
    tree_write(&t, "proc/1/mountinfo", "22 1 0:40 / /data rw - btrfs /dev/sda2 rw\n");
    check_use(&t, DISK, "has the file system mounted on /data");
}
END_TEST

START_TEST(below_other_block_devices)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_link(&t, "sys/class/block/nvme0n1", PCI CARD "/nvme/nvme0/nvme0n1");
    check_use(&t, DISK, NULL);
    /* a logical volume on an encrypted one */
    tree_link(&t, "sys/class/block/dm-1", "../../devices/virtual/block/dm-1");
    tree_link(&t, "sys/devices/virtual/block/dm-1/slaves/dm-0", "x");
    check_use(&t, DISK, NULL);
    tree_link(&t, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
    tree_link(&t, "sys/devices/virtual/block/dm-0/slaves/nvme0n1", "x");
    tree_link(&t, "sys/dev/block/253:1", "../../devices/virtual/block/dm-1");
    mount_at(&t, "253:1", "/home");
    check_use(&t, DISK, "has the file system mounted on /home");
    mount_at(&t, "8:1", "/home");
    struct device d = {.class_code = DISK};
    ck_assert_int_eq(pci_addr_parse(CARD, &d.addr), 0);
    CLEANUP_FREE char *use = use_of(t.fd, &d);
    ck_assert_msg(use && strstr(use, "is part of the block device dm-"), "%s", use ? use : "none");
}
END_TEST

/* With multipath the disk hangs below its subsystem. */
START_TEST(by_an_nvme_subsystem)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_link(&t, "sys/dev/block/259:0",
              "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
    tree_link(&t, "sys/class/nvme-subsystem/nvme-subsys0/nvme1", PCI OTHER "/nvme/nvme1");
    mount_at(&t, "259:0", "/data");
    check_use(&t, DISK, NULL);
    tree_link(&t, "sys/class/nvme-subsystem/nvme-subsys0/nvme0", PCI CARD "/nvme/nvme0");
    check_use(&t, DISK, "has the file system mounted on /data");
}
END_TEST

START_TEST(interfaces)
{
    static const struct {
        const char *file, *flags;
        uint32_t class_code;
        const char *wanted;
    } cases[] = {
        {"net/eth0/flags", "0x1003\n", NIC, "has the network interface eth0, which is up"},
        {"net/eth0/flags", "0x1002\n", NIC, NULL},
        {"net/eth0/flags", "0x1003\n", GPU, NULL},
        {"virtio0/net/ens3/flags", "0x1043\n", NIC, "has the network interface ens3, which is up"},
        {"virtio0/net/ens3/flags", "0x1002\n", NIC, NULL},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        char path[128];
        tree_init(&t);
        snprintf(path, sizeof(path), "sys/bus/pci/devices/" CARD "/%s", cases[i].file);
        tree_write(&t, path, cases[i].flags);
        check_use(&t, cases[i].class_code, cases[i].wanted);
    }
}
END_TEST

UNIT_MAIN("use", mounted, by_a_node, below_other_block_devices, by_an_nvme_subsystem, interfaces)
