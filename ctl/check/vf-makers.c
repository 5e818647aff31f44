/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device has one number of virtual functions, and whoever writes another number must first remove
 * all of them. So only files that set the number count: a .network file configures existing
 * functions, and creates none (systemd.network(5)). */
#include "check/vf-makers.h"

#include "check/boot.h"
#include "check/files.h"

/* The device that a text is about. */
enum meant { MEANT_NOTHING, MEANT_OTHER, MEANT_OURS };

/* What is known about a file (a unit with its scripts). */
struct maker {
    const char *word; /* the word by which it creates virtual functions; NULL: it creates none */
    enum meant by_line, by_file;
    const struct physical *by_line_ours, *by_file_ours;
};

struct maker_search {
    const struct physicals *physicals;
    const char *folder; /* the folder of such files, below /etc, /usr/lib and others */
    /* The words with which such files create virtual functions; the last one is NULL. */
    const char *const *words;
    const struct physical *first; /* the first device that matters */
};

static const char *const numvfs_words[] = {"sriov_numvfs", "sriov-manage", NULL};
static const char *const unit_words[] = {"sriov_numvfs", "sriov-manage",
                                         "sriov-network-config-daemon", NULL};
static const char *const link_words[] = {"SR-IOVVirtualFunctions=", "[SR-IOV]", NULL};
static const char *const profile_words[] = {"total-vfs=", NULL};
static const char *const netplan_words[] = {"virtual-function-count:", NULL};

/* -- which device is meant -- */

/* Does a rule set their number? Other devices are listed because a rule did so before. */
static bool asks_for_vfs(const struct physical *p)
{
    return *p->rule && p->wanted > 0;
}

static void mean(const struct physical *ours, enum meant *meant, const struct physical **ret)
{
    if (*meant == MEANT_OURS)
        return;
    *meant = ours ? MEANT_OURS : MEANT_OTHER;
    *ret = ours;
}

/* Finds devices by their addresses. */
static void see_addresses(const struct physicals *p, const char *line, enum meant *meant,
                          const struct physical **ret)
{
    while (*(line += strcspn(line, "0123456789abcdefABCDEF"))) {
        size_t n = strspn(line, "0123456789abcdefABCDEF:.");
        char word[16] = "";
        struct pci_addr a;
        if (n < sizeof(word))
            memcpy(word, line, n);
        if (strchr(word, ':') && strchr(word, '.') && pci_addr_parse(word, &a) == 0) {
            const struct physical *found = physicals_find(p, a);
            mean(found && asks_for_vfs(found) ? found : NULL, meant, ret);
        }
        line += n;
    }
}

/* Finds a network card by the name of its interface in the path of one of its files. */
static void see_interfaces(struct check *c, const struct physicals *p, const char *line,
                           enum meant *meant, const struct physical **ret)
{
    while ((line = strstr(line, "/net/"))) {
        const char *name = line += strlen("/net/");
        size_t n = strcspn(name, "/ \t\"'*?$%{[");
        const struct physical *found = NULL;
        char path[128];
        if (n == 0 || n > 15 || name[n] != '/') /* not a name: a glob or a variable */
            continue;
        for (size_t i = 0; !found && i < p->n; i++) {
            snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net/%.*s", p->v[i].address, (int)n,
                     name);
            if (asks_for_vfs(&p->v[i]) && check_exists(c, path))
                found = &p->v[i];
        }
        mean(found, meant, ret);
    }
}

/* -- files -- */

static const char *word_in(const struct maker_search *s, const char *line)
{
    for (const char *const *word = s->words; *word; word++)
        if (strstr(line, *word))
            return *word;
    return NULL;
}

static void see_maker_line(struct check *c, const struct maker_search *s, const char *line,
                           struct maker *m)
{
    const char *word = word_in(s, line);
    enum meant *meant = word ? &m->by_line : &m->by_file;
    const struct physical **ours = word ? &m->by_line_ours : &m->by_file_ours;

    if (word && !m->word)
        m->word = word;
    see_addresses(s->physicals, line, meant, ours);
    see_interfaces(c, s->physicals, line, meant, ours);
}

static const struct physical *first_wanted(const struct physicals *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (asks_for_vfs(&p->v[i]))
            return &p->v[i];
    return NULL;
}

static void add_maker(struct check *c, const struct maker_search *s, const struct physical *ours,
                      const char *who)
{
    const struct physical *p = ours ? ours : s->first;

    check_add(c, FINDING_WARN, "vf-maker",
              "%s creates virtual functions, %sof %s, for which [device %s] has vfs = %u: keep "
              "only one of the two",
              who, ours ? "" : "perhaps ", p->address, p->rule, p->wanted);
}

/* For those who keep the other tool: a rule for the functions that it creates. */
static void keep_other(struct check *c)
{
    check_remedy(c,
                 "%svfio-bindctl edit   # or remove \"vfs\"; vf-of also selects virtual functions "
                 "that others create",
                 ctl_sudo());
}

