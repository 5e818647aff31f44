/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "failing.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "host/claims.h"
#include "host/holders.h"
#include "host/nodes.h"

static struct {
    int error;         /* of the n-th call; 0: none fails */
    unsigned n, calls; /* of those so far */
    const char *part;  /* not NULL: of those instead whose path has this part */
} failing;

static int failing_call(const char *call, const char *path, int fd)
{
    (void)fd;
    (void)call;
    if (failing.part)
        return path && strstr(path, failing.part) ? failing.error : 0;
    return failing.error != 0 && ++failing.calls == failing.n ? failing.error : 0;
}

#define GPU "sys/bus/pci/devices/0000:06:00.0/"

static const struct pci_addr gpu = {0, 6, 0, 0}, audio = {0, 6, 0, 1};

static void make_process(const struct tree *t, int pid, const char *comm, const char *cgroup)
{
    char path[128];

    snprintf(path, sizeof(path), "proc/%d/comm", pid);
    tree_write(t, path, comm);
    snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
    tree_write(t, path, cgroup);
    snprintf(path, sizeof(path), "%s/proc/%d/fd", t->path, pid);
    tree_mkdir(path);
}

/* The targets are nodes of this machine, which every Linux has: null is 1:3, zero 1:5, full 1:7. */
static void make_fd(const struct tree *t, int pid, int fd, const char *target)
{
    char path[64];

    snprintf(path, sizeof(path), "proc/%d/fd/%d", pid, fd);
    tree_link(t, path, target);
}

static void make_host(struct tree *t)
{
    tree_init(t);
    tree_device(t, "0000:06:00.0", MODALIAS_A100, "nvidia", "14");
    tree_device(t, "0000:06:00.1", MODALIAS_AUDIO, "snd_hda_intel", "14");
    make_process(t, 1, "systemd\n", "0::/init.scope\n");
}

static bool has(const struct nodes *nodes, unsigned major, unsigned minor, bool block)
{
    return nodes_find(nodes, makedev(major, minor), block) != NULL;
}

/* -- which nodes -- */

