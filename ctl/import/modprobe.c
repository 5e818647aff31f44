/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: options of vfio-pci and pci-stub in modprobe.d and in the list of initramfs-tools, and
 * settings there that keep native drivers away. */
#include "import/ids.h"
#include "import/lines.h"
#include "import/sources.h"

#define WORDS_MAX 64

struct line_words {
    char *v[WORDS_MAX];
    size_t n;
};

/* Words beyond the limit are dropped; real lines are shorter. */
static struct line_words split_into_words(char *line)
{
    struct line_words w = {.n = 0};
    char *word;

    while (w.n < WORDS_MAX && (word = lines_word(&line)))
        w.v[w.n++] = word;
    return w;
}

static bool is_vfio_pci(const char *word)
{
    return ids_same_module(word, "vfio-pci");
}

/* The module whose options a line sets, as an index into ids_modules; IDS_MODULES: none. */
static size_t module_of(const char *word)
{
    size_t i = 0;

    while (i < IDS_MODULES && !ids_same_module(word, ids_modules[i]))
        i++;
    return i;
}

static size_t module_of_options(const struct line_words *w)
{
    return w->n >= 3 && streq(w->v[0], "options") ? module_of(w->v[1]) : IDS_MODULES;
}

/* The value of ids= among the options, beginning with `first`; NULL if there is none. The last one
 * counts. */
static const char *ids_option(const struct line_words *w, size_t first)
{
    const char *found = NULL;

    for (size_t i = first; i < w->n; i++) {
        const char *value = after_prefix(w->v[i], "ids=");
        found = value ? value : found;
    }
    return found;
}

static void remark_on_options(struct found *f, const char *path, unsigned line,
                              const struct line_words *w, size_t first)
{
    for (size_t i = first; i < w->n; i++)
        if (!after_prefix(w->v[i], "ids="))
            found_remark(f, path, line,
                         "\"%.100s\" is a setting of %s that does not bind devices: leave it",
                         w->v[i], w->v[first - 1]);
}

static void claim_options_of(struct found *f, size_t module, const char *list, const char *path,
                             unsigned line)
{
    char what[32];

    snprintf(what, sizeof(what), "options %s", ids_modules[module]);
    ids_claim(f, list, &(struct ids_place){ids_modules[module], path, line, what, false});
}

bool import_options_line(struct found *f, const char *path, unsigned line, const char *text)
{
    CLEANUP_FREE char *copy = strdup(text);
    struct line_words w = {.n = 0};

    if (copy)
        w = split_into_words(copy);
    else
        f->tree.failed = true;
    size_t module = module_of_options(&w);
    if (module == IDS_MODULES || !ids_option(&w, 2))
        return false;
    claim_options_of(f, module, ids_option(&w, 2), path, line);
    remark_on_options(f, path, line, &w, 2);
    return true;
}

/* -- modprobe.d -- */

/* The kernel gets the options of all files in their order, and uses the last ids=. */
static void note_options(struct found *f, size_t module, const char *path, unsigned line,
                         const char *value)
{
    struct options_seen *o = &f->options[module];

    if (o->path)
        found_remark(f, o->path, o->line,
                     "this ids= was not in effect: the kernel uses the last one, that of /%s:%u",
                     path, line);
    free(o->path);
    free(o->value);
    *o = (struct options_seen){strdup(path), strdup(value), line};
    if (!o->path || !o->value)
        f->tree.failed = true;
}

static void claim_options(struct found *f, size_t module)
{
    const struct options_seen *o = &f->options[module];

    if (!o->path || !o->value)
        return;
    if (f->running[module])
        found_remark(
            f, o->path, o->line,
            "this ids= was not in effect: the one on the kernel command line overrides it");
    else if (found_is_built_in(f, ids_modules[module]))
        found_remark(f, o->path, o->line,
                     "this ids= was not in effect: %s is built into the kernel, so options for "
                     "loading it do nothing",
                     ids_modules[module]);
    else
        claim_options_of(f, module, o->value, o->path, o->line);
}

