/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker does and leaves alone, on a made-up host of regular files. */
#include "tree.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include "failing-path.h"
#include "write/hold.h"
#include "write/perform.h"

#define GPU "0000:06:00.0"
#define DEVICE "sys/bus/pci/devices/" GPU

static int do_op(const struct tree *t, enum action_kind kind, const char *driver,
                 struct perform_state *s)
{
    struct op op = {.kind = kind};

    ck_assert_int_eq(pci_addr_parse(GPU, &op.addr), 0);
    op.driver = driver;
    return perform(t->fd, &op, s);
}

/* -- who has it -- */

static int check(const struct tree *t, char found[static FOUND_MAX])
{
    struct perform_state s = PERFORM_STATE_NONE;

    s.found = found;
    *found = '\0';
    return do_op(t, ACTION_CHECK, "", &s);
}

START_TEST(users_make_it_busy)
{
    CLEANUP(tree_done) struct tree t;
    char found[FOUND_MAX];

    tree_init(&t);
    tree_device(&t, GPU, MODALIAS_A100, "nvidia", "14");
    tree_write(&t, DEVICE "/drm/card0/dev", "1:3\n");
    tree_write(&t, "proc/1/comm", "systemd\n");
    tree_link(&t, "proc/1/fd/0", "/dev/zero");
    ck_assert_int_eq(check(&t, found), 0);
    ck_assert_str_eq(found, "");
    tree_write(&t, "proc/200/comm", "Xorg\n");
    tree_write(&t, "proc/200/cgroup", "0::/system.slice/gdm.service\n");
    tree_link(&t, "proc/200/fd/7", "/dev/null");
    ck_assert_int_eq(check(&t, found), -EBUSY);
    ck_assert_str_eq(found, "Xorg (PID 200, gdm.service) has /dev/null open");
}
END_TEST

START_TEST(not_permitted_to_look_is_tried_again)
{
    CLEANUP(tree_done) struct tree t;
    char found[FOUND_MAX];

    tree_init(&t);
    tree_device(&t, GPU, MODALIAS_A100, "nvidia", "14");
    tree_write(&t, DEVICE "/drm/card0/dev", "1:3\n");
    tree_link(&t, "proc/200/fd/0", "/dev/zero"); /* but no init: hidden */
    ck_assert_int_eq(check(&t, found), -EAGAIN);
    ck_assert_str_eq(
        found,
        "who uses it could not be seen (vfio-bindd-holders.socket: the socket is not there)");
}
END_TEST

/* A device that we have by a dynamic ID alone may be another's by an override. */
START_TEST(overrides_of_others_stay)
{
    static const struct {
        const char *override, *ours, *found;
        bool is_cleared;
    } cases[] = {
        {"(null)", "vfio-pci", "", false},
        {PLACEHOLDER_NAME, "vfio-pci", "", true},
        {"vfio-pci", "vfio-pci", "somebody else set its driver_override to vfio-pci", true},
        {"uio_pci_generic", "vfio-pci", "somebody else set its driver_override to uio_pci_generic",
         false},
        {"uio_pci_generic", "", "somebody else set its driver_override to uio_pci_generic", true},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct perform_state s = PERFORM_STATE_NONE;
        char found[FOUND_MAX] = "";

        s.found = found;
        tree_init(&t);
        tree_device(&t, GPU, MODALIAS_A100, "vfio-pci", "14");
        tree_write(&t, DEVICE "/driver_override", cases[i].override);
        ck_assert_int_eq(do_op(&t, ACTION_CHECK, "vfio-pci", &s), *cases[i].found ? -EBUSY : 0);
        ck_assert_str_eq(found, cases[i].found);
        ck_assert_int_eq(do_op(&t, ACTION_CLEAR, cases[i].ours, &s), 0);
        CLEANUP_FREE char *left = tree_read(&t, DEVICE "/driver_override");
        ck_assert_msg((*left == '\n') == cases[i].is_cleared, "case %zu: %s", i, left);
    }
}
END_TEST

START_TEST(an_unreadable_override_may_be_anothers)
{
    CLEANUP(tree_done) struct tree t;
    struct perform_state s = PERFORM_STATE_NONE;
    char found[FOUND_MAX] = "";

    s.found = found;
    tree_init(&t);
    ck_assert_int_eq(do_op(&t, ACTION_CHECK, "vfio-pci", &s), -EAGAIN);
    ck_assert_str_eq(found, "its driver_override could not be read (No such file or directory)");
    ck_assert_int_eq(do_op(&t, ACTION_CLEAR, "vfio-pci", &s), -ENOENT);
}
END_TEST