START_TEST(nodes_in_the_folder)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(nodes_done) struct nodes nodes = {0};

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "226:0\n", "drm");
    tree_node(&t, GPU "nvme/nvme0", "240:0\n", "nvme");
    tree_node(&t, GPU "nvme/nvme0/nvme0n1", "259:0\n", "block");
    tree_node(&t, GPU "nvme/nvme0/nvme0n1/nvme0n1p1", "259:1\n", "block");
    tree_node(&t, GPU "nvme/nvme0/nvme0n1/mq/0", "7:7\n", "x");
    tree_node(&t, GPU "broken", "226\n", "drm");
    tree_node(&t, "sys/devices/virtual/block/dm-0", "253:0\n", "block");
    tree_node(&t, "sys/devices/virtual/block/dm-1", "253:1\n", "block");
    tree_link(&t, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
    tree_link(&t, "sys/class/block/dm-1", "../../devices/virtual/block/dm-1");
    tree_link(&t, GPU "nvme/nvme0/nvme0n1/nvme0n1p1/holders/dm-0", "x");
    tree_link(&t, "sys/devices/virtual/block/dm-0/holders/dm-1", "x");
    tree_link(&t, "sys/devices/virtual/block/dm-1/holders/dm-0", "a circle");
    tree_node(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n2", "259:5\n", "block");
    tree_link(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0", "x");
    tree_node(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1", "259:6\n", "block");
    tree_link(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1", "x");
    for (int i = 0; i < 2; i++) {
        char path[64], target[80];
        snprintf(path, sizeof(path), "sys/class/nvme-subsystem/nvme-subsys%d", i);
        snprintf(target, sizeof(target), "../../devices/virtual/nvme-subsystem/nvme-subsys%d", i);
        tree_link(&t, path, target);
    }
    tree_node(&t, GPU "vfio-dev/vfio0", "511:0\n", "vfio-dev");
    tree_node(&t, "sys/class/vfio/14", "243:2\n", "vfio");
    tree_node(&t, "sys/class/vfio/77", "243:3\n", "vfio");
    tree_link(&t, GPU "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/iommu_group", "../../groups/77");
    tree_link(&t, GPU "loop", "..");

    /* the circle is one of more than any real stack has */
    ck_assert_int_eq(nodes_of(t.fd, gpu, &nodes), -E2BIG);
    unlinkat(t.fd, "sys/devices/virtual/block/dm-1/holders/dm-0", 0);
    nodes_done(&nodes);
    ck_assert_int_eq(nodes_of(t.fd, gpu, &nodes), 0);
    ck_assert(has(&nodes, 226, 0, false) && !has(&nodes, 226, 0, true));
    ck_assert(has(&nodes, 240, 0, false));
    ck_assert(has(&nodes, 259, 0, true) && has(&nodes, 259, 1, true));
    ck_assert(has(&nodes, 253, 0, true) && has(&nodes, 253, 1, true));
    ck_assert(has(&nodes, 259, 5, true));
    ck_assert(has(&nodes, 511, 0, false));
    ck_assert(has(&nodes, 243, 2, false) && has(&nodes, 243, 3, false));
    ck_assert_uint_eq(nodes.n, 10);
}
END_TEST

START_TEST(nodes_of_groups)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(nodes_done) struct nodes nodes = {0};

    make_host(&t);
    ck_assert_int_eq(nodes_of_group(t.fd, "14", gpu, &nodes), -ENOENT);
    tree_node(&t, "sys/class/vfio/14", "510:1\n", "vfio");
    tree_node(&t, "sys/class/vfio/noiommu-15", "510:2\n", "vfio");
    ck_assert_int_eq(nodes_of_group(t.fd, "14", gpu, &nodes), 0);
    ck_assert(nodes.n == 1 && has(&nodes, 510, 1, false));
    ck_assert_int_eq(nodes_of_group(t.fd, "15", gpu, &nodes), 0);
    ck_assert(nodes.n == 2 && has(&nodes, 510, 2, false));
    ck_assert(!has(&nodes, 510, 2, true)); /* a block device's number is another */
}
END_TEST

START_TEST(children_of_a_bridge_are_not_its_own)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(nodes_done) struct nodes bridge = {0}, vmd = {0};

    make_host(&t);
    tree_node(&t, GPU "0000:07:00.0/drm/card0", "226:0\n", "drm");
    tree_write(&t, GPU "secondary_bus_number", "7\n");
    ck_assert_int_eq(nodes_of(t.fd, gpu, &bridge), 0);
    ck_assert_uint_eq(bridge.n, 0);
    /* but a VMD takes those behind it along */
    tree_node(&t, "sys/bus/pci/devices/0000:06:00.1/pci10000:00/10000:01:00.0/nvme/nvme0/nvme0n1",
              "259:0\n", "block");
    ck_assert_int_eq(nodes_of(t.fd, audio, &vmd), 0);
    ck_assert_uint_eq(vmd.n, 1);
}
END_TEST

START_TEST(nvidia)
{
    static const struct {
        const char *information, *devices;
        int r;
        unsigned major, minor;
    } cases[] = {
        {"Model: \t\t A100\nDevice Minor: \t 3\nGPU Excluded:\t No\n",
         "Character devices:\n  1 mem\n195 nvidia\n195 nvidiactl\n\nBlock devices:\n  7 loop\n", 0,
         195, 3},
        {"Device Minor: \t 0\n", "Character devices:\n195 nvidia-frontend\n", 0, 195, 0},
        {"Device Minor: \t 0\n", "Character devices:\n507 nvidia-uvm\nBlock devices:\n9 nvidia\n",
         -ENODATA, 0, 0},
        {"Model: \t\t A100\n", "Character devices:\n195 nvidia\n", -ENODATA, 0, 0},
        {"Device Minor: \t x\n", "Character devices:\n195 nvidia\n", -ENODATA, 0, 0},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        CLEANUP(nodes_done) struct nodes nodes = {0};
        make_host(&t);
        tree_write(&t, "proc/driver/nvidia/gpus/0000:06:00.0/information", cases[i].information);
        tree_write(&t, "proc/devices", cases[i].devices);
        ck_assert_int_eq(nodes_of(t.fd, gpu, &nodes), cases[i].r);
        ck_assert_uint_eq(nodes.n, cases[i].r == 0);
        ck_assert(cases[i].r < 0 || has(&nodes, cases[i].major, cases[i].minor, false));
    }
}
END_TEST

/* -- who, on a made-up host -- */

#define STAT "300 (a) b) S %d 1 1 0 -1 1 0 0 0 0 1 1 0 0 20 0 1 0 777 8192 100\n"

/* Workers of one daemon are children of one parent: one may keep a group while another looks. */
START_TEST(not_a_fellow_worker)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;
    char stat[128];

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:3\n", "drm");
    make_process(&t, 300, "vfio-bindd-work\n", "0::/system.slice/vfio-bindd.service\n");
    make_fd(&t, 300, 7, "/dev/null");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
    snprintf(stat, sizeof(stat), STAT, (int)getppid());
    tree_write(&t, "proc/300/stat", stat);
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 0);
    snprintf(stat, sizeof(stat), STAT, (int)getppid() + 1);
    tree_write(&t, "proc/300/stat", stat);
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
}
END_TEST

