/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: options of vfio-pci in modprobe.d and in the list of initramfs-tools, and what was done
 * there to keep native drivers away. */
#include "import/ids.h"
#include "import/lines.h"
#include "import/sources.h"

#define WORDS_MAX 64

struct words {
    char *v[WORDS_MAX];
    size_t n;
};

/* Words past the bound are left out; nobody's line has so many. */
static struct words split_into_words(char *line)
{
    struct words w = {.n = 0};
    char *word;

    while (w.n < WORDS_MAX && (word = lines_word(&line)))
        w.v[w.n++] = word;
    return w;
}

static bool is_vfio_pci(const char *word)
{
    return streq(word, "vfio-pci") || streq(word, "vfio_pci");
}

/* The value of ids= among the options from `first` on; NULL if there is none. The last counts. */
static const char *ids_option(const struct words *w, size_t first)
{
    const char *found = NULL;

    for (size_t i = first; i < w->n; i++) {
        const char *value = after_prefix(w->v[i], "ids=");
        found = value ? value : found;
    }
    return found;
}

static void remark_on_options(struct found *f, const char *path, unsigned line,
                              const struct words *w, size_t first)
{
    for (size_t i = first; i < w->n; i++)
        if (!after_prefix(w->v[i], "ids="))
            found_remark(f, path, line,
                         "\"%.100s\" is a setting of vfio-pci, not of who binds: leave it there",
                         w->v[i]);
}

bool import_options_line(struct found *f, const char *path, unsigned line, const char *text)
{
    CLEANUP_FREE char *copy = strdup(text);
    struct words w = {.n = 0};

    if (copy)
        w = split_into_words(copy);
    else
        f->tree.failed = true;
    if (w.n < 3 || !streq(w.v[0], "options") || !is_vfio_pci(w.v[1]) || !ids_option(&w, 2))
        return false;
    ids_claim(f, ids_option(&w, 2), path, line, "options vfio-pci");
    remark_on_options(f, path, line, &w, 2);
    return true;
}

/* -- modprobe.d -- */

/* The kernel gets the options of all files in their order, and keeps the last ids=. */
static void note_options(struct found *f, const char *path, unsigned line, const char *value)
{
    struct options_seen *o = &f->options;

    if (o->path)
        found_remark(f, o->path, o->line,
                     "this ids= was not in effect: the kernel keeps the last one, that of /%s:%u",
                     path, line);
    free(o->path);
    free(o->value);
    *o = (struct options_seen){strdup(path), strdup(value), line};
    if (!o->path || !o->value)
        f->tree.failed = true;
}

static void claim_options(struct found *f)
{
    const struct options_seen *o = &f->options;

    if (!o->path || !o->value)
        return;
    if (f->cmdline_has_ids)
        found_remark(f, o->path, o->line,
                     "this ids= was not in effect: that on the kernel command line outdoes it");
    else
        ids_claim(f, o->value, o->path, o->line, "options vfio-pci");
}

static bool has_word(const struct words *w, const char *prefix)
{
    for (size_t i = 2; i < w->n; i++)
        if (after_prefix(w->v[i], prefix))
            return true;
    return false;
}

/* What keeps native drivers away, or loads vfio-pci before them. */
static void see_other_line(struct found *f, const char *path, unsigned line, const struct words *w)
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
                     "the soft dependency of %.60s on vfio-pci is not needed any more: vfio-bindd "
                     "reserves the devices before udev loads any driver",
                     w->v[1]);
    } else if (w->n >= 3 && streq(w->v[0], "options") && is_vfio_pci(w->v[1])) {
        remark_on_options(f, path, line, w, 2);
    }
}

/* Lines of one file: all, those with ids=, and those with nothing else. */
struct option_lines {
    size_t all, with_ids, ids_only;
};

static void retire_options(struct found *f, const char *path, const char *name,
                           const struct option_lines *n)
{
    CLEANUP_FREE char *file = found_quoted("/", path);
    bool retired = n->all == n->ids_only && found_retire_file(f, path, "etc/modprobe.d", name);

    if (!retired && !file)
        found_step(f, STAGE_FILES, "# take ids= out of /%s, by hand for its name", path);
    else if (!retired)
        found_step(f, STAGE_FILES,
                   "%ssed -i -E -e '/^\\s*options\\s+vfio[-_]pci\\s+ids=\\S*\\s*$/d' -e "
                   "'/^\\s*options\\s+vfio[-_]pci\\s/s/\\sids=\\S*//' %s",
                   ctl_sudo(), file);
    found_rebuild_initramfs(f);
}

static void see_modprobe_file(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    struct option_lines n = {0};
    char *line;

    for (; (line = lines_next(&lines)); n.all++) {
        struct words w = split_into_words(line);
        const char *ids =
            w.n >= 3 && streq(w.v[0], "options") && is_vfio_pci(w.v[1]) ? ids_option(&w, 2) : NULL;
        if (!ids) {
            see_other_line(f, path, lines.first, &w);
            continue;
        }
        n.with_ids++;
        n.ids_only += w.n == 3;
        note_options(f, path, lines.first, ids);
        remark_on_options(f, path, lines.first, &w, 2);
    }
    if (n.with_ids > 0)
        retire_options(f, path, name, &n);
}

/* -- initramfs-tools -- */

/* /etc/initramfs-tools/modules: a module and its options on each line. */
static void see_initramfs_modules(struct found *f)
{
    static const char path[] = "etc/initramfs-tools/modules";
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    char *line;

    while ((line = lines_next(&lines))) {
        struct words w = split_into_words(line);
        if (w.n == 0 || !after_prefix(w.v[0], "vfio"))
            continue;
        const char *ids = is_vfio_pci(w.v[0]) ? ids_option(&w, 1) : NULL;
        if (!ids) {
            found_remark(f, path, lines.first,
                         "%.60s in the initramfs does no harm, and is not needed any more", w.v[0]);
            continue;
        }
        ids_claim(f, ids, path, lines.first, "initramfs-tools");
        remark_on_options(f, path, lines.first, &w, 1);
        found_step(f, STAGE_FILES, "%ssed -i -E '/^\\s*vfio[-_]pci\\s/s/\\sids=\\S*//' /%s",
                   ctl_sudo(), path);
        found_rebuild_initramfs(f);
    }
}

/* The addresses in a script, for the remark: which of them it binds, only a reader can tell. */
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
    claim_options(f);
    see_initramfs_modules(f);
    for (size_t i = 0; i < ELEMENTS(scripts); i++) {
        snprintf(folder, sizeof(folder), "etc/initramfs-tools/scripts/%s", scripts[i]);
        found_each(f, folder, "", see_initramfs_script);
    }
}
