/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "failing.h"
#include "host/scan.h"
#include "host/serials.h"
#include "model/snapshot-text.h"
#include "policy/load.h"
#include "policy/parse.h"

/* The n-th call from now on, or each whose path has this part, fails. */
static struct {
    unsigned n, calls;
    const char *part;
    int error;
} failing;

static int failing_call(const char *call, const char *path, int fd)
{
    (void)fd;
    (void)call;
    if (failing.error == 0)
        return 0;
    failing.calls++;
    return failing.calls == failing.n || (failing.part && path && strstr(path, failing.part))
               ? failing.error
               : 0;
}

static void make_policy(struct policy *p, const char *text)
{
    CLEANUP(diags_done) struct diags d = {0};

    policy_init(p);
    ck_assert_int_eq(policy_parse(p, "x", text, strlen(text), &d), 0);
    policy_finish(p, &d);
    ck_assert_uint_eq(d.errors, 0);
}

static void make_host(struct tree *t)
{
    tree_init(t);
    tree_driver(t, "vfio-pci");
    tree_device(t, "0000:00:02.0", MODALIAS_NIC, "e1000e", "1");
    tree_device(t, "0000:06:00.0", MODALIAS_A100, NULL, "14");
    tree_device(t, "0000:06:00.1", MODALIAS_AUDIO, "snd_hda_intel", "14");
    tree_device(t, "0000:07:00.0", MODALIAS_A100, "vfio-pci", "15");
    tree_device(t, "0000:07:00.1", MODALIAS_AUDIO, "vfio-pci", "15");
    tree_write(t, "dev/vfio/15", "");
    tree_write(t, "sys/bus/pci/slots/3/address", "0000:06:00\n");
    tree_write(t, "sys/bus/pci/slots/4/address", "0000:07:00\n");
}

static struct device *find(const struct snapshot *s, const char *address)
{
    struct pci_addr a;

    ck_assert_int_eq(pci_addr_parse(address, &a), 0);
    return snapshot_find(s, a);
}

START_TEST(everything)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};

    make_host(&t);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert_uint_eq(s.n, 5);
    ck_assert(s.cold_boot);
    const struct device *d = find(&s, "0000:06:00.0");
    ck_assert(d->vendor == 0x10de && d->device == 0x20f1 && d->subvendor == 0x10de &&
              d->subdevice == 0x1463 && d->class_code == 0x030200 && d->group == 14 && !d->driver &&
              !d->node && !d->bridge && !d->vf);
    ck_assert_str_eq(d->slot, "3");
    d = find(&s, "0000:07:00.1");
    ck_assert_str_eq(d->driver, "vfio-pci");
    ck_assert(d->node && d->group == 15);
    ck_assert_str_eq(find(&s, "0000:00:02.0")->driver, "e1000e");
}
END_TEST

START_TEST(only_what_rules_concern)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(policy_done) struct policy p;

    make_host(&t);
    make_policy(&p, "[device a]\nid = 10de:20f1\naddress = 0000:07:00.0\n");
    ck_assert_int_eq(scan_all(t.fd, &p, &s), 0);
    ck_assert_uint_eq(s.n, 5);
    ck_assert(!find(&s, "0000:00:02.0")->detailed);
    ck_assert(!find(&s, "0000:06:00.0")->detailed);
    ck_assert(find(&s, "0000:07:00.0")->detailed && find(&s, "0000:07:00.1")->detailed);
    ck_assert(snapshot_is_registered(&s, "vfio-pci"));
}
END_TEST

