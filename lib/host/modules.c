/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/utsname.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

#define VARIANT_BUS "vfio_pci:"
#define LINE_MAX_BYTES 4096 /* longer lines are not aliases of PCI devices */

typedef void visitor(void *userdata, const char *pattern, const char *module);

bool module_name_is_valid(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return n > 0 && n < MODULE_NAME_MAX && !name[n];
}

/* Adds a name unless it is there already. Module names are spelled as in /sys/module. */
static void add_name(struct module_names *names, const char *name, bool module)
{
    char text[MODULE_NAME_MAX];

    if (!module_name_is_valid(name))
        return;
    snprintf(text, sizeof(text), "%s", name);
    for (char *p = text; module && *p; p++)
        if (*p == '-')
            *p = '_';
    for (size_t i = 0; i < names->n; i++)
        if (streq(names->v[i], text))
            return;
    if (names->n < MODULE_NAMES_MAX)
        memcpy(names->v[names->n++], text, sizeof(text));
}

/* -- the files -- */

static int open_file(int root_fd, const char *folder, const char *name, FILE **ret)
{
    char path[PATH_MAX];

    *ret = NULL;
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return fd;
    *ret = fdopen(fd, "r");
    if (!*ret)
        return -errno;
    (void)take_fd(&fd);
    return 0;
}

/* Reads up to `end`, exclusive. A text that does not fit is skipped and leaves buf empty. Returns
 * false at the end of the file. */
static bool read_until(FILE *f, int end, char buf[static LINE_MAX_BYTES])
{
    size_t n = 0;
    int c;

    while ((c = getc_unlocked(f)) != EOF && c != end)
        if (n++ < LINE_MAX_BYTES - 1)
            buf[n - 1] = (char)c;
    buf[n < LINE_MAX_BYTES ? n : 0] = '\0';
    return c != EOF || n > 0;
}

/* "alias PATTERN MODULE", for the patterns of one bus ("pci:"). */
static int each_alias(int root_fd, const char *folder, const char *bus, visitor *visit,
                      void *userdata)
{
    char line[LINE_MAX_BYTES];
    CLEANUP(fclosep) FILE *f;
    int r = open_file(root_fd, folder, "modules.alias", &f);

    if (r < 0)
        return r;
    while (read_until(f, '\n', line)) {
        const char *pattern = after_prefix(line, "alias ");
        char *space = pattern && after_prefix(pattern, bus) ? strrchr(line, ' ') : NULL;
        if (!space || space <= pattern)
            continue;
        *space = '\0';
        visit(userdata, pattern, space + 1);
    }
    return ferror(f) ? -EIO : 0;
}

/* "MODULE.alias=PATTERN", each ended by a NUL. */
static int each_builtin_alias(int root_fd, const char *folder, const char *bus, visitor *visit,
                              void *userdata)
{
    char text[LINE_MAX_BYTES];
    CLEANUP(fclosep) FILE *f;
    int r = open_file(root_fd, folder, "modules.builtin.modinfo", &f);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    while (read_until(f, '\0', text)) {
        char *dot = strchr(text, '.');
        const char *pattern = dot ? after_prefix(dot, ".alias=") : NULL;
        if (!pattern || !after_prefix(pattern, bus))
            continue;
        *dot = '\0';
        visit(userdata, pattern, text);
    }
    return ferror(f) ? -EIO : 0;
}

/* -- matching -- */

struct match {
    const char *modalias;
    struct module_names *names;
};

static void add_match(void *userdata, const char *pattern, const char *module)
{
    const struct match *m = userdata;

    if (fnmatch(pattern, m->modalias, 0) == 0)
        add_name(m->names, module, true);
}

int modules_find_folder(int root_fd, char ret[static MODULES_FOLDER_MAX])
{
    static const char *const places[] = {"usr/lib/modules", "lib/modules"};
    struct utsname host;
    int r = 0;

    if (uname(&host) < 0)
        return -errno;
    for (size_t i = 0; i < ELEMENTS(places) && r == 0; i++) {
        int n = snprintf(ret, MODULES_FOLDER_MAX, "%s/%s", places[i], host.release);
        CLEANUP_CLOSE int fd = n < MODULES_FOLDER_MAX
                                   ? rootfs_open(root_fd, ret, O_PATH | O_DIRECTORY)
                                   : -ENAMETOOLONG;
        r = fd >= 0 ? 1 : fact_error(fd);
    }
    return r;
}

/* -- variants -- */

struct variant_alias {
    char *pattern;
    size_t wildcards;
    char module[MODULE_NAME_MAX];
};

static void add_variant(void *userdata, const char *pattern, const char *module)
{
    struct variant_aliases *a = userdata;
    struct variant_alias new = {0};

    if (!module_name_is_valid(module))
        return;
    new.pattern = strdup(pattern);
    if (!new.pattern || !grow(&a->v, &a->allocated, a->n, sizeof(*a->v))) {
        free(new.pattern);
        a->no_memory = true;
        return;
    }
    for (const char *p = pattern; *p; p++)
        new.wildcards += *p == '*' || *p == '?' || *p == '[';
    strcpy(new.module, module); /* it is valid, so it fits */
    a->v[a->n++] = new;
}

int variant_aliases_read(int root_fd, const char *folder, struct variant_aliases *ret)
{
    int r = each_alias(root_fd, folder, VARIANT_BUS, add_variant, ret);

    return r == 0 && ret->no_memory ? -ENOMEM : r;
}

void variant_aliases_done(struct variant_aliases *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->v[i].pattern);
    free(a->v);
    *a = (struct variant_aliases){0};
}

const char *modules_variant(const struct variant_aliases *a, const char *modalias)
{
    const struct variant_alias *best = NULL;
    const char *rest = after_prefix(modalias, "pci:");
    char wanted[128];

    if (!rest || strlen(rest) > 100)
        return NULL;
    snprintf(wanted, sizeof(wanted), VARIANT_BUS "%s", rest);
    for (size_t i = 0; i < a->n; i++)
        if ((!best || a->v[i].wildcards < best->wildcards) &&
            fnmatch(a->v[i].pattern, wanted, 0) == 0)
            best = &a->v[i];
    return best ? best->module : NULL;
}

bool modules_is_variant(const struct variant_aliases *a, const char *module)
{
    for (size_t i = 0; i < a->n; i++)
        if (streq(a->v[i].module, module))
            return true;
    return false;
}

int modules_native(int root_fd, const char *folder, const char *modalias, struct module_names *ret)
{
    struct match m = {.modalias = modalias, .names = ret};
    const char *bus = after_prefix(modalias, "virtio:") ? "virtio:" : "pci:";
    int r, q;

    if (!after_prefix(modalias, bus))
        return -EINVAL;
    r = each_alias(root_fd, folder, bus, add_match, &m);
    q = each_builtin_alias(root_fd, folder, bus, add_match, &m);
    return r < 0 ? r : q;
}

int modules_drivers(int root_fd, const char *module, struct module_names *ret)
{
    char path[MODULE_NAME_MAX + 32];
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir = NULL;
    int r;

    if (!module_name_is_valid(module))
        return -EINVAL;
    snprintf(path, sizeof(path), "sys/module/%s/drivers", module);
    for (char *p = path + strlen("sys/module/"); *p != '/'; p++)
        if (*p == '-')
            *p = '_';
    r = rootfs_open_dir(root_fd, path, &dir);
    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        const char *name = after_prefix(e->d_name, "pci:");
        if (name)
            add_name(ret, name, false);
        r = 0;
    }
    return r;
}
