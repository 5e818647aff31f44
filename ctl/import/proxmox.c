/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: devices of Proxmox' virtual machines. A machine's file has lines like
 *   hostpci0: 0000:01:00.0;0000:01:00.1,pcie=1    or    hostpci0: mapping=gpu,pcie=1
 * up to its first section (snapshots, pending changes); mapping/pci.cfg has for each name the
 * devices of each node. Proxmox binds a device itself when its machine starts. */
#include "import/lines.h"
#include "import/sources.h"

#define NODES "etc/pve/nodes"

/* -- which node this is -- */

static bool node_of_link(struct found *f, const char *path, char ret[static 64])
{
    char target[256];
    ssize_t n = readlinkat(f->tree.root_fd, path, target, sizeof(target) - 1);

    if (n < 0)
        return false;
    target[n] = '\0';
    const char *nodes = strstr(target, "nodes/");
    if (!nodes)
        return false;
    nodes += strlen("nodes/");
    snprintf(ret, 64, "%.*s", (int)strcspn(nodes, "/"), nodes);
    return *ret;
}

/* /etc/pve/local is a link to the folder of this node. An image has only the name of the host. */
static void find_node(struct found *f, char ret[static 64])
{
    CLEANUP_FREE char *name = NULL;

    *ret = '\0';
    if (node_of_link(f, "etc/pve/local", ret) || node_of_link(f, "etc/pve/qemu-server", ret))
        return;
    name = found_read(f, "etc/hostname");
    if (name)
        snprintf(ret, 64, "%.*s", (int)strcspn(name, ".\n \t"), name);
    if (strchr(ret, '/'))
        *ret = '\0';
}

/* -- values -- */

/* Converts "01:00.0" or "0000:01:00" (all functions) to a pattern of the policy. */
static bool set_pve_address(const char *text, struct selection *ret)
{
    size_t n = strlen(text);
    bool whole = !strchr(text, '.');
    struct pci_addr a;
    char word[40];

    if (n + 3 > sizeof(word))
        return false;
    snprintf(word, sizeof(word), "%s%s", text, whole ? ".0" : "");
    if (pci_addr_parse(word, &a) < 0)
        return false;
    *ret = (struct selection){.driver = "vfio-pci"};
    snprintf(ret->address, sizeof(ret->address), "%s", pci_addr_text(a).s);
    if (whole)
        snprintf(strrchr(ret->address, '.'), 3, ".*");
    return true;
}

/* "a;b;c" */
static void claim_paths(struct found *f, char *paths, const char *path, unsigned line,
                        const char *what)
{
    char *item;

    while ((item = strsep(&paths, ";"))) {
        struct selection s;
        if (!*item)
            continue;
        bool good = set_pve_address(item, &s);
        if (good && !found_shared_with_host(f, &s, path, line))
            found_claim_on_demand(f, &s, path, line, what);
        else if (!good)
            found_remark(f, path, line, "\"%.60s\" is not a PCI address", item);
    }
}

/* The value of NAME= among comma-separated properties, which are not modified; NULL if there is
 * none. */
static char *property(char *const *items, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (after_prefix(items[i], name) && items[i][strlen(name)] == '=')
            return items[i] + strlen(name) + 1;
    return NULL;
}

static size_t split_properties(char *text, char **items, size_t max)
{
    size_t n = 0;
    char *item;

    while (n < max && (item = strsep(&text, ",")))
        items[n++] = item + strspn(item, " \t");
    return n;
}

/* -- mappings -- */

struct mapping_use {
    struct found *f;
    const char *node, *name; /* the node, and the name of the mapping */
    const char *what;        /* the virtual machine that uses it */
};

static void see_map(const struct mapping_use *u, char *value, const char *path, unsigned line)
{
    char *items[16];
    size_t n = split_properties(value, items, ELEMENTS(items));
    char *node = property(items, n, "node"), *paths = property(items, n, "path");

    if (!node || !paths)
        found_remark(u->f, path, line, "a map without node or path");
    else if (streq(node, u->node))
        claim_paths(u->f, paths, path, line, u->what);
}

/* Sections begin with "NAME" in the first column, and their properties are indented, but
 * lines_next() does not show indentation. No property consists of a single word. */
static void use_mapping(const struct mapping_use *u)
{
    static const char path[] = "etc/pve/mapping/pci.cfg";
    CLEANUP_FREE char *text = found_read(u->f, path);
    struct lines lines = lines_of(text);
    bool inside = false, known = false;
    char *line;

    while ((line = lines_next(&lines))) {
        char *blank = line + strcspn(line, " \t");
        bool map = after_prefix(line, "map") && is_blank(line[3]);
        if (map && inside)
            see_map(u, line + 4, path, lines.first);
        if (map || *blank)
            continue;
        if (line[strcspn(line, "=:,")] == '\0') {
            inside = streq(line, u->name);
            known = known || inside;
        }
    }
    if (text && !known)
        found_remark(u->f, path, 0, "has no mapping %.60s, which %s wants", u->name, u->what);
}

/* -- machines -- */

static void see_hostpci(struct found *f, char *value, const char *path, unsigned line,
                        const char *node, const char *what)
{
    char *items[24];
    size_t n = split_properties(value, items, ELEMENTS(items));
    const char *mapping = property(items, n, "mapping");
    char *host = property(items, n, "host");

    if (property(items, n, "mdev")) {
        found_remark(f, path, line,
                     "a mediated device (mdev) of %s: the card stays on its native driver, which "
                     "makes these",
                     what);
        return;
    }
    if (mapping) {
        const struct mapping_use u = {f, node, mapping, what};
        if (f->n_files++ < FOUND_FILES_MAX)
            use_mapping(&u);
        else
            f->left_out++;
        return;
    }
    if (!host && n > 0 && !strchr(items[0], '='))
        host = items[0];
    if (host)
        claim_paths(f, host, path, line, what);
    else
        found_remark(f, path, line, "names neither a device nor a mapping");
}

static void see_machine(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    char node[64], what[64], *line;

    find_node(f, node);
    snprintf(what, sizeof(what), "Proxmox, machine %.*s", (int)strcspn(name, "."), name);
    while ((line = lines_next(&lines)) && *line != '[') {
        char *value = strchr(line, ':');
        if (!after_prefix(line, "hostpci") || !value)
            continue;
        *value++ = '\0';
        if (line[strlen("hostpci") + strspn(line + strlen("hostpci"), "0123456789")])
            continue;
        see_hostpci(f, value + strspn(value, " \t"), path, lines.first, node, what);
    }
}

static void see_other_node(struct found *f, const char *path, const char *name)
{
    char node[64];

    find_node(f, node);
    if (!streq(name, node))
        found_remark(f, path, 0,
                     "is another node: the devices of its virtual machines are not on this host");
}

void import_proxmox(struct found *f)
{
    char folder[128], node[64];
    size_t before = f->n_claims;

    find_node(f, node);
    if (!*node || !tree_exists(&f->tree, "etc/pve"))
        return;
    snprintf(folder, sizeof(folder), NODES "/%s/qemu-server", node);
    if (!tree_exists(&f->tree, folder))
        snprintf(folder, sizeof(folder), "etc/pve/qemu-server");
    found_each(f, folder, ".conf", see_machine);
    found_each(f, NODES, "", see_other_node);
    if (f->n_claims > before)
        found_step(f, STAGE_DOMAINS,
                   "# leave the hostpci lines as they are: Proxmox finds the device bound when its "
                   "virtual machine starts");
}