START_TEST(by_number)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;
    const struct pci_addr both[] = {gpu, audio};

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:3\n", "drm");
    tree_node(&t, "sys/bus/pci/devices/0000:06:00.1/sound/card1/controlC1", "1:7\n", "sound");
    make_process(&t, 100, "idle\n", "0::/user.slice\n");
    make_fd(&t, 100, 0, "/dev/zero");
    make_fd(&t, 100, 1, "/nowhere/dead/nfs");
    make_fd(&t, 100, 2, "socket:[1234]");
    make_fd(&t, 100, 3, "/dev/gone (deleted)");
    ck_assert_int_eq(holders_find(t.fd, NULL, both, 2, &h), 0);
    make_process(&t, 200, "X\x1b[31m\xc3\xa4\n", "0::/system.slice/gdm.service\n");
    make_fd(&t, 200, 7, "/dev/null");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
    ck_assert_int_eq(h.pid, 200);
    ck_assert_str_eq(h.command, "X\\x1b[31mä");
    ck_assert_str_eq(h.unit, "gdm.service");
    ck_assert_str_eq(h.node, "/dev/null");
    ck_assert_int_eq(pci_addr_cmp(h.addr, gpu), 0);
    ck_assert_int_eq(holders_find(t.fd, NULL, &audio, 1, &h), 0);
    make_process(&t, 150, "pipewire\n", "");
    make_fd(&t, 150, 7, "/dev/full");
    ck_assert_int_eq(holders_find(t.fd, NULL, &audio, 1, &h), 1);
    ck_assert_int_eq(h.pid, 150);
    ck_assert_str_eq(h.unit, "");
    ck_assert_int_eq(pci_addr_cmp(h.addr, audio), 0);
    ck_assert_int_eq(holders_find(t.fd, NULL, both, 2, &h), 1);
    /* one that ends meanwhile holds nothing */
    unlinkat(t.fd, "proc/150/comm", 0);
    ck_assert_int_eq(holders_find(t.fd, NULL, &audio, 1, &h), 0);
}
END_TEST

/* In a chroot with the host's /dev, say. */
START_TEST(by_another_path)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:3\n", "drm");
    tree_write(&t, "proc/1/comm", "systemd\n");
    tree_write(&t, "proc/300/comm", "python3\n");
    tree_link(&t, "proc/300/fd/7", "/proc/../dev/null");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
    ck_assert_str_eq(h.node, "/proc/../dev/null");
}
END_TEST

/* The first thread has ended, and its folder is empty, but another one goes on. */
START_TEST(by_another_thread)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:3\n", "drm");
    make_process(&t, 300, "vmm\n", "");
    tree_link(&t, "proc/300/task/301/fd/8", "/dev/null");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
    tree_write(&t, "proc/300/task/301/fdinfo/8", "flags:\t012100000\n"); /* O_PATH */
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 0);
}
END_TEST

START_TEST(not_seen_is_not_free)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;
    char path[128];

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:3\n", "drm");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 0);
    /* processes that a mount option hides: init is not there */
    snprintf(path, sizeof(path), "%s/proc/2", t.path);
    char one[128];
    snprintf(one, sizeof(one), "%s/proc/1", t.path);
    ck_assert_int_eq(rename(one, path), 0);
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), -EACCES);
    ck_assert_int_eq(rename(path, one), 0);
    /* a folder that cannot be opened (for root too) */
    make_process(&t, 100, "odd\n", "");
    unlinkat(t.fd, "proc/100/fd", AT_REMOVEDIR);
    tree_link(&t, "proc/100/fd", "fd");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), -ELOOP);
    /* what has no node cannot be open; one whose nodes are not all known may be */
    ck_assert_int_eq(holders_find(t.fd, NULL, &audio, 1, &h), 0);
    tree_write(&t, "proc/driver/nvidia/gpus/0000:06:00.1/information", "Device Minor: \t x\n");
    ck_assert_int_eq(holders_find(t.fd, NULL, &audio, 1, &h), -ENODATA);
    unlinkat(t.fd, "proc/100/fd", 0);
    /* nodes that cannot be told */
    tree_write(&t, "proc/driver/nvidia/gpus/0000:06:00.0/information", "Model: \t\t A100\n");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), -ENODATA);
    unlinkat(t.fd, "proc/driver/nvidia/gpus/0000:06:00.0/information", 0);
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 0);
    tree_write(&t, "sys/class/vfio/14/dev", "nonsense\n");
    ck_assert_int_lt(holders_vfio(t.fd, NULL, 14, gpu, &h), 0);
    unlinkat(t.fd, "sys/class/vfio/14/dev", 0);
    /* but who is found is found */
    make_process(&t, 200, "X\n", "");
    make_fd(&t, 200, 7, "/dev/null");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
}
END_TEST