/* Returns false if the file creates none, or only those of other devices. */
static bool add_maker_file(struct check *c, struct maker_search *s, const struct maker *m,
                           const char *path)
{
    enum meant meant = m->by_line != MEANT_NOTHING ? m->by_line : m->by_file;
    CLEANUP_FREE char *who = NULL;

    if (!m->word || meant == MEANT_OTHER)
        return false;
    check_append(c, &who, "", "/%s (\"%s\")", path, m->word);
    if (!who)
        return false;
    add_maker(c, s, m->by_line_ours ? m->by_line_ours : m->by_file_ours, who);
    return true;
}

static void see_text(struct check *c, const struct maker_search *s, const char *path,
                     struct maker *m)
{
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line;

    while (text && (line = check_line(&rest)))
        see_maker_line(c, s, line, m);
}

/* A file of another program, which must be edited by hand. */
static void see_file(struct check *c, const char *path, const char *name, void *data)
{
    struct maker m = {0};
    (void)name;

    see_text(c, data, path, &m);
    if (!add_maker_file(c, data, &m, path))
        return;
    check_remedy(c, "%s/%s   # take that out", geteuid() == 0 ? "${EDITOR:-vi} " : "sudoedit ",
                 path);
    keep_other(c);
}

/* A file that is disabled by a file of the same name in /etc. */
static void see_config(struct check *c, const char *path, const char *name, void *data)
{
    struct maker_search *s = data;
    struct maker m = {0};

    see_text(c, s, path, &m);
    if (!add_maker_file(c, s, &m, path))
        return;
    if (after_prefix(path, "etc/"))
        check_remedy(c, "%smv /%s /root/   # or remove that part", ctl_sudo(), path);
    else
        check_remedy(c, "%sln -s /dev/null /etc/%s/%s", ctl_sudo(), s->folder, name);
    keep_other(c);
}

static void see_configs(struct check *c, struct maker_search *s, const char *folder,
                        const char *ending, const char *const *words)
{
    s->folder = folder;
    s->words = words;
    check_each_config(c, folder, ending, see_config, s);
}

/* -- units -- */

struct enabled_search {
    const char *unit;
    bool found;
};

/* The name is NAME.service or, for a template, NAME@instance.service. */
static void see_wanted(struct check *c, const char *path, const char *name, void *data)
{
    struct enabled_search *s = data;
    const char *at = strchr(s->unit, '@');
    size_t n = at ? (size_t)(at - s->unit) + 1 : strlen(s->unit) + 1;
    (void)c;
    (void)path;

    s->found = s->found || strncmp(name, s->unit, n) == 0;
}

static void see_wants(struct check *c, const char *path, const char *name, void *data)
{
    (void)name;

    check_each(c, path, ".service", see_wanted, data);
}

static bool is_enabled(struct check *c, const char *unit)
{
    struct enabled_search s = {unit, false};

    check_each(c, "etc/systemd/system", ".wants", see_wants, &s);
    check_each(c, "etc/systemd/system", ".requires", see_wants, &s);
    return s.found;
}

/* Is it the administrator's own script, and not a program of the distribution? */
static bool may_be_script(const char *path)
{
    static const char *const folders[] = {"/etc/",  "/usr/local/", "/opt/",
                                          "/root/", "/srv/",       "/var/lib/"};

    for (size_t i = 0; i < ELEMENTS(folders); i++)
        if (after_prefix(path, folders[i]) && !strstr(path, ".."))
            return true;
    return false;
}

/* Reads the scripts that a line names: ExecStart=-/usr/local/sbin/vfs 8, ExecStart=/bin/sh
 * /etc/vfs.sh */
static void see_scripts(struct check *c, const struct maker_search *s, char *line, struct maker *m)
{
    char *word;

    while ((word = strsep(&line, "= \t\"'"))) {
        word += strspn(word, "-@:+!");
        if (may_be_script(word))
            see_text(c, s, word + 1, m);
    }
}

static void see_unit(struct check *c, const char *path, const char *name, void *data)
{
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line;
    struct maker m = {0};

    while (text && (line = check_line(&rest))) {
        if (!after_prefix(line, "Exec"))
            continue;
        see_maker_line(c, data, line, &m);
        see_scripts(c, data, line, &m);
    }
    if (!m.word || !is_enabled(c, name) || !add_maker_file(c, data, &m, path))
        return;
    check_remedy(c, "%ssystemctl disable --now %s", ctl_sudo(), name);
    keep_other(c);
}

/* -- parameters of modules -- */

/* "max_vfs" of Intel's network drivers, "num_vfs" of mlx4_core; the value is a list of numbers, one
 * for each device. */
static bool makes_vfs(const char *parameter)
{
    const char *value = after_prefix(parameter, "max_vfs=");

    value = value ? value : after_prefix(parameter, "num_vfs=");
    return value && *value && !value[strspn(value, "0123456789,")];
}

/* A parameter matters only for devices of its module. */
static const struct physical *of_module(struct check *c, const struct physicals *p,
                                        const char *module)
{
    for (size_t i = 0; i < p->n; i++) {
        struct pci_addr a;
        const struct device *d =
            pci_addr_parse(p->v[i].address, &a) == 0 ? snapshot_find(&c->s->snapshot, a) : NULL;
        if (d && d->driver && streq(d->driver, module) && asks_for_vfs(&p->v[i]))
            return &p->v[i];
    }
    return NULL;
}

