/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: how a parameter comes onto the kernel command line on this host. */
#include "check-findings.h"
#include "rootfs.h"

enum loader {
    LOADER_UNKNOWN,
    LOADER_GRUB,        /* grub-mkconfig by hand */
    LOADER_GRUB_DEBIAN, /* update-grub, drop-ins */
    LOADER_GRUBBY,
    LOADER_OSTREE,
    LOADER_SYSTEMD_BOOT, /* kernel-install */
    LOADER_PROXMOX,
    LOADER_FLATCAR,
    LOADER_TALOS,
};

#define EFI_LOADER_INFO "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

bool check_is_system(struct check *c, const char *id)
{
    CLEANUP_FREE char *text = check_read(c, "etc/os-release");
    char *rest, *line;

    if (!text)
        text = check_read(c, "usr/lib/os-release");
    for (rest = text; rest && (line = check_line(&rest));) {
        const char *value = after_prefix(line, "ID=");
        if (!value)
            continue;
        value += *value == '"';
        return strncmp(value, id, strlen(id)) == 0 && strchr("\"", value[strlen(id)]);
    }
    return false;
}

/* The loader that started this kernel names itself in an EFI variable: four bytes of attributes,
 * then UTF-16. */
static bool is_systemd_boot(struct check *c)
{
    static const char name[] = "s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t";
    char *info;
    size_t size;

    if (rootfs_read_file(c->root_fd, EFI_LOADER_INFO, 1024, &info, &size) < 0)
        return false;
    bool yes = size >= 4 + sizeof(name) && memcmp(info + 4, name, sizeof(name) - 1) == 0;
    free(info);
    return yes;
}

