/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: kernel modules and settings that VFIO needs. */
#include "check/modules.h"

#include "check/boot.h"
#include "check/files.h"
#include "check/parts.h"

/* -- vfio-pci -- */

/* The last component of the path is the module's file; '-' and '_' are equal. */
static bool is_file_of(const char *path, const char *module)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    for (; *module; name++, module++)
        if (*name != *module && !(*name == '-' && *module == '_') &&
            !(*name == '_' && *module == '-'))
            return false;
    return after_prefix(name, ".ko") != NULL;
}

bool check_lists_module(struct check *c, const char *file, const char *module)
{
    static const char *const folders[] = {"usr/lib/modules", "lib/modules"};
    char path[160];

    for (size_t i = 0; *c->release && i < ELEMENTS(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s/%s", folders[i], c->release, file);
        CLEANUP_FREE char *text = check_read(c, path);
        char *rest = text, *line;
        if (!text)
            continue;
        while ((line = check_line(&rest))) {
            line[strcspn(line, ": ")] = '\0';
            if (is_file_of(line, module))
                return true;
        }
        return false;
    }
    return false;
}

/* Adds the package with the module, for distributions with several kernels or module packages. */
static void install_module(struct check *c)
{
    if (check_is_system(c, "ubuntu"))
        check_remedy(c, "%sapt install linux-modules-extra-\"$(uname -r)\"", ctl_sudo());
    else if (check_exists(c, "etc/debian_version"))
        check_remedy(c,
                     "%sapt install linux-image-\"$(dpkg --print-architecture)\"   # the cloud "
                     "kernel has no VFIO",
                     ctl_sudo());
    else if (check_exists(c, "etc/redhat-release"))
        check_remedy(c, "%sdnf install kernel-modules-\"$(uname -r)\"", ctl_sudo());
    else
        check_remedy(c, "modinfo vfio-pci   # the kernel needs CONFIG_VFIO_PCI");
}

/* Returns true if the kernel has the driver now. */
static bool check_vfio_pci(struct check *c)
{
    bool builtin = check_lists_module(c, "modules.builtin", "vfio-pci");

    if (check_exists(c, "sys/bus/pci/drivers/vfio-pci")) {
        check_add(c, FINDING_OK, "vfio-pci", "vfio-pci is %s",
                  builtin ? "built into the kernel" : "loaded");
        return true;
    }
    if (check_lists_module(c, "modules.dep", "vfio-pci")) {
        check_add(c, FINDING_OK, "vfio-pci",
                  "vfio-pci is a module of this kernel, and vfio-bindd.service loads it");
    } else if (!*c->release) {
        check_add(c, FINDING_WARN, "vfio-pci",
                  "vfio-pci is not loaded; the running kernel could not be determined");
        check_remedy(c, "%smodprobe vfio-pci", ctl_sudo());
    } else {
        check_add(c, FINDING_FAIL, "vfio-pci", "the kernel %s has no vfio-pci", c->release);
        install_module(c);
    }
    return false;
}

/* Without the container node no group can be used. Kernels without it have only IOMMUFD, which QEMU
 * supports since 9.0. */
static void check_container(struct check *c, bool loaded)
{
    if (check_exists(c, "dev/vfio/vfio")) {
        check_add(c, FINDING_OK, "node", "/dev/vfio/vfio is there");
    } else if (loaded && check_exists(c, "dev/vfio/devices")) {
        check_add(c, FINDING_WARN, "node",
                  "/dev/vfio/vfio is missing: this kernel offers devices by IOMMUFD only");
        check_remedy(c, "grep VFIO_CONTAINER /boot/config-\"$(uname -r)\"   # should be =y");
    } else if (loaded) {
        check_add(c, FINDING_FAIL, "node", "/dev/vfio/vfio is missing although vfio-pci is loaded");
        check_remedy(c, "%smodprobe vfio_iommu_type1 && ls -l /dev/vfio   # is devtmpfs on /dev?",
                     ctl_sudo());
    }
}

/* -- KVM -- */

static void check_kvm(struct check *c)
{
    CLEANUP_FREE char *info = check_read(c, "proc/cpuinfo");
    const char *flag = c->cpu == CPU_INTEL ? " vmx" : c->cpu == CPU_AMD ? " svm" : NULL;

    if (check_exists(c, "dev/kvm")) {
        check_add(c, FINDING_OK, "kvm", "/dev/kvm is there");
        return;
    }
    bool off = flag && info && !strstr(info, flag);
    check_add(c, FINDING_WARN, "kvm", "/dev/kvm is missing%s: virtual machines would be emulated",
              off ? ", and the processor does not offer virtualisation" : "");
    if (off && strstr(info, " hypervisor"))
        check_remedy(c, "# this is itself a virtual machine: allow it nested virtualisation (QEMU: "
                        "-cpu host)");
    else if (off)
        check_remedy(c, "%ssystemctl reboot --firmware-setup   # enable %s there", ctl_sudo(),
                     c->cpu == CPU_INTEL ? "VT-x (VMX)" : "SVM");
    else
        check_remedy(c, "%smodprobe %s", ctl_sudo(),
                     c->cpu == CPU_INTEL ? "kvm_intel"
                     : c->cpu == CPU_AMD ? "kvm_amd"
                                         : "kvm");
}

/* A native driver that hangs while it unbinds from a device waits uninterruptibly. */
static void check_hung_task(struct check *c)
{
    CLEANUP_FREE char *text = check_read(c, "proc/sys/kernel/hung_task_panic");

    if (!text || atoi(text) == 0)
        return;
    check_add(
        c, FINDING_WARN, "hung-task",
        "kernel.hung_task_panic = %d: a native driver that hangs while a device is taken from "
        "it would crash this host",
        atoi(text));
    check_remedy(c,
                 "echo 'kernel.hung_task_panic = 0' | %stee /etc/sysctl.d/90-vfio-bindd.conf && "
                 "%ssysctl -p /etc/sysctl.d/90-vfio-bindd.conf",
                 ctl_sudo(), ctl_sudo());
}

void check_modules(struct check *c)
{
    bool loaded = check_vfio_pci(c);

    check_container(c, loaded);
    check_kvm(c);
    check_hung_task(c);
}