START_TEST(members_of_the_group)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(policy_done) struct policy p;

    make_host(&t);
    tree_device(&t, "0000:09:00.0", MODALIAS_NIC, "e1000e", "14");
    tree_device(&t, "10000:01:00.0", MODALIAS_NIC, "igb", "14"); /* behind a VMD */
    make_policy(&p, "[device a]\nid = 10de:20f1\n");
    ck_assert_int_eq(scan_all(t.fd, &p, &s), 0);
    ck_assert(find(&s, "0000:09:00.0")->detailed);
    ck_assert_str_eq(find(&s, "0000:09:00.0")->driver, "e1000e");
    ck_assert(find(&s, "10000:01:00.0")->detailed);
    ck_assert_str_eq(find(&s, "10000:01:00.0")->driver, "igb");
    ck_assert(!find(&s, "0000:00:02.0")->detailed);
}
END_TEST

START_TEST(what_vanishes_is_left_out)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    struct pci_addr a;

    make_host(&t);
    tree_link(&t, "sys/bus/pci/devices/0000:0a:00.0", "../../../devices/gone");
    tree_write(&t, "sys/bus/pci/devices/0000:0b:00.0/modalias", "");
    tree_write(&t, "sys/bus/pci/devices/0000:0c:00.0/modalias", "pci:nonsense");
    tree_write(&t, "sys/bus/pci/devices/not-a-device/modalias", MODALIAS_NIC);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert_uint_eq(s.n, 7);
    ck_assert(find(&s, "0000:0b:00.0")->unidentified && find(&s, "0000:0c:00.0")->unidentified);
    ck_assert_int_eq(pci_addr_parse("0000:0a:00.0", &a), 0);
    ck_assert_int_eq(scan_device(t.fd, NULL, a, &s), 0);
    ck_assert_uint_eq(s.n, 7);
    /* one that was there and is gone is dropped */
    ck_assert_int_eq(pci_addr_parse("0000:06:00.0", &a), 0);
    unlinkat(t.fd, "sys/bus/pci/devices/0000:06:00.0/modalias", 0);
    ck_assert_int_eq(scan_device(t.fd, NULL, a, &s), 0);
    ck_assert_ptr_null(find(&s, "0000:06:00.0"));
}
END_TEST

START_TEST(one_device_anew)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(policy_done) struct policy p;
    struct pci_addr a;

    make_host(&t);
    make_policy(&p, "[device a]\nid = 10de:20f1\nslot = 3, 5\n");
    ck_assert_int_eq(scan_all(t.fd, &p, &s), 0);
    tree_link(&t, "sys/bus/pci/devices/0000:06:00.0/driver",
              "../../../../bus/pci/drivers/vfio-pci");
    tree_write(&t, "dev/vfio/14", "");
    ck_assert_int_eq(pci_addr_parse("0000:06:00.0", &a), 0);
    ck_assert_int_eq(scan_device(t.fd, &p, a, &s), 0);
    ck_assert_str_eq(find(&s, "0000:06:00.0")->driver, "vfio-pci");
    ck_assert(find(&s, "0000:06:00.0")->node);
    ck_assert_str_eq(find(&s, "0000:06:00.0")->slot, "3");
    /* and one that is new, whose companion function came first */
    tree_write(&t, "sys/bus/pci/slots/5/address", "0000:08:00\n");
    tree_device(&t, "0000:08:00.1", MODALIAS_AUDIO, NULL, "16");
    tree_device(&t, "0000:08:00.0", MODALIAS_A100, NULL, "16");
    ck_assert_int_eq(pci_addr_parse("0000:08:00.1", &a), 0);
    ck_assert_int_eq(scan_device(t.fd, &p, a, &s), 0);
    ck_assert_int_eq(pci_addr_parse("0000:08:00.0", &a), 0);
    ck_assert_int_eq(scan_device(t.fd, &p, a, &s), 0);
    ck_assert(find(&s, "0000:08:00.0")->detailed && find(&s, "0000:08:00.1")->detailed);
    ck_assert_str_eq(find(&s, "0000:08:00.0")->slot, "5");
}
END_TEST

