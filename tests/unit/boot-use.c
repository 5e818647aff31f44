/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "host/boot-use.h"
#include "host/scan.h"

#define MODALIAS_NVME "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02\n"
#define DISK "sys/bus/pci/devices/0000:06:00.0/"
#define OTHER "sys/bus/pci/devices/0000:08:00.0/"
#define NET "sys/bus/pci/devices/0000:07:00.0/net/"

/* What a test's files say, and what that means for one device; NULL: nothing. */
struct usage {
    const char *cmdline, *fstab, *crypttab;
    const char *address, *words;
};

/* A disk with a partition and a logical volume (06:00.0), another one (08:00.0), a network card
 * with a driver (07:00.0), its second port without (07:00.1). */
static void make_host(struct tree *t)
{
    tree_init(t);
    tree_device(t, "0000:06:00.0", MODALIAS_NVME, "nvme", "14");
    tree_device(t, "0000:08:00.0", MODALIAS_NVME, "ahci", "16");
    tree_device(t, "0000:07:00.0", MODALIAS_NIC, "e1000e", "15");
    tree_device(t, "0000:07:00.1", MODALIAS_NIC, NULL, "15");
    tree_device(t, "0001:0a:1f.0", MODALIAS_NIC, NULL, "17");
    tree_node(t, DISK "nvme/nvme0/nvme0n1", "259:0\n", "block");
    tree_node(t, DISK "nvme/nvme0/nvme0n1/nvme0n1p1", "259:1\n", "block");
    tree_node(t, OTHER "ata1/host0/0:0:0:0/block/sda", "8:0\n", "block");
    tree_node(t, OTHER "cciss0/block/cciss!c0d0", "104:0\n", "block");
    tree_link(t, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
    tree_node(t, "sys/devices/virtual/block/dm-0", "253:0\n", "block");
    tree_link(t, DISK "nvme/nvme0/nvme0n1/nvme0n1p1/holders/dm-0", "x");
    tree_link(t, "dev/disk/by-uuid/1111-aaaa", "../../nvme0n1p1");
    tree_link(t, "dev/disk/by-uuid/2222", "../../sda");
    tree_link(t, "dev/disk/by-partuuid/3333", "../../nvme0n1p1");
    tree_link(t, "dev/disk/by-partlabel/EFI", "../../nvme0n1p1");
    tree_link(t, "dev/disk/by-label/my\\x20data", "../../nvme0n1p1");
    tree_link(t, "dev/disk/by-id/wwn-1", "../../nvme0n1");
    tree_link(t, "dev/mapper/vg-root", "../dm-0");
    tree_link(t, "dev/vg/root", "../dm-0");
    tree_link(t, "dev/circle", "circle");
    tree_interface(t, NET "eth0", "0x1002\n", "52:54:00:aa:bb:cc\n");
    tree_write(t, "sys/bus/pci/slots/3/address", "0000:07:00\n");
    tree_write(t, "sys/bus/pci/devices/0000:07:00.1/acpi_index", "2\n");
}

static void check_usages(const struct usage *cases, size_t n)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};

    make_host(&t);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    for (size_t i = 0; i < n; i++) {
        struct pci_addr a;
        tree_write(&t, "proc/cmdline", cases[i].cmdline ? cases[i].cmdline : "");
        tree_write(&t, "etc/fstab", cases[i].fstab ? cases[i].fstab : "");
        tree_write(&t, "etc/crypttab", cases[i].crypttab ? cases[i].crypttab : "");
        ck_assert_int_eq(pci_addr_parse(cases[i].address, &a), 0);
        CLEANUP(boot_use_done) struct boot_use boot = {0};
        ck_assert_int_eq(boot_use_read(t.fd, &boot), 0);
        const struct device *d = snapshot_find(&s, a);
        CLEANUP(below_done) struct below below = {0};
        CLEANUP_FREE char *words = NULL;
        ck_assert_int_eq(d->driver ? below_walk(t.fd, a, &below) : 0, 0);
        ck_assert_int_eq(boot_use_of(t.fd, &boot, d, &below, &words), 0);
        ck_assert_msg(streq_null(words, cases[i].words), "case %zu: %s", i,
                      words ? words : "nothing");
    }
}