START_TEST(any_call_fails)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:7\n", "drm");
    make_process(&t, 200, "Xorg\n", "0::/\n");
    make_fd(&t, 200, 0, "/dev/null");
    make_fd(&t, 200, 9, "/dev/full");
    for (unsigned n = 0, calls = 1; n <= calls; n++) {
        failing.error = EMFILE;
        failing.n = n; /* 0: none */
        failing.calls = 0;
        int r = holders_find(t.fd, NULL, &gpu, 1, &h);
        calls = failing.calls;
        failing.error = 0;
        ck_assert_msg(r == 1 || (n > 0 && r == -EMFILE), "call %u of %u: %d", n, calls, r);
    }
}
END_TEST

/* udev names a new node with O_PATH to set its mode: that does not keep the device. */
START_TEST(only_named)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;

    make_host(&t);
    tree_node(&t, GPU "drm/card0", "1:3\n", "drm");
    make_process(&t, 300, "(udev-worker)\n", "0::/system.slice/systemd-udevd.service/udev\n");
    make_fd(&t, 300, 7, "/dev/null");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
    ck_assert_str_eq(h.unit, "systemd-udevd.service");
    tree_write(&t, "proc/300/fdinfo/7", "pos:\t0\nflags:\t012100000\nmnt_id:\t25\n");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 0);
    tree_write(&t, "proc/300/fdinfo/7", "pos:\t0\nflags:\t02100002\nmnt_id:\t25\n");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
}
END_TEST

/* A block device is claimed if it cannot be opened exclusively. */
START_TEST(claimed_by_the_kernel)
{
    static const struct {
        int error, wanted;
    } cases[] = {{EBUSY, 1},      {ENOENT, 0},       {ENXIO, 0},  {ENOMEDIUM, 0},
                 {EPERM, -EPERM}, {EMFILE, -EMFILE}, {0, -ESTALE}}; /* a regular file */

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        char node[NAME_MAX + 8];

        make_host(&t);
        tree_node(&t, GPU "block/cciss!c0d0", "104:0\n", "block");
        ck_assert_int_eq(claims_find(t.fd, gpu, node), 0); /* no such number is known */
        tree_link(&t, "sys/dev/block/104:0", "../../devices/block/cciss!c0d0");
        tree_write(&t, "dev/cciss/c0d0", "");
        failing.error = cases[i].error;
        failing.part = "dev/cciss/c0d0";
        ck_assert_int_eq(claims_find(t.fd, gpu, node), cases[i].wanted);
        failing.error = 0;
        failing.part = NULL;
        if (cases[i].wanted == 1)
            ck_assert_str_eq(node, "/dev/cciss/c0d0");
    }
}
END_TEST

START_TEST(virtual_machines)
{
    CLEANUP(tree_done) struct tree t;
    struct holder h;

    make_host(&t);
    tree_node(&t, "sys/class/vfio/14", "1:3\n", "vfio");
    make_process(&t, 300, "qemu\n", "");
    /* a device, explained by another group that is open (of the same major number) */
    make_fd(&t, 300, 5, "anon_inode:[vfio-device]");
    make_fd(&t, 300, 4, "/dev/zero");
    ck_assert_int_eq(holders_vfio(t.fd, NULL, 14, gpu, &h), 0);
    /* nothing explains it */
    unlinkat(t.fd, "proc/300/fd/4", 0);
    ck_assert_int_eq(holders_vfio(t.fd, NULL, 14, gpu, &h), 1);
    ck_assert_int_eq(h.pid, 300);
    ck_assert_str_eq(h.node, "a VFIO device");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 0); /* proves nothing of one device */
    /* who surely has it comes before who may have it */
    make_process(&t, 400, "vmm\n", "");
    make_fd(&t, 400, 4, "/dev/null");
    ck_assert_int_eq(holders_vfio(t.fd, NULL, 14, gpu, &h), 1);
    ck_assert_int_eq(h.pid, 400);
    ck_assert_str_eq(h.node, "/dev/null");
    unlinkat(t.fd, "proc/400/fd/4", 0);
    /* a kernel that tells which device it is */
    tree_write(&t, "proc/300/fdinfo/5",
               "pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0/0000:07:00.0\n");
    ck_assert_int_eq(holders_vfio(t.fd, NULL, 14, gpu, &h), 0);
    tree_write(&t, "proc/300/fdinfo/5",
               "pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0/0000:06:00.0\n");
    ck_assert_int_eq(holders_vfio(t.fd, NULL, 14, gpu, &h), 1);
    ck_assert_str_eq(h.node, "anon_inode:[vfio-device]");
    ck_assert_int_eq(holders_find(t.fd, NULL, &gpu, 1, &h), 1);
}
END_TEST

