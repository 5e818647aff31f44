/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fact.h"

static const struct {
    const char *word, *words;
} facts[FACT_MAX] = {
    [FACT_NONE] = {"", ""},
    [FACT_LISTING] = {"listing", "list of devices"},
    [FACT_DRIVERS] = {"drivers", "list of drivers"},
    [FACT_BOOT] = {"boot", "end of the boot"},
    [FACT_MODULES] = {"modules", "parameters of vfio"},
    [FACT_IDENTITY] = {"identity", "modalias"},
    [FACT_DRIVER] = {"driver", "driver"},
    [FACT_GROUP] = {"group", "IOMMU group"},
    [FACT_IOMMU] = {"iommu", "virtual IOMMU"},
    [FACT_MEMBERS] = {"members", "IOMMU group's list of members"},
    [FACT_NODE] = {"node", "node in /dev/vfio"},
    [FACT_KIND] = {"kind", "virtual functions"},
    [FACT_DISPLAY] = {"display", "boot_vga"},
    [FACT_SLOT] = {"slot", "slot"},
    [FACT_SERIAL] = {"serial", "serial number"},
    [FACT_VARIANT] = {"variant", "variant driver"},
    [FACT_BARS] = {"bars", "memory in /proc/iomem"},
    [FACT_BAR_ADDRESSES] = {"bar-addresses", "BARs' addresses"},
    [FACT_USE] = {"use", "use by this host"},
    [FACT_BOOT_USE] = {"boot-use", "use in fstab, crypttab or the kernel command line"},
};

const char *fact_words(enum fact f)
{
    return facts[f].words;
}

const char *fact_word(enum fact f)
{
    return facts[f].word;
}

bool unknown_note(struct unknown *u, enum fact f, int r)
{
    if (fact_error(r) == 0)
        return false;
    if (u->fact == FACT_NONE)
        *u = (struct unknown){f, -r};
    return true;
}
