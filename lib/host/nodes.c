/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/nodes.h"

#include <limits.h>
#include <sys/sysmacros.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/below.h"

#define NODES_MAX 20000

void nodes_done(struct nodes *nodes)
{
    free(nodes->v);
    *nodes = (struct nodes){0};
}

const struct node *nodes_find(const struct nodes *nodes, dev_t number, bool block)
{
    for (size_t i = 0; i < nodes->n; i++)
        if (nodes->v[i].number == number && nodes->v[i].block == block)
            return &nodes->v[i];
    return NULL;
}

static int add_node(struct nodes *nodes, struct pci_addr a, dev_t number, bool block)
{
    if (nodes_find(nodes, number, block))
        return 0;
    if (nodes->n == NODES_MAX)
        return -E2BIG;
    if (!grow(&nodes->v, &nodes->allocated, nodes->n, sizeof(*nodes->v)))
        return -ENOMEM;
    nodes->v[nodes->n++] = (struct node){number, block, a};
    return 0;
}

/* -- the folder in /sys -- */

static int add_below(int root_fd, struct pci_addr a, struct nodes *nodes)
{
    CLEANUP(below_done) struct below below = {0};
    int r = below_walk(root_fd, a, &below);

    for (size_t i = 0; i < below.n; i++) {
        const struct below_item *item = &below.v[i];
        int q = 0;
        if (item->kind == BELOW_GROUP)
            q = fact_error(nodes_of_group(root_fd, item->name, a, nodes));
        else if (item->number != 0)
            q = add_node(nodes, a, item->number,
                         item->kind == BELOW_BLOCK || item->kind == BELOW_STACKED);
        r = r < 0 ? r : q;
    }
    return r;
}

int nodes_of_group(int root_fd, const char *group, struct pci_addr a, struct nodes *nodes)
{
    static const char *const prefixes[] = {"", "noiommu-"};
    int r = -ENOENT;

    for (size_t i = 0; r == -ENOENT && *group && i < ELEMENTS(prefixes); i++) {
        char path[PATH_MAX];
        dev_t number;
        snprintf(path, sizeof(path), "sys/class/vfio/%s%.64s/dev", prefixes[i], group);
        r = below_read_number(root_fd, path, &number);
        if (r == 0)
            r = add_node(nodes, a, number, false);
    }
    return r;
}

/* -- NVIDIA -- */

/* The driver has one major number; its name is "nvidia-frontend" in older releases. */
static int nvidia_major(int root_fd, unsigned *ret)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    char *rest, *line;
    int r = rootfs_read_file(root_fd, "proc/devices", 1 << 16, &text, &size);

    if (r < 0)
        return r;
    for (rest = text; (line = strsep(&rest, "\n")) && !after_prefix(line, "Block devices:");) {
        char name[32];
        unsigned number;
        if (sscanf(line, "%u %31s", &number, name) == 2 &&
            (streq(name, "nvidia") || streq(name, "nvidia-frontend"))) {
            *ret = number;
            return 0;
        }
    }
    return -ENODATA;
}

static int add_nvidia(int root_fd, struct pci_addr a, struct nodes *nodes)
{
    CLEANUP_FREE char *text = NULL;
    char path[PCI_ADDR_MAX + 64];
    unsigned ma, mi;
    size_t size;
    int r;

    snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%s/information", pci_addr_text(a).s);
    r = rootfs_read_file(root_fd, path, 1 << 16, &text, &size);
    if (r < 0)
        return fact_error(r);
    const char *at = strstr(text, "Device Minor:");
    if (!at || sscanf(at, "Device Minor: %u", &mi) != 1)
        return -ENODATA;
    r = nvidia_major(root_fd, &ma);
    return r < 0 ? r : add_node(nodes, a, makedev(ma, mi), false);
}

int nodes_of(int root_fd, struct pci_addr a, struct nodes *nodes)
{
    int r = add_below(root_fd, a, nodes), q = add_nvidia(root_fd, a, nodes);

    return r < 0 ? r : q;
}
