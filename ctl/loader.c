/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <sys/utsname.h>

#include "base/rootfs.h"
#include "ctl.h"

#define FILE_MAX (64U << 10)

#define EFI_LOADER_INFO "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

bool loader_is_system(struct tree *t, const char *id)
{
    size_t size;
    CLEANUP_FREE char *text = tree_read(t, "etc/os-release", FILE_MAX, &size);
    char *rest, *line;

    if (!text)
        text = tree_read(t, "usr/lib/os-release", FILE_MAX, &size);
    for (rest = text; rest && (line = tree_line(&rest));) {
        const char *value = after_prefix(line, "ID=");
        if (!value)
            continue;
        value += *value == '"';
        return strncmp(value, id, strlen(id)) == 0 && strchr("\"", value[strlen(id)]);
    }
    return false;
}

/* The boot loader that started this kernel stores its name in an EFI variable: four bytes of
 * attributes, then UTF-16. */
static bool is_systemd_boot(struct tree *t)
{
    static const char name[] = "s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t";
    char *info;
    size_t size;

    if (rootfs_read_file(t->root_fd, EFI_LOADER_INFO, 1024, &info, &size) < 0)
        return false;
    bool yes = size >= 4 + sizeof(name) && memcmp(info + 4, name, sizeof(name) - 1) == 0;
    free(info);
    return yes;
}

bool loader_has_program(struct tree *t, const char *name)
{
    static const char *const folders[] = {"usr/sbin", "usr/bin", "sbin", "bin"};
    char path[64];

    for (size_t i = 0; i < ELEMENTS(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", folders[i], name);
        if (tree_exists(t, path))
            return true;
    }
    return false;
}

void loader_find_release(struct tree *t, bool this_host, char ret[static LOADER_RELEASE_MAX])
{
    size_t size;
    CLEANUP_FREE char *text = tree_read(t, "proc/sys/kernel/osrelease", 4096, &size);
    struct utsname name;

    *ret = '\0';
    if (text)
        snprintf(ret, LOADER_RELEASE_MAX, "%.*s", (int)strcspn(text, " \n"), text);
    else if (this_host && uname(&name) == 0)
        snprintf(ret, LOADER_RELEASE_MAX, "%s", name.release);
    if (strchr(ret, '/')) /* it becomes part of a path */
        *ret = '\0';
}

enum loader loader_find(struct tree *t)
{
    if (loader_is_system(t, "talos"))
        return LOADER_TALOS;
    if (loader_is_system(t, "flatcar"))
        return LOADER_FLATCAR;
    if (tree_exists(t, "run/ostree-booted"))
        return LOADER_OSTREE;
    if (loader_has_program(t, "grubby"))
        return LOADER_GRUBBY;
    if (is_systemd_boot(t) ||
        (tree_exists(t, "etc/kernel/cmdline") && !tree_exists(t, "etc/default/grub")))
        return loader_has_program(t, "proxmox-boot-tool") ? LOADER_PROXMOX : LOADER_SYSTEMD_BOOT;
    if (!tree_exists(t, "etc/default/grub"))
        return LOADER_UNKNOWN;
    return loader_has_program(t, "update-grub") ? LOADER_GRUB_DEBIAN : LOADER_GRUB;
}

/* -- what to type: {P} is the parameter, {S} sudo where it is needed -- */

static void tell_boot(const struct loader_to *to, const char *line, const char *parameter)
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
    if (used >= sizeof(text)) /* no parameter is this long */
        return;
    text[used] = '\0';
    to->tell(to->userdata, text);
}

static void rebuild_grub(const struct loader_to *to)
{
    tell_boot(to,
              tree_exists(to->tree, "boot/grub2") ? "{S}grub2-mkconfig -o /boot/grub2/grub.cfg"
                                                  : "{S}grub-mkconfig -o /boot/grub/grub.cfg",
              "");
}

static void rebuild_debian(const struct loader_to *to)
{
    tell_boot(to, "{S}update-grub", "");
}

static void rebuild_proxmox(const struct loader_to *to)
{
    tell_boot(to, "{S}proxmox-boot-tool refresh", "");
}

/* Every version of kernel-install(8) accepts the running kernel's files in this form. */
static void rebuild_entry(const struct loader_to *to)
{
    char path[128];

    snprintf(path, sizeof(path), "usr/lib/modules/%s/vmlinuz", to->release);
    tell_boot(to,
              *to->release && tree_exists(to->tree, path)
                  ? "{S}kernel-install add \"$(uname -r)\" /usr/lib/modules/\"$(uname -r)\"/vmlinuz"
                  : "{S}kernel-install add \"$(uname -r)\" /boot/vmlinuz-\"$(uname -r)\"",
              "");
}

static const struct {
    const char *add, *also, *remove;
    void (*rebuild)(const struct loader_to *to); /* NULL: nothing to do */
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

void loader_rebuild(const struct loader_to *to, enum loader loader)
{
    if (commands[loader].rebuild)
        commands[loader].rebuild(to);
}

static void finish_boot(const struct loader_to *to, enum loader loader)
{
    loader_rebuild(to, loader);
    if (loader != LOADER_TALOS) /* the upgrade reboots */
        tell_boot(to, "{S}systemctl reboot", "");
}

void loader_add_parameter(const struct loader_to *to, const char *parameter)
{
    enum loader loader = loader_find(to->tree);

    tell_boot(to, commands[loader].add, parameter);
    if (commands[loader].also)
        tell_boot(to, commands[loader].also, parameter);
    finish_boot(to, loader);
}

void loader_remove_parameter(const struct loader_to *to, const char *parameter)
{
    enum loader loader = loader_find(to->tree);

    tell_boot(to, commands[loader].remove, parameter);
    finish_boot(to, loader);
}

bool loader_is_managed(struct tree *t)
{
    return tree_exists(t, "etc/machine-config-daemon");
}

/* For all kernels: the next boot may use another one. */
void loader_rebuild_initramfs(const struct loader_to *to)
{
    static const struct {
        const char *program, *command;
    } generators[] = {
        {"update-initramfs", "{S}update-initramfs -u -k all"},
        {"dracut", "{S}dracut --regenerate-all --force"},
        {"mkinitcpio", "{S}mkinitcpio -P"},
    };

    if (tree_exists(to->tree, "run/ostree-booted")) {
        tell_boot(
            to,
            "# the initramfs is the deployment's own, unless \"rpm-ostree initramfs --enable\" "
            "or \"rpm-ostree initramfs-etc --track\" put such files into it: then "
            "\"rpm-ostree initramfs-etc --force-sync\", or the next deployment, takes over "
            "the change",
            "");
        return;
    }
    for (size_t i = 0; i < ELEMENTS(generators); i++)
        if (loader_has_program(to->tree, generators[i].program)) {
            tell_boot(to, generators[i].command, "");
            return;
        }
    tell_boot(
        to, "# build the initramfs anew with this host's own tool, if it has a copy of these files",
        "");
}