/* While the group is open no virtual machine can take it. */
START_TEST(a_group_is_kept_until_the_job_is_done)
{
    CLEANUP(tree_done) struct tree t;
    struct perform_state s = PERFORM_STATE_NONE;
    char found[FOUND_MAX] = "";

    s.found = found;
    tree_init(&t);
    ck_assert_int_eq(do_op(&t, ACTION_HOLD, "14", &s), -ENOENT);
    ck_assert(!s.hold);
    tree_write(&t, "dev/vfio/14", "");
    ck_assert_int_eq(do_op(&t, ACTION_HOLD, "14", &s), 0);
    ck_assert(s.hold && !hold_is_by_devices(s.hold));
    perform_state_done(&s);
    /* by the devices' own nodes: all of them, none without /dev/iommu (lab: device-nodes) */
    unlinkat(t.fd, "dev/vfio/14", 0);
    tree_write(&t, "sys/kernel/iommu_groups/14/devices/0000:06:00.0", "");
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/vfio-dev/vfio3/dev", "511:3\n");
    s = PERFORM_STATE_NONE;
    s.found = found;
    ck_assert_int_eq(do_op(&t, ACTION_HOLD, "14", &s), -ENOENT);
    tree_write(&t, "dev/iommu", "");
    ck_assert_int_eq(do_op(&t, ACTION_HOLD, "14", &s), -ENOENT);
    tree_write(&t, "dev/vfio/devices/vfio3", "");
    ck_assert_int_eq(do_op(&t, ACTION_HOLD, "14", &s), -ENOTTY); /* a file is no VFIO device */
    ck_assert(!s.hold);
}
END_TEST

/* 64 bytes of configuration space that begin with these. */
static void write_config(struct tree *t, unsigned char vendor, unsigned char rest)
{
    unsigned char config[64] = {vendor, rest == 0xff ? 0xff : 0x10, 0xf1, 0x20};

    memset(config + 4, rest, sizeof(config) - 4);
    if (rest == 0xff)
        memset(config, 0xff, 4);
    int fd = openat(t->fd, "sys/bus/pci/devices/0000:06:00.0/config", O_WRONLY | O_CREAT, 0644);
    ck_assert(fd >= 0 && write(fd, config, sizeof(config)) == sizeof(config));
    close(fd);
}

START_TEST(a_dead_device_is_told)
{
    CLEANUP(tree_done) struct tree t;
    struct perform_state s = PERFORM_STATE_NONE;

    tree_init(&t);
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), -ENOENT);
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/vendor", "0x10de\n");
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/device", "0x20f1\n");
    write_config(&t, 0xde, 1);
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), 0);
    write_config(&t, 0xde, 0xff); /* fallen off the bus */
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), -EIO);
    write_config(&t, 0xdd, 1); /* lost its firmware, say */
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), -EIO);
    failing.error = ENOMEM;
    failing.part = "vendor"; /* then it is not known */
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), -ENOMEM);
    failing.part = "physfn";
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), -ENOMEM);
    failing.part = NULL;
    tree_link(&t, "sys/bus/pci/devices/0000:06:00.0/physfn", "../0000:05:00.0");
    ck_assert_int_eq(do_op(&t, ACTION_TEST, "", &s), 0); /* has no ID of its own */
}
END_TEST

START_TEST(reset_method_is_read_back)
{
    CLEANUP(tree_done) struct tree t;
    struct perform_state s = PERFORM_STATE_NONE;

    tree_init(&t);
    ck_assert_int_eq(do_op(&t, ACTION_RESET_METHOD, "flr bus", &s), -ENOENT);
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/reset_method", "bus\n");
    ck_assert_int_eq(do_op(&t, ACTION_RESET_METHOD, "flr bus", &s), 0);
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/reset_method", "flr bus pm\n");
    ck_assert_int_eq(do_op(&t, ACTION_RESET_METHOD, "pm", &s), -EILSEQ); /* a file keeps the rest */
}
END_TEST

/* What was plugged in just now may fall to an entry before it can be given to its own driver. */
START_TEST(taken_by_another_meanwhile)
{
    static const struct {
        const char *driver;
        int wanted;
    } cases[] = {{NULL, 0}, {"nvidia", 0}, {"vfio-pci", -EBUSY}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct perform_state s = PERFORM_STATE_NONE;

        tree_init(&t);
        tree_device(&t, GPU, MODALIAS_A100, cases[i].driver, "14");
        ck_assert_int_eq(do_op(&t, ACTION_NATIVE, "nouveau", &s), cases[i].wanted);
        ck_assert(!s.asked); /* there is no such driver */
        tree_write(&t, "sys/bus/pci/drivers/nouveau/bind", "");
        ck_assert_int_eq(do_op(&t, ACTION_NATIVE, "nouveau", &s), cases[i].wanted);
        ck_assert(s.asked);
    }
}
END_TEST

/* The folders of modules and drivers, with an nvidia that suits the device. */
static void put_native(const struct tree *t)
{
    struct utsname u;
    char path[256];

    ck_assert_int_eq(uname(&u), 0);
    snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", u.release);
    tree_write(t, path, "alias pci:v000010DEd*sv*sd*bc03sc02i00* nvidia\n");
    tree_driver(t, "nvidia");
    tree_link(t, "sys/module/nvidia/drivers/pci:nvidia", "x");
}

