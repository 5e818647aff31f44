/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: does the firmware describe an IOMMU, is the IOMMU on, and does it remap interrupts? */
#include "check/boot.h"
#include "check/files.h"
#include "check/modules.h"
#include "check/parts.h"
#include "host/scan-host.h"
#include "host/viommu.h"

#define TABLES "sys/firmware/acpi/tables"

/* The name of the technology in the firmware, and its ACPI tables, one of which is sufficient. */
static const struct {
    const char *iommu, *switch_name;
    const char *tables[5]; /* the last one is NULL */
} cpus[] = {
    [CPU_INTEL] = {"Intel VT-d", "Intel VT-d", {"DMAR"}},
    [CPU_AMD] = {"AMD-Vi", "IOMMU (AMD-Vi), under NBIO or chipset", {"IVRS"}},
    [CPU_ARM] = {"Arm SMMU", "the SMMU", {"IORT"}},
    [CPU_OTHER] = {"an IOMMU", "the IOMMU", {"DMAR", "IVRS", "IORT"}},
};

static bool is_guest(struct check *c)
{
    CLEANUP_FREE char *info = check_read(c, "proc/cpuinfo");

    return info && strstr(info, " hypervisor");
}

static void to_firmware(struct check *c, const char *what)
{
    if (is_guest(c))
        check_remedy(c,
                     "# this is itself a virtual machine: give it a virtual IOMMU (QEMU: -device "
                     "intel-iommu,intremap=on or amd-iommu)");
    else
        check_remedy(c, "%ssystemctl reboot --firmware-setup   # enable %s there", ctl_sudo(),
                     what);
}

/* Returns false if the firmware describes no IOMMU. */
static bool check_tables(struct check *c, bool on)
{
    for (size_t i = 0; cpus[c->cpu].tables[i]; i++) {
        char path[64];
        snprintf(path, sizeof(path), TABLES "/%s", cpus[c->cpu].tables[i]);
        if (check_exists(c, path)) {
            check_add(c, FINDING_OK, "firmware", "the firmware describes %s (ACPI table %s)",
                      cpus[c->cpu].iommu, cpus[c->cpu].tables[i]);
            return true;
        }
    }
    if (check_exists(c, TABLES "/VIOT")) {
        check_add(c, FINDING_OK, "firmware",
                  "the firmware announces a virtual IOMMU (ACPI table VIOT)");
        return true;
    }
    if (on) /* through the device tree, or a table that we do not know */
        return true;
    check_add(
        c, FINDING_FAIL, "firmware",
        "the firmware describes no IOMMU (no ACPI table %s, nor VIOT): %s is off, or not there",
        cpus[c->cpu].tables[0], cpus[c->cpu].switch_name);
    to_firmware(c, cpus[c->cpu].switch_name);
    return false;
}

static size_t count_groups(struct check *c)
{
    return check_each(c, "sys/kernel/iommu_groups", "", NULL, NULL);
}

/* A parameter on the command line that turns the IOMMU off, or NULL. */
static const char *switched_off(struct check *c)
{
    static const char *const off[] = {"intel_iommu=off", "amd_iommu=off", "iommu=off"};

    for (size_t i = 0; i < ELEMENTS(off); i++) {
        const char *value = check_cmdline(c, off[i]);
        if (value)
            return off[i];
    }
    return NULL;
}

static void check_off(struct check *c, bool described)
{
    const char *off = switched_off(c);

    check_add(c, FINDING_FAIL, "iommu", "no IOMMU is active%s%s%s", off ? ": " : "", off ? off : "",
              off ? " on the kernel command line says so" : "");
    if (off)
        check_remove_parameter(c, off);
    if (c->cpu == CPU_INTEL && !check_cmdline(c, "intel_iommu=on"))
        check_add_parameter(c, "intel_iommu=on");
    else if (!off && !described)
        to_firmware(c, cpus[c->cpu].switch_name);
    else if (!off) /* normally the kernel uses whatever the firmware describes */
        check_remedy(c, "%sjournalctl -kb | grep -iE 'dmar|amd-vi|smmu|iommu'   # says why",
                     ctl_sudo());
}