START_TEST(serial_number)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    unsigned char config[4096] = {0};

    make_host(&t);
    /* at 0x100 AER (1), next 0x148; at 0x148 DSN (3), last */
    memcpy(config + 0x100, (unsigned char[]){0x01, 0x00, 0x81, 0x14}, 4);
    memcpy(
        config + 0x148,
        (unsigned char[]){0x03, 0x00, 0x01, 0x00, 0x56, 0x34, 0x12, 0xff, 0xff, 0x2d, 0xb0, 0x48},
        12);
    int fd = openat(t.fd, "sys/bus/pci/devices/0000:06:00.0/config", O_CREAT | O_WRONLY, 0644);
    ck_assert_int_eq(write(fd, config, sizeof(config)), sizeof(config));
    close(fd);
    fd = openat(t.fd, "sys/bus/pci/devices/0000:07:00.0/config", O_CREAT | O_WRONLY, 0644);
    ck_assert_int_eq(write(fd, config, 64), 64); /* all that is to be had without privilege */
    close(fd);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert_str_eq(find(&s, "0000:06:00.0")->serial, "48-b0-2d-ff-ff-12-34-56");
    ck_assert_ptr_null(find(&s, "0000:07:00.0")->serial);
}
END_TEST

/* A device that does not answer reads as ones, which is not a device without a serial number. */
START_TEST(no_answer_is_no_serial_number)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    unsigned char config[4096];
    struct serial serial;

    make_host(&t);
    memset(config, 0xff, sizeof(config));
    int fd = openat(t.fd, "sys/bus/pci/devices/0000:06:00.0/config", O_CREAT | O_WRONLY, 0644);
    ck_assert_int_eq(write(fd, config, sizeof(config)), sizeof(config));
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert_int_eq(find(&s, "0000:06:00.0")->unknown.fact, FACT_SERIAL);
    ck_assert(find(&s, "0000:06:00.0")->serial_unread);
    ck_assert_int_eq(serials_read(t.fd, find(&s, "0000:06:00.0")->addr, &serial), -EIO);
    /* a virtual function answers, but has no IDs of its own */
    memset(config + 4, 0, sizeof(config) - 4);
    ck_assert_int_eq(pwrite(fd, config, sizeof(config), 0), sizeof(config));
    close(fd);
    ck_assert_int_eq(serials_read(t.fd, find(&s, "0000:06:00.0")->addr, &serial), 0);
    ck_assert_str_eq(serial.text, "");
}
END_TEST

/* Few groups are asked for their members; where most is selected the others tell their groups. */
START_TEST(members_of_many_groups)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(policy_done) struct policy p;

    make_host(&t);
    tree_device(&t, "0000:08:00.0", MODALIAS_A100, NULL, "16");
    tree_device(&t, "0000:09:00.0", MODALIAS_NIC, "e1000e", "16");
    make_policy(&p, "[device a]\nid = 10de:20f1\n");
    ck_assert_int_eq(scan_all(t.fd, &p, &s), 0);
    ck_assert_uint_eq(s.n, 7);
    ck_assert(find(&s, "0000:09:00.0")->detailed);
    ck_assert_str_eq(find(&s, "0000:09:00.0")->driver, "e1000e");
    ck_assert(!find(&s, "0000:00:02.0")->detailed);
}
END_TEST

