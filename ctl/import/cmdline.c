/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: vfio-pci.ids= and pci-stub.ids= on the kernel command line, and in the files from which
 * boot loaders and dracut make it. */
#include "cmdline-files.h"
#include "import/ids.h"
#include "import/lines.h"
#include "import/sources.h"

/* -- how it is taken out -- */

static void rebuild_after(struct found *f, enum cmdline_reader reader)
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

/* grubby and rpm-ostree edit the entries themselves. */
static bool retire_by_tool(struct found *f, enum loader loader, const char *module)
{
    if (loader == LOADER_GRUBBY) {
        CLEANUP_FREE char *other = strdup(module);
        for (char *c = other; c && *c; c++)
            *c = (char)(*c == '-' ? '_' : *c);
        found_step(f, STAGE_FILES, "%sgrubby --update-kernel=ALL --remove-args='%s.ids %s.ids'",
                   ctl_sudo(), module, other ? other : "");
    } else if (loader == LOADER_OSTREE && loader_is_managed(&f->tree)) {
        found_step(f, STAGE_FILES, "# take %s.ids= out of the kernelArguments of the MachineConfig",
                   module);
    } else if (loader == LOADER_OSTREE) {
        found_step(f, STAGE_FILES, "%srpm-ostree kargs --editor   # take out %s.ids=", ctl_sudo(),
                   module);
    } else if (loader == LOADER_TALOS) {
        found_step(f, STAGE_FILES,
                   "# Talos: take %s.ids= out of machine.install.extraKernelArgs (or of the "
                   "image's schematic), then talosctl upgrade",
                   module);
    } else {
        return false;
    }
    f->needs_reboot = true;
    return true;
}

/* All lists for one module in one file. */
struct lists_in_file {
    size_t n;
    bool odd;       /* a command could not remove one of them completely */
    bool unsayable; /* one has an item that no rule can express */
};

static void retire_parameter(struct found *f, const char *path, enum cmdline_reader reader,
                             size_t module, const struct lists_in_file *lists)
{
    const char *name = ids_modules[module];
    CLEANUP_FREE char *file = found_quoted("/", path);

    if (lists->unsayable)
        found_step(f, STAGE_FILES,
                   "# take %s.ids= out of /%s when there is a rule for each of its items: the "
                   "remarks above name those that have none",
                   name, path);
    else if (reader == READER_ENTRY && retire_by_tool(f, loader_find(&f->tree), name))
        return;
    else if (reader == READER_GRUBENV)
        found_step(f, STAGE_FILES,
                   "# grub2-editenv /%s list shows the variable with %s.ids=: set it anew "
                   "without, by grub2-editenv /%s set NAME='...'",
                   path, name, path);
    else if (!file || lists->odd)
        found_step(f, STAGE_FILES, "# take %s.ids= out of /%s", name, path);
    else /* only if the rest of the line would not be joined to the parameter before */
        found_edit(f, path,
                   "%ssed -i -E 's/ *%s[.]ids=[0-9A-Fa-fXx:,]*([[:space:]\"\\x27]|$)/\\1/g' %s",
                   ctl_sudo(), ids_spellings[module], file);
    rebuild_after(f, reader);
}

/* -- what else is said there -- */

/* These settings of vfio-pci are independent of who binds the devices. */
static void remark_on_settings(struct found *f, const char *path, unsigned line, const char *text)
{
    static const char *const settings[] = {
        "pci.disable_vga=", "pci.disable_idle_d3=", "pci.nointxmask=", "pci.enable_sriov=",
        "pci.disable_denylist="};

    for (size_t i = 0; i < ELEMENTS(settings); i++) {
        const char *at = strstr(text, settings[i]);
        if (at && at - text >= 5 && strncmp(at - 5, "vfio", 4) == 0)
            found_remark(f, path, line,
                         "vfio-%.*s is a setting of vfio-pci that does not bind devices: leave it",
                         (int)strcspn(at, "="), at);
    }
}

static void remark_on_preload(struct found *f, const char *path, unsigned line, const char *text)
{
    static const char *const words[] = {"rd.driver.pre=vfio", "modules_load=vfio",
                                        "modules-load=vfio"};

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (strstr(text, words[i]))
            found_remark(
                f, path, line,
                "%s... does no harm, and is no longer needed: vfio-bindd.service loads vfio-pci",
                words[i]);
}

/* -- files -- */

/* Matches NAME= or NAME+= at the beginning of a line in shell syntax. Returns the rest, or NULL. */
static const char *assignment(const char *line, char *name, size_t size, bool *ret_adds)
{
    const char *start = after_prefix(line, "export ") ? line + strlen("export ") : line;
    size_t n = 0;

    while (isalnum((unsigned char)start[n]) || start[n] == '_')
        n++;
    *ret_adds = start[n] == '+';
    if (n == 0 || n >= size || start[n + *ret_adds] != '=')
        return NULL;
    snprintf(name, size, "%.*s", (int)n, start);
    return start + n + *ret_adds + 1;
}

static bool uses_variable(const char *value, const char *name)
{
    for (const char *at = value; (at = strchr(at, '$')); at++) {
        const char *rest = after_prefix(at + 1 + (at[1] == '{'), name);
        if (rest && !isalnum((unsigned char)*rest) && *rest != '_')
            return true;
    }
    return false;
}

