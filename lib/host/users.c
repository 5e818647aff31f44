/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/users.h"

#include <errno.h>

#include "base/util.h"
#include "host/claims.h"

/* A device may be in use for a moment only: udev reads a disk that has just appeared, or another of
 * us looks for claims at a disk with two controllers. */
#define TRIES 10
#define WAIT_USEC 100000

static void describe(const struct holder *h, char found[static USERS_TEXT_MAX])
{
    if (h->unit[0])
        snprintf(found, USERS_TEXT_MAX, "%.40s (PID %d, %.60s) has %.40s open", h->command,
                 (int)h->pid, h->unit, h->node);
    else
        snprintf(found, USERS_TEXT_MAX, "%.40s (PID %d) has %.40s open", h->command, (int)h->pid,
                 h->node);
}

static bool is_brief(const struct holder *h)
{
    return streq(h->unit, "systemd-udevd.service") || after_prefix(h->unit, "vfio-bindd-holders@");
}

static int look_for_claim(int root_fd, struct pci_addr a, char found[static USERS_TEXT_MAX])
{
    char node[NAME_MAX + 8];
    int r = claims_find(root_fd, a, node);

    for (int i = 0; r > 0 && i < TRIES; i++) {
        usleep(WAIT_USEC);
        r = claims_find(root_fd, a, node);
    }
    if (r > 0)
        snprintf(found, USERS_TEXT_MAX, "the kernel itself has claimed %.80s", node);
    return r;
}

int users_find(int root_fd, const struct asker *asker, const struct pci_addr *addrs, size_t n,
               char found[static USERS_TEXT_MAX])
{
    struct holder holder;
    int r = holders_find(root_fd, asker, addrs, n, &holder);

    for (int i = 0; r > 0 && is_brief(&holder) && i < TRIES; i++) {
        usleep(WAIT_USEC);
        r = holders_find(root_fd, asker, addrs, n, &holder);
    }
    if (r > 0)
        describe(&holder, found);
    for (size_t i = 0; i < n && r == 0; i++)
        r = look_for_claim(root_fd, addrs[i], found);
    return r;
}

int users_find_vfio(int root_fd, const struct asker *asker, uint32_t group, struct pci_addr a,
                    char found[static USERS_TEXT_MAX])
{
    struct holder holder;
    int r = holders_vfio(root_fd, asker, group, a, &holder);

    if (r > 0)
        describe(&holder, found);
    return r;
}