static void check_bindings(size_t n)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    struct pci_addr addrs[] = {{0, 6, 0, 0}, {0, 6, 0, 1}, {0, 7, 0, 0},
                               {0, 7, 0, 1}, {0, 8, 0, 0}, {0, 9, 0, 0}};

    make_host(&t);
    tree_device(&t, "0000:08:00.0", MODALIAS_A100, NULL, "16");
    tree_device(&t, "0000:09:00.0", MODALIAS_A100, NULL, "17");
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    /* bound */
    tree_link(&t, "sys/bus/pci/devices/0000:06:00.0/driver",
              "../../../../bus/pci/drivers/vfio-pci");
    tree_write(&t, "dev/vfio/14", "");
    /* taken by another VFIO driver, in a group whose node has gone */
    tree_link(&t, "sys/bus/pci/devices/0000:07:00.0/driver",
              "../../../../bus/pci/drivers/nvgrace-gpu-vfio-pci");
    unlinkat(t.fd, "dev/vfio/15", 0);
    /* replaced by another card, which has no driver; and gone */
    tree_write(&t, "sys/bus/pci/devices/0000:08:00.0/modalias", MODALIAS_NIC);
    unlinkat(t.fd, "sys/bus/pci/devices/0000:09:00.0/modalias", 0);
    for (size_t i = 0; i < ELEMENTS(addrs); i += n)
        ck_assert_int_eq(scan_bindings(t.fd, NULL, addrs + i, n, &s), 0);
    ck_assert_str_eq(find(&s, "0000:06:00.0")->driver, "vfio-pci");
    ck_assert(find(&s, "0000:06:00.0")->node);
    ck_assert_str_eq(find(&s, "0000:06:00.1")->driver, "snd_hda_intel");
    ck_assert(!find(&s, "0000:06:00.1")->node);
    ck_assert_str_eq(find(&s, "0000:07:00.0")->driver, "nvgrace-gpu-vfio-pci");
    ck_assert(!find(&s, "0000:07:00.0")->node && !find(&s, "0000:07:00.1")->node);
    ck_assert_uint_eq(find(&s, "0000:08:00.0")->vendor, 0x8086);
    ck_assert_ptr_null(find(&s, "0000:09:00.0"));
}

START_TEST(after_binds)
{
    check_bindings(1);
    check_bindings(6); /* so many that the folder of the nodes is read */
}
END_TEST

START_TEST(no_sys)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};

    tree_init(&t);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), -ENOENT);
}
END_TEST

START_TEST(links_stay_inside_the_root)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "etc/inside", "inside");
    tree_link(&t, "absolute", "/etc/inside");
    tree_link(&t, "upwards", "../../../../etc/inside");
    char line[64];
    ck_assert_int_eq(rootfs_read_line(t.fd, "absolute", line, sizeof(line)), 6);
    ck_assert_int_eq(rootfs_read_line(t.fd, "upwards", line, sizeof(line)), 6);
}
END_TEST

/* -- the policy's files -- */

START_TEST(policy_files)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    bool off = false;

    tree_init(&t);
    tree_write(&t, "usr/lib/vfio-bindd.conf", "[device vendor]\nid = 1111:1111\n");
    tree_write(&t, "run/vfio-bindd.conf", "not read\n");
    tree_write(&t, "usr/local/lib/vfio-bindd.conf", "[device main]\nid = 2222:2222\n");
    tree_write(&t, "usr/lib/vfio-bindd.conf.d/10-a.conf", "[device masked]\nid = 3333:3333\n");
    tree_write(&t, "etc/vfio-bindd.conf.d/10-a.conf", "[device a]\nid = 4444:4444\n");
    tree_write(&t, "usr/lib/vfio-bindd.conf.d/30-null.conf", "[device null]\nid = 5555:5555\n");
    tree_link(&t, "etc/vfio-bindd.conf.d/30-null.conf", "/dev/null");
    tree_write(&t, "usr/local/lib/vfio-bindd.conf.d/20-b.conf", "[device b]\nid = 6666:6666\n");
    tree_write(&t, "etc/vfio-bindd.conf.d/README", "not read\n");
    tree_write(&t, "etc/vfio-bindd.conf.d/.hidden.conf", "not read\n");
    tree_write(&t, "proc/cmdline", "quiet vfio_bindd.ids=7777:7777\n");
    policy_init(&p);
    policy_load(t.fd, &p, &d, &off);
    ck_assert_msg(d.errors == 0 && d.warnings == 0, "%s", d.n ? d.v[0].text : "");
    static const char *const order[] = {"cmdline", "b", "a", "main"};
    ck_assert_uint_eq(p.n_rules, ELEMENTS(order));
    for (size_t i = 0; i < ELEMENTS(order); i++)
        ck_assert_str_eq(p.rules[i].name, order[i]);
    ck_assert_str_eq(p.files[0], "/usr/local/lib/vfio-bindd.conf");
}
END_TEST

