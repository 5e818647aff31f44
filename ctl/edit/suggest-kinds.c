/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/suggest-kinds.h"

#include "base/util.h"

enum { GPU, NVSWITCH, FPGA, OFFLOAD, NETWORK, INFINIBAND, NVME, STORAGE, USB };

const struct suggest_kind suggest_kinds[] = {
    [GPU] = {.name = NULL},
    [NVSWITCH] = {.name = "nvswitch",
                  .about =
                      "NVSwitches connect the GPUs of this board. They stay with the host (nvidia "
                      "and its fabric manager), or all of them go to one service virtual machine.",
                  .together = true},
    [FPGA] = {.name = "fpga",
              .about = "FPGAs: the host may program them itself, through a separate function."},
    [OFFLOAD] = {.name = "offload",
                 .about = "Engines of the chipset or processor for cryptography, compression and "
                          "copies (QAT, DSA, IAA): the host's kernel may use them, and can divide "
                          "them into virtual functions."},
    [NETWORK] = {.name = "nic",
                 .about = "Network cards: the host may need them for its own network."},
    [INFINIBAND] = {.name = "ib",
                    .about =
                        "InfiniBand adapters: the host may need them for its storage and network."},
    [NVME] = {.name = "nvme", .about = "NVMe disks: they may contain the host's own file systems."},
    [STORAGE] = {.name = "hba", .about = "Storage adapters, together with all of their disks."},
    [USB] = {.name = "usb",
             .about = "USB controllers, together with all devices on them, such as the keyboard."},
};
const size_t n_suggest_kinds = ELEMENTS(suggest_kinds);

/* The first match decides. */
static const struct {
    unsigned class, mask; /* base class and subclass */
    uint16_t vendor;      /* 0: any */
    uint16_t device, device_mask;
    int kind;
} fits[] = {
    {0x0680, 0xffff, 0x10de, 0, 0, NVSWITCH},
    {0x1200, 0xff00, 0x10ee, 0, 0, FPGA}, /* AMD (Xilinx) Alveo */
    {0x1200, 0xff00, 0x1172, 0, 0, FPGA}, /* Altera */
    {0x1200, 0xff00, 0x8086, 0x09c4, 0xffff, FPGA},
    {0x1200, 0xff00, 0x8086, 0x0b30, 0xffff, FPGA}, /* N3000 */
    {0x1200, 0xff00, 0x8086, 0xbcce, 0xffff, FPGA}, /* D5005, N6000 */
    {0x0b40, 0xffff, 0x8086, 0x2250, 0xfff0, GPU},  /* Xeon Phi */
    {0x0b40, 0xffff, 0x8086, 0x2260, 0xfff0, GPU},
    {0x0b40, 0xffff, 0x8086, 0, 0, OFFLOAD},           /* QAT */
    {0x0b40, 0xffff, 0, 0, 0, GPU},                    /* NEC's vector engines, for example */
    {0x0880, 0xffff, 0x8086, 0x0b25, 0xffff, OFFLOAD}, /* DSA */
    {0x0880, 0xffff, 0x8086, 0x0cfe, 0xffff, OFFLOAD}, /* IAA */
    {0x0300, 0xff00, 0, 0, 0, GPU},
    {0x1200, 0xff00, 0, 0, 0, GPU},
    {0x0207, 0xffff, 0, 0, 0, INFINIBAND},
    {0x0c06, 0xffff, 0, 0, 0, INFINIBAND},
    {0x0200, 0xff00, 0, 0, 0, NETWORK},
    {0x0108, 0xffff, 0, 0, 0, NVME},
    {0x0100, 0xff00, 0, 0, 0, STORAGE},
    {0x0c04, 0xffff, 0, 0, 0, STORAGE}, /* Fibre Channel */
    {0x0c03, 0xffff, 0, 0, 0, USB},
};

const struct suggest_kind *suggest_kind_of(const struct device *d)
{
    for (size_t i = 0; i < ELEMENTS(fits) && !d->bridge; i++)
        if ((d->class_code >> 8 & fits[i].mask) == fits[i].class &&
            (fits[i].vendor == 0 || fits[i].vendor == d->vendor) &&
            (d->device & fits[i].device_mask) == fits[i].device)
            return &suggest_kinds[fits[i].kind];
    return NULL;
}