static bool add_module_maker(struct check *c, struct maker_search *s, const char *module,
                             const char *parameter, const char *where)
{
    const struct physical *ours = of_module(c, s->physicals, module);
    CLEANUP_FREE char *who = NULL;

    if (!ours)
        return false;
    check_append(c, &who, "", "%s %s%s", module, parameter, where);
    if (who)
        add_maker(c, s, ours, who);
    return who;
}

/* "options ixgbe max_vfs=8 allow_unsupported_sfp=1" */
static void see_options(struct check *c, const char *path, const char *name, void *data)
{
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line;
    (void)name;

    while (text && (line = check_line(&rest))) {
        const char *command = strsep(&line, " \t"), *module, *word;
        if (!streq(command, "options") || !(module = strsep(&line, " \t")))
            continue;
        while ((word = strsep(&line, " \t"))) {
            CLEANUP_FREE char *where = NULL;
            check_append(c, &where, "", " in /%s", path);
            if (!where || !makes_vfs(word) || !add_module_maker(c, data, module, word, where))
                continue;
            check_remedy(c, "%ssed -i 's/^\\( *options %s .*\\)%s/\\1/' /%s", ctl_sudo(), module,
                         word, path);
            check_rebuild_initramfs(c);
            keep_other(c);
        }
    }
}

/* ixgbe.max_vfs=8 */
static void see_cmdline(struct check *c, struct maker_search *s)
{
    for (size_t i = 0; i < c->cmdline.n; i++) {
        const char *word = c->cmdline.v[i], *dot = strchr(word, '.');
        char module[64];
        if (!dot || !makes_vfs(dot + 1))
            continue;
        snprintf(module, sizeof(module), "%.*s", (int)(dot - word), word);
        if (!add_module_maker(c, s, module, dot + 1, " on the kernel command line"))
            continue;
        check_remove_parameter(c, word);
        keep_other(c);
    }
}

/* -- the SR-IOV network operator -- */

static void see_daemon(struct check *c, const char *path, const char *name, void *data)
{
    bool *found = data;
    (void)c;
    (void)path;

    *found = *found || strstr(name, "sriov-network-config-daemon");
}

/* The operator keeps a file for each device that it has configured, named after the address
 * (sriov-network-operator of 2025, pkg/host/store/store.go). */
static void see_operator(struct check *c, struct maker_search *s)
{
    bool runs = false, named = false;
    char path[64];

    check_each(c, "var/log/pods", "", see_daemon, &runs);
    for (size_t i = 0; i < s->physicals->n; i++) {
        const struct physical *p = &s->physicals->v[i];
        snprintf(path, sizeof(path), "etc/sriov-operator/pci/%s", p->address);
        if (!asks_for_vfs(p) || !check_exists(c, path))
            continue;
        named = true;
        add_maker(c, s, p, "the SR-IOV network operator (/etc/sriov-operator)");
        check_remedy(c, "kubectl get sriovnetworknodepolicies -A   # remove this device");
        keep_other(c);
    }
    if (!runs || named)
        return;
    add_maker(c, s, NULL, "the SR-IOV network operator (a pod sriov-network-config-daemon)");
    check_remedy(c, "kubectl get sriovnetworknodepolicies -A   # does one of them match it?");
    keep_other(c);
}

/* -- all of them -- */

void check_vf_makers(struct check *c, const struct physicals *p)
{
    struct maker_search s = {.physicals = p, .words = numvfs_words, .first = first_wanted(p)};
    static const char *const files[] = {"etc/sysfs.conf", "etc/network/interfaces", "etc/rc.local"};
    static const char *const folders[] = {"etc/sysfs.d", "etc/network/interfaces.d",
                                          "etc/network/if-pre-up.d", "etc/network/if-up.d",
                                          "etc/NetworkManager/dispatcher.d"};

    if (!s.first)
        return;
    see_configs(c, &s, "udev/rules.d", ".rules", numvfs_words);
    see_configs(c, &s, "tmpfiles.d", ".conf", numvfs_words);
    see_configs(c, &s, "systemd/network", ".link", link_words);
    s.words = numvfs_words;
    for (size_t i = 0; i < ELEMENTS(files); i++)
        see_file(c, files[i], "", &s);
    for (size_t i = 0; i < ELEMENTS(folders); i++)
        check_each(c, folders[i], "", see_file, &s);
    s.words = profile_words;
    check_each(c, "etc/NetworkManager/system-connections", "", see_file, &s);
    s.words = netplan_words;
    check_each(c, "etc/netplan", ".yaml", see_file, &s);
    s.words = unit_words;
    check_each(c, "etc/systemd/system", ".service", see_unit, &s);
    check_each_config(c, "modprobe.d", ".conf", see_options, &s);
    see_cmdline(c, &s);
    see_operator(c, &s);
}
