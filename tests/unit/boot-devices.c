/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an initramfs knows of the host that it was made on, and what that means for its devices. */
#include "tree.h"

#include "host/boot-use.h"
#include "host/scan.h"

#define MODALIAS_DISK "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02\n"
#define MODALIAS_GPU "pci:v000010DEd000020F1sv000010DEsd0000145Fbc03sc02i00\n"
#define DISK "sys/bus/pci/devices/0000:06:00.0/"
#define NET "sys/bus/pci/devices/0000:07:00.0/net/"

#define ROOT "root=UUID=1111-aaaa ro"
/* What boot_devices_write() makes of make_host(). */
#define LIST                                                                    \
    "used 0000:06:00.0 144d:a808 has the file system mounted on /\n"            \
    "name dev/disk/by-uuid/1111-aaaa\n"                                         \
    "name dev/disk/by-id/md-uuid-5:6\n"                                         \
    "name dev/mapper/v--g-ro--ot\n"                                             \
    "used 0000:07:00.0 8086:10d3 has the network interface eth0, which is up\n" \
    "name eth0\n"                                                               \
    "name 52:54:00:aa:bb:cc\n"
#define WAS_DISK "was in use when the initramfs was made (it has the file system mounted on /)"
#define WAS_CARD \
    "was in use when the initramfs was made (it has the network interface eth0, which is up)"
#define MAY_BE "may be what the host boots from, since "

/* The host of an initramfs: four devices without drivers. */
static void make_early(struct tree *t)
{
    tree_init(t);
    tree_device(t, "0000:06:00.0", MODALIAS_DISK, NULL, "14");
    tree_device(t, "0000:08:00.0", MODALIAS_DISK, NULL, "16");
    tree_device(t, "0000:07:00.0", MODALIAS_NIC, NULL, "15");
    tree_device(t, "0000:09:00.0", MODALIAS_GPU, NULL, "17");
}

static char *evidence(const struct tree *t, const char *address)
{
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(boot_use_done) struct boot_use boot = {0};
    const struct below none = {0};
    struct pci_addr a;
    char *words = NULL;

    ck_assert_int_eq(scan_all(t->fd, NULL, &s), 0);
    ck_assert_int_eq(pci_addr_parse(address, &a), 0);
    ck_assert_int_eq(boot_use_read(t->fd, &boot), 0);
    ck_assert_int_eq(boot_use_of(t->fd, &boot, snapshot_find(&s, a), &none, &words), 0);
    return words;
}

static void check_evidence(const struct tree *t, const char *address, const char *wanted)
{
    CLEANUP_FREE char *words = evidence(t, address);

    ck_assert_msg(streq_null(words, wanted), "%s: %s, not %s", address, words ? words : "nothing",
                  wanted ? wanted : "nothing");
}

START_TEST(no_initramfs)
{
    CLEANUP(tree_done) struct tree t;

    make_early(&t);
    tree_write(&t, "proc/cmdline", ROOT);
    check_evidence(&t, "06:00.0", NULL);
    /* an initramfs that somebody else made */
    tree_write(&t, "etc/initrd-release", "");
    check_evidence(&t, "06:00.0", MAY_BE "the initramfs has no list of the devices in use");
    check_evidence(&t, "07:00.0", MAY_BE "the initramfs has no list of the devices in use");
    check_evidence(&t, "09:00.0", NULL);
}
END_TEST

START_TEST(nothing_has_changed)
{
    CLEANUP(tree_done) struct tree t;

    make_early(&t);
    tree_write(&t, BOOT_DEVICES_FILE, "module vfio_pci\n" LIST);
    tree_write(&t, "proc/cmdline", ROOT);
    check_evidence(&t, "06:00.0", WAS_DISK);
    check_evidence(&t, "07:00.0", WAS_CARD);
    check_evidence(&t, "08:00.0", NULL);
    check_evidence(&t, "09:00.0", NULL);
}
END_TEST