static bool has_word(const struct line_words *w, const char *prefix)
{
    for (size_t i = 2; i < w->n; i++)
        if (after_prefix(w->v[i], prefix))
            return true;
    return false;
}

/* Handles settings that keep native drivers away, or load vfio-pci before them. */
static void see_other_line(struct found *f, const char *path, unsigned line,
                           const struct line_words *w)
{
    if (w->n == 2 && streq(w->v[0], "blacklist")) {
        found_blacklisted(f, w->v[1], path, line);
    } else if (w->n >= 3 && streq(w->v[0], "install") && is_vfio_pci(w->v[1])) {
        found_remark(f, path, line,
                     "a command takes the place of loading vfio-pci; which devices it binds is not "
                     "seen here: look into it, and write a rule for each");
    } else if (w->n >= 3 && streq(w->v[0], "install") &&
               (has_word(w, "/bin/false") || has_word(w, "/bin/true") ||
                has_word(w, "/usr/bin/false") || has_word(w, "/usr/bin/true"))) {
        found_blacklisted(f, w->v[1], path, line);
    } else if (w->n >= 3 && streq(w->v[0], "softdep") &&
               (has_word(w, "vfio-pci") || has_word(w, "vfio_pci"))) {
        found_remark(f, path, line,
                     "the soft dependency of %.60s on vfio-pci is no longer needed: vfio-bindd "
                     "reserves the devices before udev loads any driver",
                     w->v[1]);
    } else if (w->n >= 3 && streq(w->v[0], "options") && is_vfio_pci(w->v[1])) {
        remark_on_options(f, path, line, w, 2);
    }
}

/* Numbers of lines in a file: all, those with ids=, and those with nothing else. */
struct option_lines {
    size_t all, with_ids[IDS_MODULES], ids_only;
    bool unsayable; /* a list has an item that no rule can express */
    bool broken;    /* a line with ids= continues in the next line */
};

static void take_out_options(struct found *f, const char *path, const struct option_lines *n)
{
    CLEANUP_FREE char *file = found_quoted("/", path);

    if (n->unsayable)
        found_step(f, STAGE_FILES,
                   "# take ids= out of /%s when there is a rule for each of its items: the remarks "
                   "above name those that have none",
                   path);
    else if (!file || n->broken)
        found_step(f, STAGE_FILES, "# take ids= out of /%s, by hand for its %s", path,
                   file ? "lines that end in a backslash" : "name");
    for (size_t i = 0; i < IDS_MODULES && file && !n->unsayable && !n->broken; i++)
        if (n->with_ids[i] > 0)
            found_edit(f, path,
                       "%ssed -i -E -e '/^\\s*options\\s+%s\\s+ids=\\S*\\s*$/d' -e "
                       "'/^\\s*options\\s+%s\\s/s/\\sids=\\S*//' %s",
                       ctl_sudo(), ids_spellings[i], ids_spellings[i], file);
}

static void retire_options(struct found *f, const char *path, const char *name,
                           const struct option_lines *n)
{
    if (n->unsayable || n->all != n->ids_only ||
        !found_retire_file(f, path, "etc/modprobe.d", name))
        take_out_options(f, path, n);
    found_rebuild_initramfs(f);
    f->needs_reboot = true;
}

static void see_modprobe_file(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    struct option_lines n = {0};
    char *line;

    for (; (line = lines_next(&lines)); n.all++) {
        struct line_words w = split_into_words(line);
        size_t module = module_of_options(&w);
        const char *ids = module < IDS_MODULES ? ids_option(&w, 2) : NULL;
        if (!ids) {
            see_other_line(f, path, lines.first, &w);
            continue;
        }
        n.with_ids[module]++;
        n.ids_only += w.n == 3;
        n.unsayable = n.unsayable || !ids_are_sayable(ids);
        n.broken = n.broken || lines.last > lines.first;
        note_options(f, module, path, lines.first, ids);
        remark_on_options(f, path, lines.first, &w, 2);
    }
    if (n.with_ids[0] + n.with_ids[1] > 0)
        retire_options(f, path, name, &n);
}

