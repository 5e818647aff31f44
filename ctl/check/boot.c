/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: how a parameter comes onto the kernel command line on this host. */
#include "check/boot.h"

#include "base/rootfs.h"
#include "check/files.h"

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

/* -- what to type: {P} is the parameter, {S} sudo where it is needed -- */

static void tell_boot(struct check *c, const char *line, const char *parameter)
{
    char text[1024];
    size_t used = 0;

    while (*line && used + 1 < sizeof(text)) {
        const char *word = after_prefix(line, "{P}")   ? parameter
                           : after_prefix(line, "{S}") ? ctl_sudo()
                                                       : NULL;
        if (word) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", word);
            line += strlen("{P}");
        } else {
            text[used++] = *line++;
        }
    }
    if (used >= sizeof(text)) /* nobody's parameter is so long */
        return;
    text[used] = '\0';
    check_remedy(c, "%s", text);
}

static void rebuild_grub(struct check *c)
{
    tell_boot(c,
              check_exists(c, "boot/grub2") ? "{S}grub2-mkconfig -o /boot/grub2/grub.cfg"
                                            : "{S}grub-mkconfig -o /boot/grub/grub.cfg",
              "");
}

static void rebuild_debian(struct check *c)
{
    tell_boot(c, "{S}update-grub", "");
}

static void rebuild_proxmox(struct check *c)
{
    tell_boot(c, "{S}proxmox-boot-tool refresh", "");
}

/* kernel-install(8) of any age takes the running kernel's files so. */
static void rebuild_entry(struct check *c)
{
    char path[128];

    snprintf(path, sizeof(path), "usr/lib/modules/%s/vmlinuz", c->release);
    tell_boot(c,
              *c->release && check_exists(c, path)
                  ? "{S}kernel-install add \"$(uname -r)\" /usr/lib/modules/\"$(uname -r)\"/vmlinuz"
                  : "{S}kernel-install add \"$(uname -r)\" /boot/vmlinuz-\"$(uname -r)\"",
              "");
}

static const struct {
    const char *add, *also, *remove;
    void (*rebuild)(struct check *c); /* NULL: nothing to be done */
} commands[] = {
    [LOADER_UNKNOWN] = {"# add {P} to the kernel command line, as this host's boot loader has it",
                        NULL, "# take {P} off the kernel command line", NULL},
    [LOADER_GRUB] = {"{S}sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{P} /' /etc/default/grub", NULL,
                     "{S}sed -i 's/ *{P}//' /etc/default/grub", rebuild_grub},
    [LOADER_GRUB_DEBIAN] = {"echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {P}\"' | {S}tee -a "
                            "/etc/default/grub.d/vfio.cfg",
                            NULL,
                            "{S}sed -i 's/ *{P}//' $(ls -d /etc/default/grub "
                            "/etc/default/grub.d/*.cfg)",
                            rebuild_debian},
    [LOADER_GRUBBY] = {"{S}grubby --update-kernel=ALL --args={P}", NULL,
                       "{S}grubby --update-kernel=ALL --remove-args={P}", NULL},
    [LOADER_OSTREE] = {"{S}rpm-ostree kargs --append-if-missing={P}",
                       "# for new nodes, in Butane: kernel_arguments: {should_exist: [{P}]}; on "
                       "OpenShift, in a MachineConfig: kernelArguments: [{P}]",
                       "{S}rpm-ostree kargs --delete={P}", NULL},
    [LOADER_SYSTEMD_BOOT] = {"{S}sed -i '1s/$/ {P}/' /etc/kernel/cmdline", NULL,
                             "{S}sed -i 's/ *{P}//' /etc/kernel/cmdline", rebuild_entry},
    [LOADER_PROXMOX] = {"{S}sed -i '1s/$/ {P}/' /etc/kernel/cmdline", NULL,
                        "{S}sed -i 's/ *{P}//' /etc/kernel/cmdline", rebuild_proxmox},
    [LOADER_FLATCAR] = {"echo 'set linux_append=\"$linux_append {P}\"' | {S}tee -a /oem/grub.cfg",
                        "# for new nodes, in Butane: kernel_arguments: {should_exist: [{P}]}",
                        "{S}sed -i 's/ *{P}//' /oem/grub.cfg", NULL},
    [LOADER_TALOS] = {"# Talos: add {P} to machine.install.extraKernelArgs (or to the image's "
                      "schematic), then talosctl upgrade",
                      NULL,
                      "# Talos: take {P} out of machine.install.extraKernelArgs (or of the image's "
                      "schematic), then talosctl upgrade",
                      NULL},
};

static void finish_boot(struct check *c, enum loader loader)
{
    if (commands[loader].rebuild)
        commands[loader].rebuild(c);
    if (loader != LOADER_TALOS) /* the upgrade reboots */
        tell_boot(c, "{S}systemctl reboot", "");
}

void check_add_parameter(struct check *c, const char *parameter)
{
    enum loader loader = find_loader(c);

    tell_boot(c, commands[loader].add, parameter);
    if (commands[loader].also)
        tell_boot(c, commands[loader].also, parameter);
    finish_boot(c, loader);
}

void check_remove_parameter(struct check *c, const char *parameter)
{
    enum loader loader = find_loader(c);

    tell_boot(c, commands[loader].remove, parameter);
    finish_boot(c, loader);
}