/* Each with the list: what the other disk, 08:00.0, is suspected of. */
static const struct need {
    const char *cmdline, *file, *text, *doubt;
} needs[] = {
    {"root=/dev/mapper/v--g-ro--ot", NULL, NULL, NULL},
    {"root=/dev/v-g/ro-ot", NULL, NULL, NULL},
    {"root=/dev/v-g/root", NULL, NULL,
     "root=/dev/v-g/root was not in use when the initramfs was made"},
    {"root=/dev/nvme0n1p1", NULL, NULL,
     "root=/dev/nvme0n1p1 was not in use when the initramfs was made"},
    {ROOT " resume=UUID=9", NULL, NULL, "resume=UUID=9 was not in use when the initramfs was made"},
    {"root=UUID=2222", NULL, NULL, "root=UUID=2222 was not in use when the initramfs was made"},
    {"root=block:/dev/disk/by-uuid/1111-aaaa", NULL, NULL, NULL},
    {"root=ZFS=rpool/ROOT", NULL, NULL,
     "root=ZFS=rpool/ROOT was not in use when the initramfs was made"},
    {ROOT " rd.luks.uuid=luks-3333", NULL, NULL,
     "rd.luks.uuid=UUID=3333 was not in use when the initramfs was made"},
    {ROOT " rd.luks.uuid=luks-1111-aaaa", NULL, NULL, NULL},
    {ROOT " rd.md.uuid=5:6", NULL, NULL, NULL},
    {ROOT " rd.md.uuid=5:7", NULL, NULL,
     "rd.md.uuid=ID=md-uuid-5:7 was not in use when the initramfs was made"},
    {ROOT " rd.lvm.lv=v-g/ro-ot", NULL, NULL, NULL},
    {ROOT, "cryptroot/crypttab", "root UUID=4444 none luks\n",
     "UUID=4444 in /cryptroot/crypttab (root) was not in use when the initramfs was made"},
    {ROOT, "cryptroot/crypttab", "root UUID=1111-aaaa /dev/disk/by-label/keys:/file luks\n",
     "/dev/disk/by-label/keys in /cryptroot/crypttab (root) was not in use when the initramfs "
     "was made"},
    {ROOT, "cryptroot/crypttab", "swap UUID=1111-aaaa /dev/urandom swap\n", NULL},
    {ROOT " rd.luks.key=/file:UUID=7", NULL, NULL,
     "rd.luks.key=UUID=7 was not in use when the initramfs was made"},
    {ROOT, "etc/mdadm/mdadm.conf", "ARRAY /dev/md0 metadata=1.2 UUID=5:6 name=x\n", NULL},
    {ROOT, "etc/mdadm/mdadm.conf", "ARRAY /dev/md0 metadata=1.2 UUID=5:8\n",
     "ID=md-uuid-5:8 in mdadm.conf was not in use when the initramfs was made"},
    {ROOT " ip=eth0:dhcp", NULL, NULL, NULL},
    {ROOT " ip=eth1:dhcp", NULL, NULL,
     "the interface of ip=eth1:dhcp was not in use when the initramfs was made"},
    {ROOT " ip=lan:dhcp ifname=lan:52:54:00:AA:bb:cc", NULL, NULL, NULL},
    {ROOT " ip=lan:dhcp ifname=lan:52:54:00:aa:bb:cd", NULL, NULL,
     "the interface of ip=lan:dhcp was not in use when the initramfs was made"},
    {ROOT " BOOTIF=01-52-54-00-aa-bb-cc", NULL, NULL, NULL},
    {ROOT " ip=bond0:dhcp bond=bond0:eth0", NULL, NULL, NULL},
    {ROOT " ip=bond0:dhcp bond=bond0:eth0,eth1:mode=1", NULL, NULL,
     "the interface of bond=bond0:eth0,eth1:mode=1 was not in use when the initramfs was "
     "made"},
    {"root=/dev/nfs nfsroot=192.0.2.1:/x ip=dhcp", NULL, NULL, NULL},
    /* the initramfs' own words */
    {ROOT, "etc/cmdline.d/90-lan.conf", "ip=eth0:dhcp\n", NULL},
    {ROOT, "etc/cmdline.d/90-lan.conf", "rd.neednet=1\nip=eth1:dhcp\n",
     "the interface of ip=eth1:dhcp was not in use when the initramfs was made"},
    {"ro", "etc/cmdline", "root=UUID=5", "root=UUID=5 was not in use when the initramfs was made"},
    {ROOT, "conf/initramfs.conf", "BOOT=local\nDEVICE=\nDEVICE=eth1\n",
     "the interface of bootdev=eth1 was not in use when the initramfs was made"},
    {ROOT, "conf/initramfs.conf", "# IP=:::::eth1:dhcp\nIP=:::::eth0:dhcp\n", NULL},
    {ROOT, "conf/conf.d/lan", "IP=:::::eth1:dhcp\n",
     "the interface of ip=:::::eth1:dhcp was not in use when the initramfs was made"},
    {"ro", "conf/param.conf", "ROOT=\"UUID=6\"\n",
     "root=UUID=6 was not in use when the initramfs was made"},
};