/* -- initramfs-tools -- */

static const char initramfs_modules[] = "etc/initramfs-tools/modules";

static void claim_initramfs(struct found *f, size_t module, unsigned line, const char *ids)
{
    const struct ids_place place = {ids_modules[module], initramfs_modules, line, "initramfs-tools",
                                    false};

    if (found_is_built_in(f, ids_modules[module]))
        found_remark(f, initramfs_modules, line,
                     "this ids= was not in effect: %s is built into the kernel, so options for "
                     "loading it do nothing",
                     ids_modules[module]);
    else
        ids_claim(f, ids, &place);
    if (ids_are_sayable(ids))
        found_edit(f, initramfs_modules, "%ssed -i -E '/^\\s*%s\\s/s/\\sids=\\S*//' /%s",
                   ctl_sudo(), ids_spellings[module], initramfs_modules);
    else
        found_step(f, STAGE_FILES, "# take ids= out of /%s when there is a rule for each item",
                   initramfs_modules);
    found_rebuild_initramfs(f);
    f->needs_reboot = true;
}

/* Each line has a module and its options. */
static void see_initramfs_modules(struct found *f)
{
    CLEANUP_FREE char *text = found_read(f, initramfs_modules);
    struct lines lines = lines_of(text);
    char *line;

    while ((line = lines_next(&lines))) {
        struct line_words w = split_into_words(line);
        size_t module = w.n > 0 ? module_of(w.v[0]) : IDS_MODULES;
        const char *ids = module < IDS_MODULES ? ids_option(&w, 1) : NULL;
        if (ids) {
            claim_initramfs(f, module, lines.first, ids);
            remark_on_options(f, initramfs_modules, lines.first, &w, 1);
        } else if (w.n > 0 && after_prefix(w.v[0], "vfio")) {
            found_remark(f, initramfs_modules, lines.first,
                         "%.60s in the initramfs does no harm, and is no longer needed", w.v[0]);
        }
    }
}

/* Collects the addresses in a script for the remark. Only a human can tell which of them the script
 * binds. */
static void collect_addresses(const char *text, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    for (const char *at = text; (at = strchr(at, '.')) && used + 16 < size; at++) {
        char word[16];
        struct pci_addr a;
        if (at - text < 10 || at[1] < '0' || at[1] > '7')
            continue;
        snprintf(word, sizeof(word), "%.12s", at - 10);
        if (pci_addr_parse(word, &a) < 0 || strstr(buf, word))
            continue;
        used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "", word);
    }
}

static void see_initramfs_script(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    char addresses[256];
    (void)name;

    if (!text || (!strstr(text, "driver_override") && !strstr(text, "vfio-pci/new_id")))
        return;
    collect_addresses(text, addresses, sizeof(addresses));
    found_remark(f, path, 0,
                 "a script that binds devices, which cannot be read like a list%s%s: write a rule "
                 "for each, then remove it",
                 *addresses ? "; it names " : "", addresses);
}

void import_modprobe(struct found *f)
{
    static const char *const folders[] = {"etc/modprobe.d", "run/modprobe.d",
                                          "usr/local/lib/modprobe.d", "usr/lib/modprobe.d",
                                          "lib/modprobe.d"};
    static const char *const scripts[] = {"init-top", "init-premount", "local-top",
                                          "local-premount"};
    char folder[64];

    found_each_of(f, folders, ELEMENTS(folders), ".conf", see_modprobe_file);
    for (size_t i = 0; i < IDS_MODULES; i++)
        claim_options(f, i);
    see_initramfs_modules(f);
    for (size_t i = 0; i < ELEMENTS(scripts); i++) {
        snprintf(folder, sizeof(folder), "etc/initramfs-tools/scripts/%s", scripts[i]);
        found_each(f, folder, "", see_initramfs_script);
    }
}
