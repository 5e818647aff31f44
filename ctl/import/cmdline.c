/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: vfio-pci.ids= on the kernel command line, and in the files from which boot loaders and
 * dracut make one. */
#include "import/ids.h"
#include "import/lines.h"
#include "import/sources.h"

/* Who reads a file decides how a parameter is taken out of it. */
enum reader {
    READER_GRUB, /* shell variables for grub-mkconfig */
    READER_KERNEL_INSTALL,
    READER_ENTRY, /* systemd-boot's own form, which grubby and ostree write as well */
    READER_DRACUT,
    READER_GRUB_SCRIPT, /* read by GRUB at boot: /oem/grub.cfg */
    READER_GRUBENV,     /* a block of 1024 bytes, not to be edited as text */
    READER_CMDLINE_D,
};

static const struct {
    const char *path; /* ends in '/': a folder */
    const char *ending;
    enum reader reader;
} places[] = {
    {"etc/default/grub", "", READER_GRUB},
    {"etc/default/grub.d/", ".cfg", READER_GRUB},
    {"etc/kernel/cmdline", "", READER_KERNEL_INSTALL},
    {"etc/kernel/cmdline.d/", ".conf", READER_KERNEL_INSTALL},
    {"usr/lib/kernel/cmdline", "", READER_KERNEL_INSTALL},
    {"etc/cmdline", "", READER_CMDLINE_D},
    {"etc/cmdline.d/", ".conf", READER_CMDLINE_D},
    {"boot/loader/entries/", ".conf", READER_ENTRY},
    {"efi/loader/entries/", ".conf", READER_ENTRY},
    {"boot/efi/loader/entries/", ".conf", READER_ENTRY},
    {"boot/grub2/grubenv", "", READER_GRUBENV},
    {"oem/grub.cfg", "", READER_GRUB_SCRIPT},
    {"usr/share/oem/grub.cfg", "", READER_GRUB_SCRIPT},
    {"oem/grubenv", "", READER_GRUBENV},
    {"etc/dracut.conf", "", READER_DRACUT},
    {"etc/dracut.conf.d/", ".conf", READER_DRACUT},
    {"usr/lib/dracut/dracut.conf.d/", ".conf", READER_DRACUT},
};

/* -- how it is taken out -- */

static void rebuild_after(struct found *f, enum reader reader)
{
    bool proxmox = loader_has_program(&f->tree, "proxmox-boot-tool");
    bool update_grub = loader_has_program(&f->tree, "update-grub");

    f->needs_reboot = true;
    switch (reader) {
    case READER_GRUB:
        found_rebuild_loader(f, update_grub ? LOADER_GRUB_DEBIAN : LOADER_GRUB);
        break;
    case READER_KERNEL_INSTALL:
        found_rebuild_loader(f, proxmox ? LOADER_PROXMOX : LOADER_SYSTEMD_BOOT);
        break;
    case READER_DRACUT:
    case READER_CMDLINE_D:
        found_rebuild_initramfs(f);
        break;
    case READER_ENTRY:
    case READER_GRUB_SCRIPT:
    case READER_GRUBENV:
        break;
    }
}

/* grubby and rpm-ostree write the entries themselves. */
static bool retire_by_tool(struct found *f, enum loader loader)
{
    if (loader == LOADER_GRUBBY) {
        found_step(f, STAGE_FILES,
                   "%sgrubby --update-kernel=ALL --remove-args='vfio-pci.ids vfio_pci.ids'",
                   ctl_sudo());
    } else if (loader == LOADER_OSTREE) {
        found_step(f, STAGE_FILES,
                   "%srpm-ostree kargs --editor   # take out vfio-pci.ids=", ctl_sudo());
    } else if (loader == LOADER_TALOS) {
        found_step(f, STAGE_FILES,
                   "# Talos: take vfio-pci.ids= out of machine.install.extraKernelArgs (or of the "
                   "image's schematic), then talosctl upgrade");
    } else {
        return false;
    }
    f->needs_reboot = true;
    return true;
}

static void retire_parameter(struct found *f, const char *path, enum reader reader, bool quoted)
{
    CLEANUP_FREE char *file = found_quoted("/", path);

    if (reader == READER_ENTRY && retire_by_tool(f, loader_find(&f->tree)))
        return;
    if (reader == READER_GRUBENV)
        found_step(f, STAGE_FILES,
                   "# grub2-editenv /%s list shows the variable with vfio-pci.ids=: set it anew "
                   "without, by grub2-editenv /%s set NAME='...'",
                   path, path);
    else if (!file || quoted)
        found_step(f, STAGE_FILES, "# take vfio-pci.ids= out of /%s", path);
    else
        found_step(f, STAGE_FILES, "%ssed -i 's/ *vfio[-_]pci[.]ids=[0-9A-Fa-fXx:,]*//g' %s",
                   ctl_sudo(), file);
    rebuild_after(f, reader);
}