START_TEST(no_policy_is_no_error)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    bool off = true;

    tree_init(&t);
    policy_init(&p);
    policy_load(t.fd, &p, &d, &off);
    ck_assert(d.errors == 0 && p.n_rules == 0 && !off);
}
END_TEST

START_TEST(bad_policy_files)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP_FREE char *big = calloc(1, 2 * 1024 * 1024 + 1);
    bool off;

    tree_init(&t);
    tree_write(&t, "etc/vfio-bindd.conf/x", "");
    tree_write(&t, "usr/lib/vfio-bindd.conf", "[device not-used]\nid = 1111:1111\n");
    memset(big, 'x', 2 * 1024 * 1024);
    tree_write(&t, "etc/vfio-bindd.conf.d/10-big.conf", big);
    ck_assert_int_eq(mkfifoat(t.fd, "etc/vfio-bindd.conf.d/20-fifo.conf", 0644), 0);
    tree_link(&t, "etc/vfio-bindd.conf.d/30-dangling.conf", "nowhere");
    tree_write(&t, "etc/vfio-bindd.conf.d/40-good.conf",
               "[device good]\nid = 2222:2222\ndriver = native\n[device takes]\nid = 3333:3333\n");
    policy_init(&p);
    policy_load(t.fd, &p, &d, &off);
    ck_assert_uint_eq(d.errors, 4);
    static const char *const says[] = {"is a directory", "larger than 1 MiB", "no regular file",
                                       "no such file"};
    for (size_t i = 0; i < ELEMENTS(says); i++)
        ck_assert_msg(strstr(d.v[i].text, says[i]), "%s", d.v[i].text);
    ck_assert_uint_eq(p.n_rules, 1);
    ck_assert_str_eq(p.rules[0].name, "good");
}
END_TEST

/* -- what cannot be read -- */

static char *as_text(const struct snapshot *s, bool with_unknown)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    ck_assert_int_eq(snapshot_write(s, f), 0);
    fclose(f);
    for (char *p = text; !with_unknown && (p = strstr(p, " unknown="));)
        memmove(p, p + 1 + strcspn(p + 1, " \n"), strlen(p + 1 + strcspn(p + 1, " \n")) + 1);
    return text;
}

static void make_used_host(struct tree *t)
{
    make_host(t);
    tree_driver(t, "nvme");
    tree_device(t, "0000:0a:00.0", "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02\n",
                "nvme", "20");
    tree_node(t, "sys/bus/pci/devices/0000:0a:00.0/nvme/nvme0/nvme0n1", "259:0\n", "block");
    tree_write(t, "proc/1/mountinfo", "22 1 259:0 / /data rw - ext4 x rw\n");
    tree_write(t, "proc/cmdline", "ip=eth9:dhcp root=/dev/nvme0n1\n");
    tree_write(t, "etc/fstab", "/dev/nvme0n1 /data ext4\n");
    tree_interface(t, "sys/bus/pci/devices/0000:00:02.0/net/eth9", "0x1003\n", "0:0\n");
}

/* Whichever call fails, with whichever error: nothing that was known is lost, and what could not be
 * read is said. */