/* It is not handed back if it is not known to which driver. */
START_TEST(an_unknown_native_driver_is_no_success)
{
    static const struct {
        const char *part;
        int error, wanted;
    } cases[] = {{"modalias", ENOMEM, -ENOMEM},
                 {"modules.alias", EMFILE, -EMFILE},
                 {"modules.alias", ENOENT, 0},
                 {"sys/module/nvidia/drivers", EMFILE, -EMFILE},
                 {"sys/module/nvidia/drivers", ENOENT, 0},
                 {GPU "/driver", ENOMEM, -ENOMEM}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct perform_state s = PERFORM_STATE_NONE;

        tree_init(&t);
        tree_device(&t, GPU, MODALIAS_A100, NULL, "14");
        put_native(&t);
        failing.part = cases[i].part;
        failing.error = cases[i].error;
        ck_assert_msg(do_op(&t, ACTION_NATIVE, "", &s) == cases[i].wanted, "case %zu", i);
        ck_assert_msg(do_op(&t, ACTION_OFFER, "", &s) == cases[i].wanted, "offer, case %zu", i);
        failing.part = NULL;
    }
}
END_TEST

/* -- dynamic IDs -- */

START_TEST(placeholders_spare_what_is_not_ours)
{
    static const struct {
        const char *driver, *before, *held, *cleared;
    } cases[] = {
        {NULL, "", PLACEHOLDER_NAME, "\n"},
        {NULL, "(null)", PLACEHOLDER_NAME, "\n"},
        {NULL, "pci-stub", "pci-stub", "pci-stub"}, /* somebody else's */
        {"nvidia", "", "", ""},                     /* nobody takes it from there */
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct perform_state s = PERFORM_STATE_NONE;

        tree_init(&t);
        tree_device(&t, GPU, MODALIAS_A100, cases[i].driver, "14");
        tree_write(&t, DEVICE "/driver_override", cases[i].before);
        ck_assert_int_eq(do_op(&t, ACTION_SET_PLACEHOLDER, "", &s), 0);
        CLEANUP_FREE char *held = tree_read(&t, DEVICE "/driver_override");
        ck_assert_msg(strncmp(held, cases[i].held, strlen(cases[i].held)) == 0 &&
                          !*held == !*cases[i].held,
                      "case %zu: %s", i, held);
        /* a regular file is not cut off as the kernel's is */
        tree_write(&t, DEVICE "/driver_override", cases[i].held);
        ck_assert_int_eq(do_op(&t, ACTION_CLEAR_PLACEHOLDER, "", &s), 0);
        CLEANUP_FREE char *cleared = tree_read(&t, DEVICE "/driver_override");
        ck_assert_msg(strncmp(cleared, cases[i].cleared, strlen(cases[i].cleared)) == 0 &&
                          !*cleared == !*cases[i].cleared,
                      "case %zu: %s", i, cleared);
    }
}
END_TEST

/* Drivers that passed it by are newer than those that had it offered. */
START_TEST(offered_to_who_passed_it_by)
{
    static const struct {
        const char *driver; /* that has it by then */
        int newer;          /* than what it was offered to: how the numbers differ; 0: not known */
        bool offered;
    } cases[] = {{NULL, 1, true}, {NULL, -1, false}, {NULL, 0, true}, {"other", 1, false}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(tree_done) struct tree t;
        struct perform_state s = PERFORM_STATE_NONE;
        struct op op = {.kind = ACTION_OFFER};
        struct stat st;
        tree_init(&t);
        tree_device(&t, GPU, MODALIAS_A100, cases[i].driver, "14");
        put_native(&t);
        ck_assert_int_eq(fstatat(t.fd, "sys/bus/pci/drivers/nvidia", &st, 0), 0);
        ck_assert_int_eq(pci_addr_parse(GPU, &op.addr), 0);
        op.order = cases[i].newer ? st.st_ino - (uint64_t)cases[i].newer : 0;
        ck_assert_int_eq(perform(t.fd, &op, &s), 0);
        CLEANUP_FREE char *bound = tree_read(&t, "sys/bus/pci/drivers/nvidia/bind");
        ck_assert_msg(streq(bound, cases[i].offered ? GPU : ""), "case %zu: %s", i, bound);
        ck_assert(s.asked == cases[i].offered);
    }
}
END_TEST

START_TEST(what_is_gone_need_not_be_undone)
{
    CLEANUP(tree_done) struct tree t;
    struct perform_state s = PERFORM_STATE_NONE;

    tree_init(&t);
    ck_assert_int_eq(do_op(&t, ACTION_CLEAR_PLACEHOLDER, "", &s), 0);
    ck_assert_int_eq(do_op(&t, ACTION_REMOVE_ID, "10de 20f1 ffffffff ffffffff 0 0 0", &s), 0);
    ck_assert_int_lt(do_op(&t, ACTION_NEW_ID, "10de 20f1 ffffffff ffffffff 0 0 0", &s), 0);
}
END_TEST

UNIT_MAIN("perform", taken_by_another_meanwhile, an_unknown_native_driver_is_no_success,
          users_make_it_busy, not_permitted_to_look_is_tried_again, overrides_of_others_stay,
          an_unreadable_override_may_be_anothers, a_group_is_kept_until_the_job_is_done,
          placeholders_spare_what_is_not_ours, offered_to_who_passed_it_by,
          what_is_gone_need_not_be_undone, a_dead_device_is_told, reset_method_is_read_back)