/* A virtual IOMMU: its driver may be a module that is loaded late, or may not exist. */
static void check_viommu(struct check *c)
{
    bool loaded = viommu_is_loaded(c->tree.root_fd) > 0;
    bool there = loaded || !*c->release || check_lists_module(c, "modules.dep", VIOMMU_MODULE) ||
                 check_lists_module(c, "modules.builtin", VIOMMU_MODULE);

    if (!there) {
        check_add(c, FINDING_FAIL, "iommu",
                  "no IOMMU is active: the kernel %s has no driver for the virtual IOMMU that the "
                  "firmware announces (" VIOMMU_MODULE ")",
                  c->release);
        check_remedy(c, "grep CONFIG_VIRTIO_IOMMU /boot/config-*   # boot a kernel with =y or =m");
        check_remedy(c, "# or give this machine another virtual IOMMU (QEMU: -device "
                        "intel-iommu,intremap=on or amd-iommu)");
    } else if (!loaded) {
        check_add(c, FINDING_FAIL, "iommu",
                  "no IOMMU is active: the firmware announces a virtual one, but its driver (the "
                  "module " VIOMMU_MODULE ") is not loaded");
        check_remedy(c, "grep -rs " VIOMMU_MODULE " /etc/modprobe.d /run/modprobe.d   # is it "
                        "forbidden there?");
        check_remedy(c, "%smodprobe " VIOMMU_MODULE, ctl_sudo());
    } else {
        check_add(c, FINDING_FAIL, "iommu",
                  "no IOMMU is active: the firmware announces a virtual one, and its driver "
                  "(" VIOMMU_MODULE ") is loaded, but does not work");
        check_remedy(c, "%sjournalctl -kb | grep -iE 'virtio|iommu'   # says why", ctl_sudo());
    }
}

/* Is this a virtual machine? Then parameters for the processor's IOMMU have no effect. */
static bool is_virtual(struct check *c)
{
    const char *const *tables = cpus[c->cpu].tables;
    char path[64];

    for (size_t i = 0; tables[i]; i++) {
        snprintf(path, sizeof(path), TABLES "/%s", tables[i]);
        if (check_exists(c, path))
            return false;
    }
    return check_exists(c, TABLES "/VIOT");
}

static void check_iommu(struct check *c)
{
    const char *kind = scan_iommu(c->tree.root_fd);
    size_t groups = count_groups(c);
    /* A virtual IOMMU makes a group only when a driver binds the first device. */
    bool on = streq(kind, "virtio") || (!streq(kind, "none") && groups > 0);
    bool described = check_tables(c, on);

    if (!on && is_virtual(c)) {
        check_viommu(c);
        return;
    }
    if (!on) {
        check_off(c, described);
        return;
    }
    check_add(c, FINDING_OK, "iommu", "the IOMMU is on (%s), with %zu groups", kind, groups);
}

static void check_noiommu(struct check *c)
{
    const char *path = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
    CLEANUP_FREE char *text = check_read(c, path);

    if (!text || (*text != 'Y' && *text != '1'))
        return;
    check_add(c, FINDING_WARN, "noiommu",
              "VFIO's unsafe no-IOMMU mode is allowed: devices without an IOMMU group get "
              "/dev/vfio/noiommu-N, which virtual machines cannot use");
    check_remedy(c, "echo N | %stee /%s   # and remove it from /etc/modprobe.d", ctl_sudo(), path);
}

/* Without interrupt remapping a guest could raise any interrupt of the host, so VFIO refuses the
 * group (EPERM). This applies only to x86: elsewhere the interrupt controller isolates devices. */
static void check_remapping(struct check *c)
{
    static const char *const off[] = {"intremap=off", "nointremap", "noapic"};
    const char *unsafe = "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";
    CLEANUP_FREE char *interrupts = check_read(c, "proc/interrupts");
    CLEANUP_FREE char *allowed = check_read(c, unsafe);

    if (!interrupts || !strstr(interrupts, "APIC"))
        return;
    if (strstr(interrupts, " IR-")) {
        check_add(c, FINDING_OK, "intremap", "interrupts are remapped");
        return;
    }
    bool is_allowed = allowed && (*allowed == 'Y' || *allowed == '1');
    check_add(c, is_allowed ? FINDING_WARN : FINDING_FAIL, "intremap",
              "interrupts are not remapped: %s",
              is_allowed ? "allow_unsafe_interrupts lets guests use devices nevertheless, and "
                           "raise any interrupt of this host"
                         : "VFIO refuses devices to guests (Operation not permitted)");
    for (size_t i = 0; i < ELEMENTS(off); i++)
        if (check_cmdline(c, off[i])) {
            check_remove_parameter(c, off[i]);
            return;
        }
    if (streq(scan_iommu(c->tree.root_fd), "virtio")) {
        check_remedy(c, "# a virtio-iommu remaps none on x86: give this machine another virtual "
                        "IOMMU (QEMU: -device intel-iommu,intremap=on or amd-iommu)");
        check_remedy(c, "echo Y | %stee /%s   # or this, if you trust the guests", ctl_sudo(),
                     unsafe);
        return;
    }
    to_firmware(c, "interrupt remapping (often a part of VT-d, or x2APIC)");
}

void check_firmware(struct check *c)
{
    check_iommu(c);
    check_noiommu(c);
    if ((c->cpu == CPU_INTEL || c->cpu == CPU_AMD) && !streq(scan_iommu(c->tree.root_fd), "none"))
        check_remapping(c);
}
