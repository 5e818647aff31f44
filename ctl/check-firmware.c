/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: does the firmware describe an IOMMU, is it on, and does it remap interrupts? */
#include "check-findings.h"
#include "scan.h"

#define TABLES "sys/firmware/acpi/tables"

/* What the firmware calls it, and the ACPI tables of which one is enough. */
static const struct {
    const char *iommu, *switch_name;
    const char *tables[5]; /* NULL ends them */
} cpus[] = {
    [CPU_INTEL] = {"Intel VT-d", "Intel VT-d", {"DMAR", "VIOT"}},
    [CPU_AMD] = {"AMD-Vi", "IOMMU (AMD-Vi), under NBIO or chipset", {"IVRS", "VIOT"}},
    [CPU_ARM] = {"Arm SMMU", "the SMMU", {"IORT", "VIOT"}},
    [CPU_OTHER] = {"an IOMMU", "the IOMMU", {"DMAR", "IVRS", "IORT", "VIOT"}},
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
    if (on) /* by the device tree, or by a table we do not know */
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

/* A parameter on the command line that turns the IOMMU off; NULL: none. */
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

    check_add(c, FINDING_FAIL, "iommu", "no IOMMU is at work%s%s%s", off ? ": " : "",
              off ? off : "", off ? " on the kernel command line says so" : "");
    if (off)
        check_remove_parameter(c, off);
    if (c->cpu == CPU_INTEL && !check_cmdline(c, "intel_iommu=on"))
        check_add_parameter(c, "intel_iommu=on");
    else if (!off && !described)
        to_firmware(c, cpus[c->cpu].switch_name);
    else if (!off) /* the kernel uses what the firmware describes, unless something is wrong */
        check_remedy(c, "%sjournalctl -kb | grep -iE 'dmar|amd-vi|smmu|iommu'   # says why",
                     ctl_sudo());
}

static void check_iommu(struct check *c)
{
    const char *kind = scan_iommu(c->root_fd);
    size_t groups = count_groups(c);
    bool on = !streq(kind, "none") && groups > 0;
    bool described = check_tables(c, on);

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
              "/dev/vfio/noiommu-N, which no virtual machine can use");
    check_remedy(c, "echo N | %stee /%s   # and remove it from /etc/modprobe.d", ctl_sudo(), path);
}

/* Without it a guest could raise any interrupt of the host, so VFIO refuses the group (EPERM). Of
 * x86 only: elsewhere the interrupt controller isolates. */
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
    check_add(
        c, is_allowed ? FINDING_WARN : FINDING_FAIL, "intremap", "interrupts are not remapped: %s",
        is_allowed ? "allow_unsafe_interrupts lets guests use devices all the same, and raise "
                     "any interrupt of this host"
                   : "VFIO lets no guest use a device (Operation not permitted)");
    for (size_t i = 0; i < ELEMENTS(off); i++)
        if (check_cmdline(c, off[i])) {
            check_remove_parameter(c, off[i]);
            return;
        }
    to_firmware(c, "interrupt remapping (often a part of VT-d, or x2APIC)");
}

void check_firmware(struct check *c)
{
    check_iommu(c);
    check_noiommu(c);
    if ((c->cpu == CPU_INTEL || c->cpu == CPU_AMD) && !streq(scan_iommu(c->root_fd), "none"))
        check_remapping(c);
}
