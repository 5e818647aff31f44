/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/sources.h"

void import_sources(struct found *f)
{
    import_driverctl(f);
    import_dpdk(f);
    import_udev(f);
    import_cmdline(f);
    import_modprobe(f);
    import_harvester(f);
    import_proxmox(f);
    import_libvirt(f);
}