/* -- what else is said there -- */

/* What vfio-pci does with its devices is not decided by who binds them. */
static void remark_on_settings(struct found *f, const char *path, unsigned line, const char *text)
{
    static const char *const settings[] = {
        "pci.disable_vga=", "pci.disable_idle_d3=", "pci.nointxmask=", "pci.enable_sriov=",
        "pci.disable_denylist="};

    for (size_t i = 0; i < ELEMENTS(settings); i++) {
        const char *at = strstr(text, settings[i]);
        if (at && at - text >= 5 && strncmp(at - 5, "vfio", 4) == 0)
            found_remark(f, path, line,
                         "vfio-%.*s is a setting of vfio-pci, not of who binds: leave it there",
                         (int)strcspn(at, "="), at);
    }
}

static void remark_on_preload(struct found *f, const char *path, unsigned line, const char *text)
{
    static const char *const words[] = {"rd.driver.pre=vfio", "modules_load=vfio",
                                        "modules-load=vfio"};

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (strstr(text, words[i]))
            found_remark(f, path, line,
                         "%s... does no harm, and is not needed any more: vfio-bindd.service loads "
                         "vfio-pci",
                         words[i]);
}

static void see_cmdline_file(struct found *f, const char *path, enum reader reader)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    const char *what = reader == READER_DRACUT ? "dracut" : "vfio-pci.ids=, boot loader";
    struct ids_found ids;
    char *line;

    while ((line = lines_next(&lines))) {
        remark_on_settings(f, path, lines.first, line);
        remark_on_preload(f, path, lines.first, line);
        if (reader == READER_DRACUT && strstr(line, "_drivers") && strstr(line, "vfio"))
            found_remark(f, path, lines.first,
                         "VFIO's drivers in the initramfs do no harm, and are not needed any more");
        if (!ids_find(line, &ids))
            continue;
        ids_claim(f, ids.value, path, lines.first, what);
        retire_parameter(f, path, reader, ids.quoted);
    }
}

/* The callback for a folder has no room for it. */
static enum reader reader_of(const char *path)
{
    for (size_t i = 0; i < ELEMENTS(places); i++)
        if (after_prefix(path, places[i].path))
            return places[i].reader;
    return READER_CMDLINE_D;
}

static void see_in_folder(struct found *f, const char *path, const char *name)
{
    (void)name;
    see_cmdline_file(f, path, reader_of(path));
}

/* -- the running kernel's -- */

static void remark_on_blacklists(struct found *f, char *text)
{
    static const char *const words[] = {
        "modprobe.blacklist=", "module_blacklist=", "rd.driver.blacklist="};
    struct lines lines = lines_of(text);
    char *line = lines_next(&lines), *word;

    while (line && (word = lines_word(&line)))
        for (size_t i = 0; i < ELEMENTS(words); i++) {
            char *rest = word + strlen(words[i]), *module;
            if (!after_prefix(word, words[i]))
                continue;
            while ((module = strsep(&rest, ",")))
                if (*module)
                    found_blacklisted(f, module, "proc/cmdline", 0);
        }
}

static void see_running_cmdline(struct found *f)
{
    static const char path[] = "proc/cmdline";
    CLEANUP_FREE char *text = found_read(f, path);
    struct ids_found ids;

    if (!text)
        return;
    text[strcspn(text, "\n")] = '\0';
    remark_on_settings(f, path, 0, text);
    remark_on_preload(f, path, 0, text);
    if (ids_find(text, &ids)) {
        f->cmdline_has_ids = true;
        ids_claim(f, ids.value, path, 0, "vfio-pci.ids= of the running kernel");
    }
    remark_on_blacklists(f, text);
}

void import_cmdline(struct found *f)
{
    size_t before = f->n_steps;

    see_running_cmdline(f);
    for (size_t i = 0; i < ELEMENTS(places); i++) {
        size_t n = strlen(places[i].path);
        char folder[64];
        snprintf(folder, sizeof(folder), "%.*s", (int)(n - 1), places[i].path);
        if (places[i].path[n - 1] == '/')
            found_each(f, folder, places[i].ending, see_in_folder);
        else
            see_cmdline_file(f, places[i].path, places[i].reader);
    }
    if (!f->cmdline_has_ids || f->n_steps > before)
        return;
    f->needs_reboot = true;
    if (!retire_by_tool(f, loader_find(&f->tree)))
        found_step(f, STAGE_FILES,
                   "# take vfio-pci.ids= off the kernel command line, as this host's boot loader "
                   "has it: none of the files that were seen has it");
}