START_TEST(any_call_fails)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EIO, EFBIG};
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot before = {0};

    make_used_host(&t);
    ck_assert_int_eq(scan_all(t.fd, NULL, &before), 0);
    CLEANUP_FREE char *wanted = as_text(&before, true);
    ck_assert_str_eq(find(&before, "0000:0a:00.0")->use, "has the file system mounted on /data");
    for (size_t i = 0; i < ELEMENTS(errors); i++) {
        /* An ordinary user may not read the mounts of PID 1, and is shown those of his own. */
        if ((errors[i] == EACCES || errors[i] == EPERM) && geteuid() != 0)
            continue;
        for (unsigned n = 1, calls = 1; n <= calls; n++) {
            CLEANUP(snapshot_done) struct snapshot s = {0};
            const struct device *d;
            int error;
            failing.error = errors[i];
            failing.n = n;
            failing.calls = 0;
            int r = scan_again(t.fd, NULL, &before, &s);
            calls = failing.calls;
            failing.error = 0;
            ck_assert_int_eq(r, 0);
            CLEANUP_FREE char *text = as_text(&s, false);
            ck_assert_msg(streq(text, wanted), "call %u: %s\n%s\nis not\n%s", n,
                          strerror(errors[i]), text, wanted);
            /* Some do not matter: what they would tell is known otherwise. */
            if (snapshot_unknown(&s, &d, &error) != FACT_NONE)
                ck_assert_int_eq(error, errors[i]);
        }
    }
}
END_TEST

/* What cannot be read of the policy is an error: it is not taken for less than it is. */
START_TEST(any_call_for_the_policy_fails)
{
    CLEANUP(tree_done) struct tree t;
    unsigned refused = 0;

    tree_init(&t);
    tree_write(&t, "etc/vfio-bindd.conf", "[device a]\nid = 10de:20f1\n");
    tree_write(&t, "etc/vfio-bindd.conf.d/10-b.conf", "[device b]\nid = 10de:20f2\n");
    tree_write(&t, "usr/lib/vfio-bindd.conf.d/20-c.conf", "[device c]\nid = 10de:20f3\n");
    tree_write(&t, "proc/cmdline", "quiet vfio_bindd.ids=10de:20f4\n");
    for (unsigned n = 0, calls = 1; n <= calls; n++) {
        CLEANUP(policy_done) struct policy p;
        CLEANUP(diags_done) struct diags d = {0};
        bool off;
        policy_init(&p);
        failing.error = EMFILE;
        failing.n = n; /* 0: none */
        failing.calls = 0;
        policy_load(t.fd, &p, &d, &off);
        calls = failing.calls;
        failing.error = 0;
        refused += d.errors > 0;
        ck_assert_msg(d.errors > 0 || p.n_rules == 4, "call %u: %zu rules", n, p.n_rules);
        ck_assert(n > 0 || d.errors == 0);
    }
    ck_assert_uint_gt(refused, 8);
}
END_TEST

static void check_unknown(const char *part, int error, enum fact fact, const char *address)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot before = {0}, s = {0}, first = {0};
    const struct device *d;
    int seen;

    make_used_host(&t);
    ck_assert_int_eq(scan_all(t.fd, NULL, &before), 0);
    failing.error = error;
    failing.part = part;
    ck_assert_int_eq(scan_again(t.fd, NULL, &before, &s), 0);
    ck_assert_int_eq(scan_all(t.fd, NULL, &first), 0);
    if (address) { /* one device anew does the same */
        struct pci_addr a;
        ck_assert_int_eq(pci_addr_parse(address, &a), 0);
        ck_assert_int_eq(scan_device(t.fd, NULL, a, &before), 0);
    }
    failing.error = 0;
    failing.part = NULL;
    enum fact found = snapshot_unknown(&s, &d, &seen);
    ck_assert_msg(found == fact, "%s: %s is unknown", part, fact_word(found));
    ck_assert_int_eq(seen, error);
    ck_assert(snapshot_unknown(&first, &d, &seen) != FACT_NONE);
    ck_assert_uint_eq(s.n, 6);
    CLEANUP_FREE char *x = as_text(&s, false);
    ck_assert(strstr(x, "use=has%20the%20file%20system"));
    if (!address)
        return;
    ck_assert_int_eq(find(&s, address)->unknown.fact, fact);
    ck_assert_int_eq(find(&before, address)->unknown.fact, fact);
    CLEANUP_FREE char *y = as_text(&before, false);
    ck_assert_str_eq(x, y);
}