START_TEST(disks)
{
    static const struct usage cases[] = {
        {NULL, NULL, NULL, "06:00.0", NULL},
        {"ro quiet root=UUID=1111-aaaa", NULL, NULL, "06:00.0", "has root= (UUID=1111-aaaa)"},
        {"ro quiet root=UUID=1111-aaaa", NULL, NULL, "08:00.0", NULL},
        {"root=\"UUID=1111-aaaa\"\n", NULL, NULL, "06:00.0", "has root= (UUID=1111-aaaa)"},
        {"\"root=LABEL=my data\" ro\n", NULL, NULL, "06:00.0", "has root= (LABEL=my data)"},
        {"root=PARTUUID=3333", NULL, NULL, "06:00.0", "has root= (PARTUUID=3333)"},
        {"root=/dev/nvme0n1p1", NULL, NULL, "06:00.0", "has root= (/dev/nvme0n1p1)"},
        {"root=/dev/mapper/vg-root", NULL, NULL, "06:00.0", "has root= (/dev/mapper/vg-root)"},
        {"root=/dev/vg/root", NULL, NULL, "06:00.0", "has root= (/dev/vg/root)"},
        {"root=/dev/cciss/c0d0", NULL, NULL, "08:00.0", "has root= (/dev/cciss/c0d0)"},
        {"root=/dev/sda resume=/dev/sda", NULL, NULL, "06:00.0", NULL},
        {"root=/dev/sda resume=/dev/nvme0n1", NULL, NULL, "06:00.0", "has resume= (/dev/nvme0n1)"},
        {"rd.luks.uuid=luks-1111-aaaa", NULL, NULL, "06:00.0",
         "has rd.luks.uuid= (UUID=1111-aaaa)"},
        {"rd.luks.name=1111-aaaa=cryptroot", NULL, NULL, "06:00.0",
         "has rd.luks.name= (UUID=1111-aaaa)"},
        {"cryptdevice=UUID=1111-aaaa:root", NULL, NULL, "06:00.0",
         "has cryptdevice= (UUID=1111-aaaa)"},
        {"xroot=/dev/nvme0n1 init=/dev/nvme0n1", NULL, NULL, "06:00.0", NULL},
        {"root=/dev/circle resume=/dev/ mount.usr=UUID=", NULL, NULL, "06:00.0", NULL},
        {NULL, "# <fs>\nUUID=2222 / ext4\n/dev/nvme0n1p1 /data ext4 nofail 0 2\n", NULL, "06:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "LABEL=my\\040data /my\\040data ext4 defaults 0 0\n", NULL, "06:00.0",
         "is in /etc/fstab (/my data)"},
        {NULL, "PARTLABEL=\"EFI\" none swap sw\n", NULL, "06:00.0", "is in /etc/fstab (swap)"},
        {NULL, "ID=wwn-1 /x ext4", NULL, "06:00.0", "is in /etc/fstab (/x)"},
        {NULL, "#/dev/nvme0n1p1 /data ext4\nserver:/dev/nvme0n1 /y nfs\ntmpfs /tmp tmpfs\n", NULL,
         "06:00.0", NULL},
        {NULL, NULL, "# a b\nvault  /dev/disk/by-uuid/1111-aaaa none luks\n", "06:00.0",
         "is in /etc/crypttab (vault)"},
        {NULL, NULL, "vault\n\nvault UUID=2222 none", "08:00.0", "is in /etc/crypttab (vault)"},
    };
    check_usages(cases, ELEMENTS(cases));
}
END_TEST

