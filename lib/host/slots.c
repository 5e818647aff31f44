/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/slots.h"

#include <errno.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

#define PATH_LENGTH 320 /* sysfs limits the names of slots to 255 */

struct slot {
    struct pci_addr addr; /* function 0 represents the slot */
    char *name;
};

void slots_done(struct slots *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].name);
    free(l->v);
    *l = (struct slots){0};
}

static int by_slot_name(const void *x, const void *y)
{
    const struct slot *a = x, *b = y;
    return strcmp(a->name, b->name);
}

static int add_slot(int root_fd, const char *name, struct slots *ret)
{
    char path[PATH_LENGTH], text[32], full[40];
    struct slot slot = {0};

    snprintf(path, sizeof(path), "sys/bus/pci/slots/%s/address", name);
    int r = rootfs_read_line(root_fd, path, text, sizeof(text));
    if (r < 0)
        return fact_error(r);
    snprintf(full, sizeof(full), "%s.0", text);
    if (pci_addr_parse(full, &slot.addr) < 0)
        return 0;
    slot.name = strdup(name);
    if (!slot.name || !grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v))) {
        free(slot.name);
        return -ENOMEM;
    }
    ret->v[ret->n++] = slot;
    return 0;
}

/* A hot-plug driver may give one slot two names; the first in sorted order counts. */
int slots_read(int root_fd, struct slots *ret)
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, "sys/bus/pci/slots", &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0)
        r = add_slot(root_fd, e->d_name, ret);
    if (ret->n > 1)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_slot_name);
    return r;
}

char *slots_name(const struct slots *slots, struct pci_addr a)
{
    for (size_t i = 0; i < slots->n; i++)
        if (pci_addr_same_slot(slots->v[i].addr, a))
            return strdup(slots->v[i].name);
    return NULL;
}
