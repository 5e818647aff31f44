/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "failing.h"
#include "host/scan.h"

static const char *denied;

static int failing_call(const char *call, const char *path, int fd)
{
    (void)call;
    (void)fd;
    return denied && path && strstr(path, denied) ? EACCES : 0;
}

/* The node of a device is there only where the kernel makes such nodes; vfio-dev/ in /sys is there
 * in any case. */
START_TEST(device_nodes)
{
    CLEANUP(snapshot_done) struct snapshot s = {0};
    struct pci_addr a;
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_driver(&t, "vfio-pci");
    tree_device(&t, "0000:07:00.0", MODALIAS_A100, "vfio-pci", "15");
    tree_device(&t, "0000:07:00.1", MODALIAS_AUDIO, "vfio-pci", "15");
    tree_write(&t, "dev/vfio/15", "");
    ck_assert_int_eq(pci_addr_parse("0000:07:00.0", &a), 0);
    tree_write(&t, "sys/bus/pci/devices/0000:07:00.0/vfio-dev/vfio3/dev", "511:3\n");
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert(!s.device_nodes && !s.iommufd && !snapshot_find(&s, a)->cdev);
    tree_write(&t, "dev/vfio/devices/vfio3", "");
    ck_assert_int_eq(scan_device(t.fd, NULL, a, &s), 0);
    ck_assert(s.device_nodes && !s.iommufd);
    ck_assert_str_eq(snapshot_find(&s, a)->cdev, "vfio3");
    ck_assert(snapshot_find(&s, a)->node && !s.devices[1].cdev);
    tree_write(&t, "dev/iommu", "");
    ck_assert_int_eq(scan_bindings(t.fd, NULL, &a, 1, &s), 0);
    ck_assert(s.iommufd);
    ck_assert_str_eq(device_own_node(snapshot_find(&s, a)).s, "/dev/vfio/devices/vfio3");
    /* what is unknown stays as it was; what is gone is gone */
    denied = "dev/iommu";
    ck_assert_int_eq(scan_device(t.fd, NULL, a, &s), 0);
    ck_assert(s.iommufd && snapshot_find(&s, a)->unknown.fact == FACT_NODE);
    ck_assert_str_eq(snapshot_find(&s, a)->cdev, "vfio3");
    denied = NULL;
    unlinkat(t.fd, "dev/vfio/devices/vfio3", 0);
    ck_assert_int_eq(scan_bindings(t.fd, NULL, &a, 1, &s), 0);
    ck_assert(!snapshot_find(&s, a)->cdev && s.iommufd);
}
END_TEST

UNIT_MAIN("vfio-nodes", device_nodes)
