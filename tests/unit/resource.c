/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/resource.h"

#define LONG_40 "0123456789012345678901234567890123456789"

START_TEST(valid)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"nvidia.com/gpu_dev1", true},
        {"nvidia.com/GA100_A100_PCIE_40GB", true},
        {"a-b.c0.d/x", true},
        {"nvidia.com/" LONG_40 "0123456789", true}, /* 61 */
        {"nvidia.com/" LONG_40 "0123456789a", false},
        {"", false},
        {"gpu", false},
        {"/gpu", false},
        {"nvidia.com/", false},
        {"nvidia/gpu", false},
        {"Nvidia.com/gpu", false},
        {"nvidia..com/gpu", false},
        {"nvidia.com./gpu", false},
        {".com/gpu", false},
        {"nvidia.-com/gpu", false},
        {"nvidia-.com/gpu", false},
        {"-nvidia.com/gpu", false},
        {"nvi_dia.com/gpu", false},
        {"requests.nvidia.com/gpu", false},
        {"nvidia.com/gpu/1", false},
        {"nvidia.com/gpu 1", false},
        {"nvidia.com/_gpu", false},
        {"nvidia.com/gpu-", false},
        {"nvidia.com/g", true},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        ck_assert_msg(resource_is_valid(cases[i].name) == cases[i].valid, "%s", cases[i].name);
}
END_TEST

START_TEST(reserved)
{
    ck_assert(resource_is_reserved("kubernetes.io/gpu"));
    ck_assert(resource_is_reserved("devices.kubernetes.io/gpu"));
    ck_assert(!resource_is_reserved("mykubernetes.io/gpu"));
    ck_assert(!resource_is_reserved("nvidia.com/kubernetes.io"));
}
END_TEST

START_TEST(collisions)
{
    ck_assert(resource_collides("nvidia.com/gpu.dev1", "nvidia.com/GPU_DEV1"));
    ck_assert(resource_collides("a.b/c", "a.b.c/d") == false);
    ck_assert(resource_collides("a.b/c.d", "a.b.c/d"));
    ck_assert(!resource_collides("nvidia.com/gpu", "nvidia.com/gpu"));
    ck_assert(!resource_collides("nvidia.com/gpu", "nvidia.com/gpu1"));
    ck_assert(!resource_collides("nvidia.com/gpu-1", "nvidia.com/gpu_1"));
}
END_TEST

START_TEST(defaults)
{
    static const struct {
        uint16_t vendor, device;
        const char *model, *name;
    } cases[] = {
        {0x10de, 0x20f1, "GA100 [A100 PCIe 40GB]", "nvidia.com/GA100_A100_PCIE_40GB"},
        {0x10de, 0x1eb8, "TU104GL [Tesla T4]", "nvidia.com/TU104GL_TESLA_T4"},
        {0x10de, 0x1e87, "TU104 [GeForce RTX 2080 Rev. A]",
         "nvidia.com/TU104_GEFORCE_RTX_2080_REV__A"},
        {0x1002, 0x73bf, "Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]",
         "amd.com/NAVI_21_RADEON_RX_6800_6800_XT___6900_XT"},
        {0x8086, 0x1572, "Ethernet Controller X710 for 10GbE SFP+",
         "intel.com/ETHERNET_CONTROLLER_X710_FOR_10GBE_SFP"},
        {0x10de, 0x0001, "a\t  b-c", "nvidia.com/A_BC"},
        {0x10de, 0x0001, ".x.", "nvidia.com/X"},
        {0x10de, 0x20f1, NULL, "nvidia.com/20f1"},
        {0x10de, 0x20f1, "[...]", "nvidia.com/20f1"},
        {0x144d, 0xa808, NULL, "vfio-bindd.local/144d_a808"},
        {0x144d, 0xa808, "NVMe SSD", "vfio-bindd.local/NVME_SSD"},
        {0x10de, 1, LONG_40 LONG_40, "nvidia.com/" LONG_40 "0123456789"},
        {0x10de, 1, LONG_40 "12345678 x", "nvidia.com/" LONG_40 "12345678_X"},
        {0x10de, 1, LONG_40 "123456789 x", "nvidia.com/" LONG_40 "123456789"},
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char name[RESOURCE_NAME_MAX + 1];
        resource_default(cases[i].vendor, cases[i].device, cases[i].model, name);
        ck_assert_str_eq(name, cases[i].name);
        ck_assert(resource_is_valid(name));
    }
}
END_TEST

UNIT_MAIN("resource", valid, reserved, collisions, defaults)
