/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/users.h"

#include <errno.h>
#include <fcntl.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "host/claims.h"
#include "host/holders.h"

/* A device may be in use for a moment only: udev reads a disk that has just appeared, or another
 * worker looks for claims at a disk with two controllers. */
#define TRIES 10
#define WAIT_USEC 100000

static void describe(const struct holder *h, char found[static FOUND_MAX])
{
    if (h->unit[0])
        snprintf(found, FOUND_MAX, "%.40s (PID %d, %.60s) has %.40s open", h->command, (int)h->pid,
                 h->unit, h->node);
    else
        snprintf(found, FOUND_MAX, "%.40s (PID %d) has %.40s open", h->command, (int)h->pid,
                 h->node);
}

int users_hold(int root_fd, uint32_t group, struct pci_addr a, struct hold **ret,
               char found[static FOUND_MAX])
{
    struct holder holder;
    struct hold *hold = NULL;
    int r = hold_new(root_fd, group, &hold);
    bool seen = (r == 0 || r == -EBUSY) && (r < 0 || hold_is_by_devices(hold)) &&
                holders_vfio(root_fd, group, a, &holder) == 1;

    if (!seen) {
        if (r == 0)
            *ret = hold;
        return r;
    }
    /* It has a device open, and has not got any further. */
    describe(&holder, found);
    hold_free(hold);
    return -EBUSY;
}

static int check_claims(int root_fd, struct pci_addr a, char found[static FOUND_MAX])
{
    char node[NAME_MAX + 8];
    int r = claims_find(root_fd, a, node);

    for (int i = 0; r > 0 && i < TRIES; i++) {
        usleep(WAIT_USEC);
        r = claims_find(root_fd, a, node);
    }
    if (r > 0)
        snprintf(found, FOUND_MAX, "the kernel itself has claimed %.80s", node);
    return r;
}

/* A process that has the device open may keep its driver's remove() waiting for ever, and that wait
 * cannot be killed. */
int users_check(int root_fd, const struct pci_addr *addrs, size_t n, char found[static FOUND_MAX])
{
    struct holder holder;
    int r = holders_find(root_fd, addrs, n, &holder);

    for (int i = 0; r > 0 && streq(holder.unit, "systemd-udevd.service") && i < TRIES; i++) {
        usleep(WAIT_USEC);
        r = holders_find(root_fd, addrs, n, &holder);
    }
    if (r > 0)
        describe(&holder, found);
    for (size_t i = 0; i < n && r == 0; i++)
        r = check_claims(root_fd, addrs[i], found);
    if (r < 0)
        snprintf(found, FOUND_MAX, "who uses it could not be seen (%s)", strerror(-r));
    return r == 0 ? 0 : -EBUSY;
}
