/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drivers of the made-up hosts, beside those that the model of the kernel knows from the lab.
 */
#include "host.h"

#define ID(v, d)                                                               \
    {                                                                          \
        .vendor = (v), .device = (d), .subvendor = ANY_ID, .subdevice = ANY_ID \
    }

static const struct pci_id fpgas[] = {ID(0x10ee, 0x9038)};
static const struct pci_id nics[] = {ID(0x8086, 0x10d3)};
static const struct pci_id physical[] = {ID(0x8086, 0x1572)};
static const struct pci_id virtual[] = {ID(0x8086, 0x154c)};
static const struct pci_id disks[] = {{.vendor = ANY_ID,
                                       .device = ANY_ID,
                                       .subvendor = ANY_ID,
                                       .subdevice = ANY_ID,
                                       .class_code = 0x010802,
                                       .class_mask = 0xffffff}};
static const struct pci_id variants[] = {{.vendor = 0x8086,
                                          .device = 0x10d3,
                                          .subvendor = ANY_ID,
                                          .subdevice = ANY_ID,
                                          .override_only = true}};

#define KIND(n, i) .name = (n), .module = (n), .ids = (i), .n_ids = ELEMENTS(i)

static const struct driver_kind kinds[] = {
    {KIND("fpga", fpgas)},
    {KIND("e1000e", nics)},
    {KIND("mlx5_core", nics)},
    {KIND("nvme", disks)},
    {KIND("i40e", physical)},
    {KIND("iavf", virtual)},
    {KIND("mlx5_vfio_pci", variants), .is_vfio = true, .managed_dma = true},
};

const struct driver_kind *kind_of(const char *driver)
{
    for (size_t i = 0; i < ELEMENTS(kinds); i++)
        if (streq(kinds[i].name, driver))
            return &kinds[i];
    return fact_of_driver(driver);
}
