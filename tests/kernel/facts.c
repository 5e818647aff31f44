/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the drivers in the lab's guests are like, as far as their tables concern its devices. */
#include "kernel.h"

#include <string.h>

#define ANY .subvendor = ANY_ID, .subdevice = ANY_ID

static const struct pci_id every[] = {
    {.vendor = ANY_ID, .device = ANY_ID, ANY, .override_only = true},
};
static const struct pci_id displays[] = {
    {.vendor = 0x10de, .device = ANY_ID, ANY, .class_code = 0x030000, .class_mask = ANY_ID},
    {.vendor = 0x10de, .device = ANY_ID, ANY, .class_code = 0x030200, .class_mask = ANY_ID},
};
static const struct pci_id a100s[] = {{.vendor = 0x10de, .device = 0x20f1, ANY}};
static const struct pci_id variants[] = {
    {.vendor = 0x10de, .device = 0x20f1, ANY, .override_only = true},
};
static const struct pci_id audio[] = {
    {.vendor = 0x10de, .device = ANY_ID, ANY, .class_code = 0x040300, .class_mask = 0xffffff},
};
static const struct pci_id lpc[] = {{.vendor = 0x8086, .device = 0x2918, ANY}};
static const struct pci_id smbus[] = {{.vendor = 0x8086, .device = 0x2930, ANY}};
static const struct pci_id sata[] = {{.vendor = 0x8086, .device = 0x2922, ANY}};
static const struct pci_id bridges[] = {
    {.vendor = ANY_ID, .device = ANY_ID, ANY, .class_code = 0x060400, .class_mask = ANY_ID},
};

#define KIND(n, m, i) .name = (n), .module = (m), .ids = (i), .n_ids = sizeof(i) / sizeof((i)[0])

const struct driver_kind fact_kinds[] = {
    {KIND("pcieport", NULL, bridges), .managed_dma = true},
    {.name = "pci-stub", .module = "pci_stub", .managed_dma = true},
    {KIND("vfio-pci", "vfio_pci", every), .is_vfio = true, .managed_dma = true},
    {KIND("lab-vfio-pci", "lab_vfio_pci", variants), .is_vfio = true, .managed_dma = true},
    {KIND("nvidia", "nvidia", displays)},
    {KIND("snd_hda_intel", "snd_hda_intel", audio), .no_zero_data = true},
    {KIND("lpc_ich", "lpc_ich", lpc)},
    {KIND("i801_smbus", "i2c_i801", smbus)},
    {KIND("ahci", "ahci", sata)},
    {KIND("lab-fails", "lab_fails", a100s), .probe_error = 5},
    {KIND("lab-sealed", "lab_sealed", a100s), .no_bind_files = true},
};
const size_t n_fact_kinds = sizeof(fact_kinds) / sizeof(fact_kinds[0]);

const struct driver_kind *fact_of_module(const char *module)
{
    for (size_t i = 0; i < n_fact_kinds; i++)
        if (fact_kinds[i].module && strcmp(fact_kinds[i].module, module) == 0)
            return &fact_kinds[i];
    return NULL;
}

const struct driver_kind *fact_of_driver(const char *name)
{
    for (size_t i = 0; i < n_fact_kinds; i++)
        if (strcmp(fact_kinds[i].name, name) == 0)
            return &fact_kinds[i];
    return NULL;
}