/* The last assignment to a variable counts. Writes the name of the variable of this line, or "". */
static void note_assignment(struct found *f, const char *path, unsigned number, const char *line,
                            char name[static 48])
{
    bool adds;
    const char *value = assignment(line, name, 48, &adds);

    if (!value)
        *name = '\0';
    for (size_t i = 0; value && !adds && i < f->n_parameters; i++) {
        struct parameter_seen *p = &f->parameters[i];
        if (p->set_line > 0 || !streq(p->variable, name) || uses_variable(value, name))
            continue;
        snprintf(p->set_by, sizeof(p->set_by), "%s", path);
        p->set_line = number;
    }
}

static void add_parameter(struct found *f, const struct parameter_seen *p)
{
    struct parameter_seen copy = *p;

    if (f->n_parameters >= FOUND_CLAIMS_MAX) {
        f->left_out++;
        return;
    }
    copy.path = strdup(p->path);
    copy.value = strdup(p->value);
    if (!copy.path || !copy.value ||
        !grow(&f->parameters, &f->allocated_parameters, f->n_parameters, sizeof(*f->parameters))) {
        free(copy.path);
        free(copy.value);
        f->tree.failed = true;
        return;
    }
    f->parameters[f->n_parameters++] = copy;
}

static void see_lists(struct found *f, struct parameter_seen *p, const char *line, bool broken,
                      struct lists_in_file lists[static IDS_MODULES])
{
    struct ids_found ids;

    for (p->module = 0; p->module < IDS_MODULES; p->module++) {
        struct lists_in_file *l = &lists[p->module];
        if (!ids_find(line, ids_modules[p->module], &ids))
            continue;
        l->odd = l->odd || !ids.plain || broken;
        l->unsayable = l->unsayable || !ids_are_sayable(ids.value);
        l->n++;
        p->value = ids.value;
        add_parameter(f, p);
    }
}

static void see_cmdline_file(struct found *f, const char *path, enum cmdline_reader reader)
{
    CLEANUP_FREE char *text = found_read(f, path), *place = strdup(path);
    struct lines lines = lines_of(text);
    struct lists_in_file lists[IDS_MODULES] = {0};
    char *line;

    while (place && (line = lines_next(&lines))) {
        struct parameter_seen p = {
            .path = place, .line = lines.first, .dracut = reader == READER_DRACUT};
        remark_on_settings(f, path, lines.first, line);
        remark_on_preload(f, path, lines.first, line);
        if (reader == READER_DRACUT && strstr(line, "_drivers") && strstr(line, "vfio"))
            found_remark(f, path, lines.first,
                         "VFIO's drivers in the initramfs do no harm, and are no longer needed");
        if (reader == READER_GRUB)
            note_assignment(f, path, lines.first, line, p.variable);
        see_lists(f, &p, line, lines.last > lines.first, lists);
    }
    for (size_t i = 0; i < IDS_MODULES; i++)
        if (lists[i].n > 0)
            retire_parameter(f, path, reader, i, &lists[i]);
}

/* The command line of the running kernel counts; without it, the one of the next boot. */
static void claim_parameters(struct found *f)
{
    for (size_t i = 0; i < f->n_parameters; i++) {
        const struct parameter_seen *p = &f->parameters[i];
        char what[48];
        snprintf(what, sizeof(what), "%s.ids=, boot loader", ids_modules[p->module]);
        const struct ids_place place = {ids_modules[p->module], p->path, p->line,
                                        p->dracut ? "dracut" : what, f->running[p->module]};
        if (p->set_line > 0)
            found_remark(f, p->path, p->line, "this ids= is not in effect: /%s:%u sets %s anew",
                         p->set_by, p->set_line, p->variable);
        else
            ids_claim(f, p->value, &place);
    }
}

/* The callback for a folder has no argument for this. */
static enum cmdline_reader reader_of(const char *path)
{
    for (size_t i = 0; i < CMDLINE_FILES; i++) {
        const char *rest = after_prefix(path, cmdline_files[i].path);
        if (rest && *rest == '/')
            return cmdline_files[i].reader;
    }
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
    for (size_t i = 0; i < IDS_MODULES; i++) {
        char what[48];
        snprintf(what, sizeof(what), "%s.ids= of the running kernel", ids_modules[i]);
        f->running[i] = ids_find(text, ids_modules[i], &ids);
        if (f->running[i])
            ids_claim(f, ids.value, &(struct ids_place){ids_modules[i], path, 0, what, false});
    }
    remark_on_blacklists(f, text);
}

void import_cmdline(struct found *f)
{
    size_t before = f->n_steps;

    see_running_cmdline(f);
    for (size_t i = 0; i < CMDLINE_FILES; i++) {
        const struct cmdline_file *file = &cmdline_files[i];
        if (file->ending)
            found_each(f, file->path, file->ending, see_in_folder);
        else
            see_cmdline_file(f, file->path, file->reader);
    }
    claim_parameters(f);
    bool nowhere = f->n_steps == before;
    for (size_t i = 0; i < IDS_MODULES; i++) {
        if (!nowhere || !f->running[i])
            continue;
        f->needs_reboot = true;
        if (!retire_by_tool(f, loader_find(&f->tree), ids_modules[i]))
            found_step(f, STAGE_FILES,
                       "# take %s.ids= off the kernel command line, as this host's boot loader "
                       "has it: none of the files that were seen has it",
                       ids_modules[i]);
    }
}