/* Further disks of a file system, the header of an encrypted one, and what systemd's words name. */
START_TEST(further_disks)
{
    static const struct usage cases[] = {
        {"systemd.mount-extra=UUID=1111-aaaa:/data:ext4:nofail", NULL, NULL, "06:00.0",
         "has systemd.mount-extra= (UUID=1111-aaaa)"},
        {"rd.systemd.mount-extra=/dev/sda:/data", NULL, NULL, "08:00.0",
         "has rd.systemd.mount-extra= (/dev/sda)"},
        {"systemd.swap-extra=/dev/nvme0n1p1:pri=1", NULL, NULL, "06:00.0",
         "has systemd.swap-extra= (/dev/nvme0n1p1)"},
        {"systemd.verity_usr_data=PARTUUID=3333", NULL, NULL, "06:00.0",
         "has systemd.verity_usr_data= (PARTUUID=3333)"},
        {"systemd.verity_root_hash=/dev/nvme0n1p1", NULL, NULL, "06:00.0",
         "has systemd.verity_root_hash= (/dev/nvme0n1p1)"},
        {NULL, "UUID=2222 /data btrfs noatime,device=/dev/nvme0n1p1 0 0\n", NULL, "06:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "UUID=2222 /data xfs rw,logdev=/dev/nvme0n1p1\n", NULL, "06:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "UUID=2222 /data xfs rtdev=/dev/disk/by-id/wwn-1,noatime\n", NULL, "06:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "/dev/sda:/dev/nvme0n1p1 /data bcachefs defaults\n", NULL, "06:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "/dev/sda:/dev/nvme0n1p1 /data bcachefs defaults\n", NULL, "08:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "UUID=2222 /data ext4 journal_path=/dev/disk/by-uuid/1111-aaaa\n", NULL, "06:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "UUID=2222 /data ext4 x-device=/dev/nvme0n1p1\n", NULL, "06:00.0", NULL},
        {NULL, NULL, "vault UUID=2222 none luks,header=/dev/disk/by-uuid/1111-aaaa\n", "06:00.0",
         "is in /etc/crypttab (vault)"},
        {NULL, NULL, "vault UUID=2222 none header=/hdr:UUID=1111-aaaa\n", "06:00.0",
         "is in /etc/crypttab (vault)"},
    };
    check_usages(cases, ELEMENTS(cases));
}
END_TEST

/* Links that udev has not made yet, of disks that have no driver yet. */
START_TEST(disks_by_path)
{
    static const struct usage cases[] = {
        {NULL, "/dev/disk/by-path/pci-0000:08:00.0-nvme-1-part1 /data ext4", NULL, "08:00.0",
         "is in /etc/fstab (/data)"},
        {NULL, "/dev/disk/by-path/pci-0000:08:00.0-nvme-1-part1 /data ext4", NULL, "06:00.0", NULL},
        {"root=/dev/disk/by-path/pci-0000:00:0e.0-pci-0000:08:00.0-nvme-1", NULL, NULL, "08:00.0",
         "has root= (/dev/disk/by-path/pci-0000:00:0e.0-pci-0000:08:00.0-nvme-1)"},
        {"root=/dev/disk/by-path/platform-1-pci-0000:08:00.0", NULL, NULL, "08:00.0",
         "has root= (/dev/disk/by-path/platform-1-pci-0000:08:00.0)"},
        {"cryptdevice=/dev/disk/by-path/pci-0000:08:00.0-ata-1:root", NULL, NULL, "08:00.0",
         "has cryptdevice= (/dev/disk/by-path/pci-0000:08:00.0-ata-1:root)"},
        {"root=/dev/disk/by-path/pci-0000:08:00.01-ata-1", NULL, NULL, "08:00.0", NULL},
        {"root=/dev/disk/by-id/pci-0000:08:00.0-ata-1", NULL, NULL, "08:00.0", NULL},
    };
    check_usages(cases, ELEMENTS(cases));
}
END_TEST