START_TEST(what_the_host_boots_from)
{
    for (size_t i = 0; i < ELEMENTS(needs); i++) {
        CLEANUP(tree_done) struct tree t;
        char wanted[256];
        make_early(&t);
        tree_write(&t, BOOT_DEVICES_FILE, LIST);
        tree_write(&t, "proc/cmdline", needs[i].cmdline);
        if (needs[i].file)
            tree_write(&t, needs[i].file, needs[i].text);
        snprintf(wanted, sizeof(wanted), MAY_BE "%s", needs[i].doubt ? needs[i].doubt : "");
        check_evidence(&t, "08:00.0", needs[i].doubt ? wanted : NULL);
        check_evidence(&t, "06:00.0", WAS_DISK);
        check_evidence(&t, "09:00.0", NULL);
    }
}
END_TEST

/* Cards that were added or taken out move others. */
START_TEST(another_host)
{
    static const struct {
        const char *list, *doubt;
    } cases[] = {
        {LIST "used 0000:0a:00.0 144d:a808 has the file system mounted on /usr\n",
         "0000:0a:00.0 was in use when the initramfs was made and is missing"},
        {LIST "used 0000:09:00.0 10de:20f2 has the console tty0\n",
         "0000:09:00.0 was a different device when the initramfs was made"},
        {LIST "incomplete\n", "the initramfs does not list every device in use"},
        {"module vfio_pci\nname dev/disk/by-uuid/1111-aaaa\n",
         "the initramfs lists no device in use"},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        char wanted[256];
        make_early(&t);
        tree_write(&t, BOOT_DEVICES_FILE, cases[i].list);
        tree_write(&t, "proc/cmdline", ROOT);
        snprintf(wanted, sizeof(wanted), MAY_BE "%s", cases[i].doubt);
        check_evidence(&t, "08:00.0", wanted);
        check_evidence(&t, "09:00.0", NULL);
    }
}
END_TEST

/* A list that is not understood leaves nothing to rely on. */
START_TEST(a_broken_list)
{
    static const char *const lists[] = {"used 0000:06:00.0\n", "used x 144d:a808 is used\n",
                                        "used 0000:06:00.0 144d:a808\n"};

    for (size_t i = 0; i < ELEMENTS(lists); i++) {
        CLEANUP(tree_done) struct tree t;
        CLEANUP(boot_use_done) struct boot_use boot = {0};
        make_early(&t);
        tree_write(&t, BOOT_DEVICES_FILE, lists[i]);
        ck_assert_int_eq(boot_use_read(t.fd, &boot), -EINVAL);
    }
}
END_TEST

START_TEST(written_on_the_host)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP_FREE char *text = NULL;
    size_t size;

    tree_init(&t);
    tree_device(&t, "0000:06:00.0", MODALIAS_DISK, "nvme", "14");
    tree_device(&t, "0000:08:00.0", MODALIAS_DISK, "nvme", "16");
    tree_device(&t, "0000:07:00.0", MODALIAS_NIC, "e1000e", "15");
    tree_node(&t, DISK "nvme/nvme0/nvme0n1", "259:0\n", "block");
    tree_node(&t, DISK "nvme/nvme0/nvme0n1/nvme0n1p1", "259:1\n", "block");
    tree_link(&t, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
    tree_node(&t, "sys/devices/virtual/block/dm-0", "253:0\n", "block");
    tree_link(&t, DISK "nvme/nvme0/nvme0n1/nvme0n1p1/holders/dm-0", "x");
    tree_link(&t, "dev/disk/by-uuid/1111-aaaa", "../../dm-0");
    tree_link(&t, "dev/disk/by-uuid/2222", "../../sda");
    tree_link(&t, "dev/disk/by-id/md-uuid-5:6", "../../nvme0n1p1");
    tree_link(&t, "dev/mapper/v--g-ro--ot", "../dm-0");
    tree_write(&t, "dev/mapper/control", "");
    tree_interface(&t, NET "eth0", "0x1003\n", "52:54:00:aa:bb:cc\n");
    tree_write(&t, "proc/1/mountinfo", "22 1 253:0 / / rw - ext4 x rw\n");
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    CLEANUP(fclosep) FILE *f = open_memstream(&text, &size);
    ck_assert_int_eq(boot_devices_write(t.fd, &s, f), 0);
    fflush(f);
    /* The order of a folder's entries is the file system's. */
    for (char *wanted = strdup(LIST), *rest = wanted, *line; (line = strsep(&rest, "\n"));) {
        if (*line)
            ck_assert_msg(strstr(text, line), "no line \"%s\" in\n%s", line, text);
        if (!rest)
            free(wanted);
    }
    ck_assert_uint_eq(strlen(text), strlen(LIST));
}
END_TEST

UNIT_MAIN("boot-devices", no_initramfs, nothing_has_changed, what_the_host_boots_from, another_host,
          a_broken_list, written_on_the_host)
