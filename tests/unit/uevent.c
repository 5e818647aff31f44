/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "loop/uevent.h"

START_TEST(what_events_mean)
{
    static const struct {
        const char *action, *name, *synth;
        int wanted; /* -1: none of ours */
        struct pci_addr addr;
    } cases[] = {
        {"add", "0000:06:00.0", NULL, HOTPLUG_ADD, {0, 6, 0, 0}},
        {"remove", "10000:01:1f.7", NULL, HOTPLUG_REMOVE, {0x10000, 1, 31, 7}},
        {"bind", "0000:06:00.1", NULL, HOTPLUG_BIND, {0, 6, 0, 1}},
        {"unbind", "0000:06:00.1", NULL, HOTPLUG_UNBIND, {0, 6, 0, 1}},
        {"change", "0000:06:00.0", NULL, -1, {0}},
        {"ADD", "0000:06:00.0", NULL, -1, {0}},
        {"", "0000:06:00.0", NULL, -1, {0}},
        {NULL, "0000:06:00.0", NULL, -1, {0}},
        {"add", NULL, NULL, -1, {0}},
        {"add", "", NULL, -1, {0}},
        {"add", "0000:00:1c.0:pcie004", NULL, -1, {0}},
        {"add", "0000:06:00.8", NULL, -1, {0}},
        {"add", "0000:06:00.0", "0", -1, {0}},
        {"bind", "0000:06:00.0", "fe4d7c9d-b8c6-4a70-9ef1-3d8a58d18eed", -1, {0}},
        {"remove", "0000:06:00.0", "", -1, {0}},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct pci_addr a = {0};
        enum hotplug_action action;
        bool ours = uevent_read(cases[i].action, cases[i].name, cases[i].synth, NULL, &action, &a);
        ck_assert_msg(ours == (cases[i].wanted >= 0), "case %zu", i);
        ck_assert_msg(!ours || (int)action == cases[i].wanted, "case %zu", i);
        ck_assert_msg(pci_addr_cmp(a, cases[i].addr) == 0, "case %zu", i);
    }
}
END_TEST

/* The kernel tells by "change" how it dealt with an error of the device. */
START_TEST(errors)
{
    enum hotplug_action action = HOTPLUG_ADD;
    struct pci_addr a;

    ck_assert(!uevent_read("change", "0000:06:00.0", NULL, "BEGIN_RECOVERY", &action, &a));
    ck_assert(!uevent_read("change", "0000:06:00.0", NULL, "SUCCESSFUL_RECOVERY", &action, &a));
    ck_assert(!uevent_read("change", "0000:06:00.0", "0", "FAILED_RECOVERY", &action, &a));
    ck_assert(uevent_read("change", "0000:06:00.0", NULL, "FAILED_RECOVERY", &action, &a));
    ck_assert_int_eq(action, HOTPLUG_DOUBT);
}
END_TEST

/* vfio-pci's table goes with it, without any event of a device. */
START_TEST(drivers_of_the_bus)
{
    ck_assert(uevent_is_driver("drivers", "/bus/pci/drivers/vfio-pci"));
    ck_assert(!uevent_is_driver("drivers", "/bus/usb/drivers/usbhid"));
    ck_assert(!uevent_is_driver("pci", "/bus/pci/drivers/vfio-pci"));
    ck_assert(!uevent_is_driver(NULL, "/bus/pci/drivers/vfio-pci"));
    ck_assert(!uevent_is_driver("drivers", NULL));
}
END_TEST

START_TEST(iommu_at_work)
{
    ck_assert(uevent_is_iommu("bind", "virtio", "virtio_iommu"));
    ck_assert(!uevent_is_iommu("add", "virtio", "virtio_iommu"));
    ck_assert(!uevent_is_iommu("bind", "virtio", "virtio_blk"));
    ck_assert(!uevent_is_iommu("bind", "pci", "virtio_iommu"));
    ck_assert(!uevent_is_iommu("bind", "virtio", NULL));
    ck_assert(!uevent_is_iommu(NULL, NULL, NULL));
}
END_TEST

UNIT_MAIN("uevent", what_events_mean, drivers_of_the_bus, iommu_at_work, errors)
