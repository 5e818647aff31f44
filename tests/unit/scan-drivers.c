/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of drivers. */
#include "tree.h"

#include <sys/stat.h>

#include "host/scan-host.h"
#include "host/scan.h"

START_TEST(a_driver_that_cannot_be_unbound)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};

    tree_init(&t);
    tree_driver(&t, "nvidia");
    tree_driver(&t, "fixed");
    tree_device(&t, "0000:06:00.0", MODALIAS_A100, "nvidia", "14");
    tree_device(&t, "0000:07:00.0", MODALIAS_A100, "fixed", "15");
    tree_write(&t, "sys/bus/pci/drivers/nvidia/uevent", "");
    tree_write(&t, "sys/bus/pci/drivers/fixed/uevent", "");
    ck_assert_int_eq(unlinkat(t.fd, "sys/bus/pci/drivers/fixed/unbind", 0), 0);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert(!s.devices[0].fixed && s.devices[1].fixed);
}
END_TEST

static uint64_t folder_number(const struct tree *t, const char *path)
{
    struct stat st;

    ck_assert_int_eq(fstatat(t->fd, path, &st, 0), 0);
    return st.st_ino;
}

/* The files come at the end, "bind" as the last. */
START_TEST(a_driver_that_is_being_registered)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};

    tree_init(&t);
    tree_driver(&t, "nvidia");
    tree_write(&t, "sys/bus/pci/drivers/fixed/uevent", ""); /* never has "bind" */
    tree_write(&t, "sys/bus/pci/drivers/vfio-pci/uevent", "");
    tree_write(&t, "sys/bus/pci/drivers/amdgpu/0000:06:00.0", "");
    const uint64_t vfio = folder_number(&t, "sys/bus/pci/drivers/vfio-pci");
    const uint64_t amdgpu = folder_number(&t, "sys/bus/pci/drivers/amdgpu");
    ck_assert_int_eq(scan_drivers(t.fd, &s), 0);
    ck_assert(snapshot_is_registered(&s, "nvidia") && snapshot_is_registered(&s, "fixed"));
    ck_assert(!snapshot_is_registered(&s, "vfio-pci") && !snapshot_is_registered(&s, "amdgpu"));
    ck_assert_uint_eq(s.registering, vfio < amdgpu ? vfio : amdgpu);
    tree_driver(&t, "vfio-pci");
    ck_assert_int_eq(scan_drivers(t.fd, &s), 0);
    ck_assert(snapshot_is_registered(&s, "vfio-pci"));
    ck_assert_uint_eq(s.registering, amdgpu);
    tree_driver(&t, "amdgpu");
    ck_assert_int_eq(scan_drivers(t.fd, &s), 0);
    ck_assert_uint_eq(snapshot_order(&s, "amdgpu"), amdgpu);
    ck_assert_uint_eq(s.registering, 0);
    /* Not looked at again, except for VFIO's. */
    ck_assert_int_eq(unlinkat(t.fd, "sys/bus/pci/drivers/amdgpu/bind", 0), 0);
    ck_assert_int_eq(unlinkat(t.fd, "sys/bus/pci/drivers/vfio-pci/bind", 0), 0);
    ck_assert_int_eq(scan_drivers(t.fd, &s), 0);
    ck_assert(snapshot_is_registered(&s, "amdgpu") && !snapshot_is_registered(&s, "vfio-pci"));
}
END_TEST

UNIT_MAIN("scan-drivers", a_driver_that_cannot_be_unbound, a_driver_that_is_being_registered)