static bool has_program(struct check *c, const char *name)
{
    static const char *const folders[] = {"usr/sbin", "usr/bin", "sbin", "bin"};
    char path[64];

    for (size_t i = 0; i < ELEMENTS(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", folders[i], name);
        if (check_exists(c, path))
            return true;
    }
    return false;
}

static enum loader find_loader(struct check *c)
{
    if (check_is_system(c, "talos"))
        return LOADER_TALOS;
    if (check_is_system(c, "flatcar"))
        return LOADER_FLATCAR;
    if (check_exists(c, "run/ostree-booted"))
        return LOADER_OSTREE;
    if (has_program(c, "grubby"))
        return LOADER_GRUBBY;
    if (is_systemd_boot(c) ||
        (check_exists(c, "etc/kernel/cmdline") && !check_exists(c, "etc/default/grub")))
        return has_program(c, "proxmox-boot-tool") ? LOADER_PROXMOX : LOADER_SYSTEMD_BOOT;
    if (!check_exists(c, "etc/default/grub"))
        return LOADER_UNKNOWN;
    return has_program(c, "update-grub") ? LOADER_GRUB_DEBIAN : LOADER_GRUB;
}

static void rebuild_grub(struct check *c)
{
    const char *n = check_exists(c, "boot/grub2") ? "2" : "";

    check_remedy(c, "%sgrub%s-mkconfig -o /boot/grub%s/grub.cfg", ctl_sudo(), n, n);
}

/* kernel-install(8) of any age takes the running kernel's files so. */
static void rebuild_entry(struct check *c)
{
    char path[128];

    snprintf(path, sizeof(path), "usr/lib/modules/%s/vmlinuz", c->release);
    bool in_modules = *c->release && check_exists(c, path);
    check_remedy(c, "%skernel-install add \"$(uname -r)\" %s\"$(uname -r)\"%s", ctl_sudo(),
                 in_modules ? "/usr/lib/modules/" : "/boot/vmlinuz-", in_modules ? "/vmlinuz" : "");
}

static void reboot(struct check *c)
{
    check_remedy(c, "%ssystemctl reboot", ctl_sudo());
}

void check_add_parameter(struct check *c, const char *p)
{
    const char *sudo = ctl_sudo();

    switch (find_loader(c)) {
    case LOADER_TALOS:
        check_remedy(c,
                     "# Talos: add \"%s\" to machine.install.extraKernelArgs (or to the image's "
                     "schematic), then talosctl upgrade",
                     p);
        return;
    case LOADER_FLATCAR:
        check_remedy(c, "echo 'set linux_append=\"$linux_append %s\"' | %stee -a /oem/grub.cfg", p,
                     sudo);
        check_remedy(c, "# for new nodes, in Butane: kernel_arguments: {should_exist: [%s]}", p);
        break;
    case LOADER_OSTREE:
        check_remedy(c, "%srpm-ostree kargs --append-if-missing=%s", sudo, p);
        check_remedy(c,
                     "# for new nodes, in Butane: kernel_arguments: {should_exist: [%s]}; on "
                     "OpenShift, in a MachineConfig: kernelArguments: [%s]",
                     p, p);
        break;
    case LOADER_GRUBBY:
        check_remedy(c, "%sgrubby --update-kernel=ALL --args=%s", sudo, p);
        break;
    case LOADER_SYSTEMD_BOOT:
    case LOADER_PROXMOX:
        check_remedy(c, "%ssed -i '1s/$/ %s/' /etc/kernel/cmdline", sudo, p);
        if (find_loader(c) == LOADER_PROXMOX)
            check_remedy(c, "%sproxmox-boot-tool refresh", sudo);
        else
            rebuild_entry(c);
        break;
    case LOADER_GRUB_DEBIAN:
        check_remedy(c,
                     "echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX %s\"' | %stee -a "
                     "/etc/default/grub.d/vfio.cfg",
                     p, sudo);
        check_remedy(c, "%supdate-grub", sudo);
        break;
    case LOADER_GRUB:
        check_remedy(c, "%ssed -i 's/^GRUB_CMDLINE_LINUX=\"/&%s /' /etc/default/grub", sudo, p);
        rebuild_grub(c);
        break;
    case LOADER_UNKNOWN:
        check_remedy(c, "# add %s to the kernel command line, as this host's boot loader has it",
                     p);
        break;
    }
    reboot(c);
}

void check_remove_parameter(struct check *c, const char *p)
{
    const char *sudo = ctl_sudo();

    switch (find_loader(c)) {
    case LOADER_TALOS:
        check_remedy(c,
                     "# Talos: take \"%s\" out of machine.install.extraKernelArgs (or of the "
                     "image's schematic), then talosctl upgrade",
                     p);
        return;
    case LOADER_FLATCAR:
        check_remedy(c, "%ssed -i 's/ %s//' /oem/grub.cfg", sudo, p);
        break;
    case LOADER_OSTREE:
        check_remedy(c, "%srpm-ostree kargs --delete=%s", sudo, p);
        break;
    case LOADER_GRUBBY:
        check_remedy(c, "%sgrubby --update-kernel=ALL --remove-args=%s", sudo, p);
        break;
    case LOADER_SYSTEMD_BOOT:
    case LOADER_PROXMOX:
        check_remedy(c, "%ssed -i 's/ *%s//' /etc/kernel/cmdline", sudo, p);
        if (find_loader(c) == LOADER_PROXMOX)
            check_remedy(c, "%sproxmox-boot-tool refresh", sudo);
        else
            rebuild_entry(c);
        break;
    case LOADER_GRUB_DEBIAN:
        check_remedy(c, "%ssed -i 's/ *%s//' /etc/default/grub /etc/default/grub.d/*.cfg", sudo, p);
        check_remedy(c, "%supdate-grub", sudo);
        break;
    case LOADER_GRUB:
        check_remedy(c, "%ssed -i 's/ *%s//' /etc/default/grub", sudo, p);
        rebuild_grub(c);
        break;
    case LOADER_UNKNOWN:
        check_remedy(c, "# take %s off the kernel command line", p);
        break;
    }
    reboot(c);
}