START_TEST(what_is_unknown)
{
    static const struct {
        const char *part;
        int error;
        enum fact fact;
        const char *address;
    } cases[] = {
        {"sys/bus/pci/devices/0000:0a:00.0/modalias", EMFILE, FACT_IDENTITY, "0000:0a:00.0"},
        {"0000:0a:00.0/driver", EIO, FACT_DRIVER, "0000:0a:00.0"},
        {"0000:0a:00.0/iommu_group", EACCES, FACT_GROUP, "0000:0a:00.0"},
        {"0000:0a:00.0/virtfn0", EPERM, FACT_KIND, "0000:0a:00.0"},
        {"0000:0a:00.0/config", EMFILE, FACT_SERIAL, "0000:0a:00.0"},
        {"proc/1/mountinfo", EFBIG, FACT_USE, "0000:0a:00.0"},
        {"subsystem", EMFILE, FACT_USE, "0000:0a:00.0"},
        {"dev/vfio/15", ENOMEM, FACT_NODE, "0000:07:00.0"},
        {"dev/vfio/devices", EACCES, FACT_NODE, "0000:07:00.0"},
        {"sys/bus/pci/slots", ENFILE, FACT_SLOT, "0000:0a:00.0"},
        {"sys/bus/pci/devices", EMFILE, FACT_LISTING, NULL},
        {"sys/bus/pci/drivers", ENOMEM, FACT_DRIVERS, NULL},
        {"run/vfio-bindd/booted", EIO, FACT_BOOT, NULL},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        check_unknown(cases[i].part, cases[i].error, cases[i].fact, cases[i].address);
}
END_TEST

/* In no-IOMMU mode a group's node has another name. */
START_TEST(interrupts_not_remapped)
{
    static const struct {
        const char *irq, *chip, *allowed;
        bool unremapped;
    } cases[] = {
        {"0", "IO-APIC\n", NULL, true},   {"0", "IO-APIC\n", "N\n", true},
        {"0", "IO-APIC\n", "Y\n", false}, {"0", "IR-IO-APIC\n", NULL, false},
        {"9", "IO-APIC\n", NULL, true},   {"0", "XT-PIC\n", NULL, false},
        {"0", "GICv3\n", NULL, false},    {"77", "IO-APIC\n", NULL, false},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        CLEANUP(snapshot_done) struct snapshot s = {0};
        char path[64];
        tree_init(&t);
        tree_device(&t, "0000:07:00.0", MODALIAS_NIC, "vfio-pci", "15");
        snprintf(path, sizeof(path), "sys/kernel/irq/%s/chip_name", cases[i].irq);
        tree_write(&t, path, cases[i].chip);
        if (cases[i].allowed)
            tree_write(&t, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
                       cases[i].allowed);
        ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
        ck_assert_msg(s.unremapped == cases[i].unremapped, "case %zu", i);
    }
}
END_TEST

START_TEST(node_without_iommu)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    struct pci_addr a;

    make_host(&t);
    unlinkat(t.fd, "dev/vfio/15", 0);
    tree_write(&t, "dev/vfio/noiommu-15", "");
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert(!find(&s, "0000:07:00.0")->node);
    snapshot_done(&s);
    tree_write(&t, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert(find(&s, "0000:07:00.0")->node && find(&s, "0000:07:00.0")->noiommu);
    ck_assert_int_eq(pci_addr_parse("0000:07:00.0", &a), 0);
    find(&s, "0000:07:00.0")->node = false;
    ck_assert_int_eq(scan_bindings(t.fd, NULL, &a, 1, &s), 0);
    ck_assert(find(&s, "0000:07:00.0")->node);
}
END_TEST

UNIT_MAIN("scan", any_call_fails, any_call_for_the_policy_fails, what_is_unknown,
          interrupts_not_remapped, node_without_iommu, everything, only_what_rules_concern,
          members_of_the_group, members_of_many_groups, after_binds, what_vanishes_is_left_out,
          one_device_anew, serial_number, no_answer_is_no_serial_number, no_sys,
          links_stay_inside_the_root, policy_files, no_policy_is_no_error, bad_policy_files)