START_TEST(network_cards)
{
    static const char named[] = "is named by ip= on the kernel command line";
    static const char first[] = "07:00.0", second[] = "07:00.1", far[] = "0001:0a:1f.0";
    static const struct usage cases[] = {
        {"ip=dhcp", NULL, NULL, first, NULL},
        {"ip=eth0:dhcp", NULL, NULL, first, named},
        {"ip=eth0:dhcp", NULL, NULL, second, NULL},
        {"ip=eth1:dhcp:1500", NULL, NULL, first, NULL},
        {"ip=192.0.2.2::192.0.2.1:255.255.255.0:host:eth0:none", NULL, NULL, first, named},
        {"ip=192.0.2.2::192.0.2.1:255.255.255.0:eth0::none", NULL, NULL, first, NULL},
        {"ip=:::::eth0:dhcp", NULL, NULL, first, named},
        {"ip=[2001:db8::2]::[2001:db8::1]:64:host:eth0:none", NULL, NULL, first, named},
        {"ip=[2001:db8::2", NULL, NULL, first, NULL},
        {"ip=", NULL, NULL, first, NULL},
        /* names that say where the card is */
        {"ip=enp7s0f1:dhcp", NULL, NULL, second, named},
        {"ip=enp7s0f1:dhcp", NULL, NULL, first, NULL},
        {"ip=enp7s0f0np0:dhcp", NULL, NULL, first, named},
        {"ip=enp7s0:dhcp", NULL, NULL, first, named},
        {"ip=enp7s0v1:dhcp", NULL, NULL, first, NULL},
        {"ip=enp7s1:dhcp", NULL, NULL, first, NULL},
        {"ip=enP1p10s31:dhcp", NULL, NULL, far, named},
        {"ip=enp10s31:dhcp", NULL, NULL, far, NULL},
        {"ip=ens3f1:dhcp", NULL, NULL, second, named},
        {"ip=ens3f1:dhcp", NULL, NULL, far, NULL},
        {"ip=eno2:dhcp", NULL, NULL, second, named},
        {"ip=eno1:dhcp", NULL, NULL, second, NULL},
        {"ip=eno2:dhcp", NULL, NULL, first, NULL},
        {"ip=enx525400aabbcc:dhcp", NULL, NULL, second, NULL},
        /* others */
        {"ifname=boot:52:54:00:AA:BB:CC", NULL, NULL, first,
         "is named by ifname= on the kernel command line"},
        {"ifname=boot:52:54:00:AA:BB:CD", NULL, NULL, first, NULL},
        {"BOOTIF=01-52-54-00-aa-bb-cc", NULL, NULL, first,
         "is named by BOOTIF= on the kernel command line"},
        {"BOOTIF=52:54:00:aa:bb:cc", NULL, NULL, first,
         "is named by BOOTIF= on the kernel command line"},
        {"BOOTIF=", NULL, NULL, second, NULL},
        {"bond=bond0:enp7s0f1,eth0:mode=1", NULL, NULL, first,
         "is named by bond= on the kernel command line"},
        {"vlan=eth0.5:eth0", NULL, NULL, first, "is named by vlan= on the kernel command line"},
        /* root from the network */
        {"root=/dev/nfs nfsroot=192.0.2.1:/x ip=dhcp", NULL, NULL, second,
         "may be the network card for nfsroot=192.0.2.1, since no interface is named"},
        {"root=/dev/nfs nfsroot=192.0.2.1:/x ip=dhcp", NULL, NULL, "06:00.0", NULL},
        {"root=/dev/nfs ip=eth0:dhcp", NULL, NULL, second, NULL},
        {"root=/dev/nfs ip=eth0:dhcp", NULL, NULL, first, named},
        {"netroot=iscsi:192.0.2.1::::x BOOTIF=01-52-54-00-00-00-00", NULL, NULL, first, NULL},
    };
    check_usages(cases, ELEMENTS(cases));
}
END_TEST

/* What is there and cannot be read may name any device; what is not there names none. */
START_TEST(no_files)
{
    CLEANUP(tree_done) struct tree t;

    make_host(&t);
    for (int i = 0; i < 2; i++) {
        CLEANUP(boot_use_done) struct boot_use boot = {0};
        ck_assert_int_eq(boot_use_read(t.fd, &boot), i == 0 ? 0 : -EISDIR);
        ck_assert_uint_eq(boot.n, 0);
        tree_write(&t, "etc/fstab/x", "a folder");
    }
}
END_TEST

UNIT_MAIN("boot-use", disks, further_disks, disks_by_path, network_cards, no_files)
