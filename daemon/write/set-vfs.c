/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/set-vfs.h"

#include <errno.h>

#include "base/util.h"
#include "host/pci-files.h"
#include "host/vfs.h"
#include "write/attribute.h"
#include "write/users.h"

static int write_of(int root_fd, struct pci_addr a, const char *name, unsigned number)
{
    char path[96], text[16];

    snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", pci_addr_text(a).s, name);
    snprintf(text, sizeof(text), "%u", number);
    return attribute_write(root_fd, path, text);
}

static int write_autoprobe(int root_fd, struct pci_addr pf, bool on)
{
    return write_of(root_fd, pf, "sriov_drivers_autoprobe", on);
}

int set_vfs_restore_autoprobe(int root_fd, struct pci_addr pf)
{
    return write_autoprobe(root_fd, pf, true);
}

/* -- nobody may use them -- */

/* IOMMU groups that are held, so that no virtual machine can start with them meanwhile. */
struct held_groups {
    struct {
        uint32_t group;
        struct hold *hold;
    } * v;
    size_t n, allocated;
};

static void held_groups_done(struct held_groups *h)
{
    for (size_t i = 0; i < h->n; i++)
        hold_free(h->v[i].hold);
    free(h->v);
}

/* Two virtual functions may share a group, which can be opened only once. */
static int hold_group_of(int root_fd, struct pci_addr vf, struct held_groups *h,
                         char found[static FOUND_MAX])
{
    uint32_t group;
    int r = pci_group(root_fd, vf, &group);

    if (r < 0)
        return r;
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].group == group)
            return 0;
    if (!grow(&h->v, &h->allocated, h->n, sizeof(*h->v)))
        return -ENOMEM;
    struct hold *hold = NULL;
    r = group == NO_GROUP ? -ENOENT : users_hold(root_fd, group, vf, &hold, found);
    if (r == -ENOENT) {
        snprintf(found, FOUND_MAX, "%s has no node that shows whether a virtual machine uses it",
                 pci_addr_text(vf).s);
        return -EBUSY;
    }
    if (r == -EBUSY && !*found)
        snprintf(found, FOUND_MAX,
                 "a virtual machine, or another program, has IOMMU group %u (%s) open", group,
                 pci_addr_text(vf).s);
    if (r < 0)
        return r;
    h->v[h->n].group = group;
    h->v[h->n++].hold = hold;
    return 0;
}

/* Is none of them in use? If so, their groups are held from then on. */
static int hold_all(int root_fd, struct pci_addr *vfs, size_t n, struct held_groups *h,
                    char found[static FOUND_MAX])
{
    char driver[NAME_MAX + 1];
    size_t others = 0;

    for (size_t i = 0; i < n; i++) {
        int r = pci_link_name(root_fd, vfs[i], "driver", driver);
        if (r > 0 && driver_is_vfio(driver))
            r = hold_group_of(root_fd, vfs[i], h, found);
        else if (r > 0)
            vfs[others++] = vfs[i];
        if (r < 0)
            return r;
    }
    int r = others > 0 ? users_check(root_fd, vfs, others, found) : 0;
    return r == -EAGAIN ? -EBUSY : r; /* what is not known to be free is in use */
}

static int take_away(int root_fd, struct pci_addr pf, struct pci_addr *vfs, size_t n,
                     char found[static FOUND_MAX])
{
    CLEANUP(held_groups_done) struct held_groups held = {0};
    int r = hold_all(root_fd, vfs, n, &held, found);

    return r < 0 ? r : write_of(root_fd, pf, "sriov_numvfs", 0);
}

/* -- all -- */

/* Are there only those that the plan knew, or none? The number changes only by way of 0, so if
 * there are fewer, ours are gone, and these are somebody else's. */
static int check_known(size_t n, unsigned known)
{
    if (n > known)
        return -ESTALE;
    return n > 0 && n < known ? -EEXIST : 0;
}

/* Checks how many there are now: the kernel may have created fewer than requested, and reports that
 * only in its log. */
static int check_made(int root_fd, struct pci_addr pf)
{
    CLEANUP_FREE struct pci_addr *vfs = NULL;
    size_t n = 0;
    int r = vfs_list(root_fd, pf, &vfs, &n);

    return r < 0 || n > 0 ? r : -EIO;
}

/* EBUSY also means that there are some: the write has waited for somebody else's. */
static int create(int root_fd, struct pci_addr pf, unsigned number)
{
    const int r = write_of(root_fd, pf, "sriov_numvfs", number);

    if (r < 0 && r != -EBUSY)
        return r == -EEXIST ? -EIO : r; /* EEXIST has a meaning of its own here */
    const int made = check_made(root_fd, pf);
    return r == 0 ? made : made == 0 ? -EEXIST : r;
}

int set_vfs(int root_fd, struct pci_addr pf, struct vfs_order order, char found[static FOUND_MAX])
{
    CLEANUP_FREE struct pci_addr *vfs = NULL;
    size_t n = 0;
    int r = vfs_list(root_fd, pf, &vfs, &n);

    if (r == 0)
        r = check_known(n, order.there);
    if (r == 0 && n > 0 && n != order.number)
        r = take_away(root_fd, pf, vfs, n, found);
    if (r == 0 && order.sets_autoprobe)
        r = write_autoprobe(root_fd, pf, order.number == 0);
    return r < 0 || order.number == 0 || n == order.number ? r : create(root_fd, pf, order.number);
}