/* -- who, of the real processes of this machine -- */

/* A process that does as it is told and then waits; its end of the pipe says when it is ready. */
static pid_t start(int (*act)(void), int *ret)
{
    int ready[2];

    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ready[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "holder-test");
        int r = act();
        if (write(ready[1], &r, sizeof(r)) == sizeof(r))
            pause();
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], ret, sizeof(*ret)), sizeof(*ret));
    close(ready[0]);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int open_full(void)
{
    return open("/dev/full", O_RDONLY) < 0 ? -errno : 0;
}

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

    close(fd);
    return n < 0 ? -errno : 0;
}

/* Another mount namespace with a /dev of its own, where the node has another name. */
static int open_renamed(void)
{
    char map[32];
    uid_t uid = getuid();
    gid_t gid = getgid();

    if (unshare(CLONE_NEWNS) < 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            return -errno;
        snprintf(map, sizeof(map), "0 %u 1", uid);
        if (write_text("/proc/self/uid_map", map) < 0)
            return -EPERM;
        snprintf(map, sizeof(map), "0 %u 1", gid);
        if (write_text("/proc/self/setgroups", "deny") < 0 ||
            write_text("/proc/self/gid_map", map) < 0)
            return -EPERM;
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    int old = open("/dev/full", O_PATH);
    if (mount("none", "/dev", "tmpfs", 0, NULL) < 0)
        return -errno;
    close(open("/dev/renamed", O_CREAT | O_WRONLY, 0600));
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", old);
    if (mount(path, "/dev/renamed", NULL, MS_BIND, NULL) < 0)
        return -errno;
    close(old);
    return open("/dev/renamed", O_RDONLY) < 0 ? -errno : 0;
}

/* This machine's /proc below a made-up /sys, whose GPU has the number of /dev/full. */
static int make_half_real_host(struct tree *t)
{
    make_host(t);
    char path[96];
    snprintf(path, sizeof(path), "%s/proc", t->path);
    nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    tree_link(t, "proc", "/proc");
    tree_node(t, GPU "drm/card0", "1:7\n", "drm");
    int fd = open(t->path, O_PATH | O_DIRECTORY); /* not confined: the link leaves it */
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void check_real(int (*act)(void), const char *node)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP_CLOSE int fd = make_half_real_host(&t);
    struct holder h = {0};
    int r;

    pid_t pid = start(act, &r);
    CLEANUP_CLOSE int own = open("/dev/full", O_RDONLY); /* does not count */
    ck_assert_int_ge(own, 0);
    ck_assert_msg(r == 0, "the process could not set up what is tested: %s", strerror(-r));
    r = holders_find(fd, NULL, &gpu, 1, &h);
    ck_assert_int_eq(r, 1);
    ck_assert_int_eq(h.pid, pid);
    ck_assert_str_eq(h.command, "holder-test");
    ck_assert_str_eq(h.node, node);
    stop(pid);
    /* where there are processes that the test may not look at, that is said */
    r = holders_find(fd, NULL, &gpu, 1, &h);
    ck_assert_msg(r == 0 || r == -EACCES, "%d", r);
}

START_TEST(real_process)
{
    check_real(open_full, "/dev/full");
}
END_TEST

/* In a chroot, as packages are built in, the kernel makes no user namespace. */
START_TEST(real_process_in_another_mount_namespace)
{
    if (getenv("VFIO_BINDD_TEST_IN_CHROOT"))
        return;
    check_real(open_renamed, "/dev/renamed");
}
END_TEST

UNIT_MAIN("holders", only_named, by_another_path, any_call_fails, claimed_by_the_kernel,
          not_a_fellow_worker, nodes_in_the_folder, nodes_of_groups,
          children_of_a_bridge_are_not_its_own, nvidia, by_number, by_another_thread,
          not_seen_is_not_free, virtual_machines, real_process,
          real_process_in_another_mount_namespace)
