/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/users.h"

#include <errno.h>

#include "base/util.h"
#include "channel/helper-call.h"
#include "host/users.h"
#include "model/snapshot.h"

/* Long, because the machine may be busy; somewhat shorter than the timeout in the helper's unit. */
#define TIMEOUT_USEC (25 * USEC_PER_SEC)

_Static_assert(USERS_TEXT_MAX == FOUND_MAX, "the helper's words are the worker's");

/* Searches in this process, if there is no helper. */
static int look_here(int root_fd, uint32_t group, const struct pci_addr *addrs, size_t n,
                     char found[static FOUND_MAX])
{
    int r = group == NO_GROUP ? users_find(root_fd, NULL, addrs, n, found)
                              : users_find_vfio(root_fd, NULL, group, addrs[0], found);

    if (r == -EACCES)
        snprintf(found, FOUND_MAX, "who uses it could not be seen (%s: %s)",
                 helper_socket_unit(HELPER_HOLDERS), helper_error_text(-ENOENT));
    else if (r < 0)
        snprintf(found, FOUND_MAX, "who uses it could not be seen (%s)", strerror(-r));
    return r;
}

/* Asks about at most HELPER_DEVICES_MAX devices. Returns 1 (in use), 0, or negative errno
 * (unknown); unless it returns 0, `found` describes the result. */
static int ask_who(int root_fd, uint32_t group, const struct pci_addr *addrs, size_t n,
                   char found[static FOUND_MAX])
{
    CLEANUP_FREE struct helper_request *q = calloc(1, sizeof(*q));
    CLEANUP_FREE struct helper_reply *a = calloc(1, sizeof(*a));
    int r = q && a ? 0 : -ENOMEM;

    if (r == 0) {
        q->kind = HELPER_HOLDERS;
        q->group = group;
        helper_request_add(q, addrs, n);
        r = helper_ask(root_fd, q, TIMEOUT_USEC, a);
    }
    if (r == -ENOENT || r == -ECONNREFUSED)
        return look_here(root_fd, group, addrs, n, found);
    if (r == 0 && a->result == 0 && !*a->text)
        return 0;
    if (r == 0 && a->result == 0) {
        memcpy(found, a->text, FOUND_MAX);
        return 1;
    }
    if (r == 0)
        snprintf(found, FOUND_MAX, "who uses it could not be seen (%s)", strerror(-a->result));
    else
        snprintf(found, FOUND_MAX, "who uses it could not be seen (%s: %s)",
                 helper_socket_unit(HELPER_HOLDERS), helper_error_text(r));
    return r < 0 ? r : a->result;
}

/* The node of a device may be open without being bound to an iommufd. That does not prevent us from
 * holding the group. */
int users_hold(int root_fd, uint32_t group, struct pci_addr a, struct hold **ret,
               char found[static FOUND_MAX])
{
    struct hold *hold = NULL;
    char text[FOUND_MAX];
    int r = hold_new(root_fd, group, &hold);
    const bool by_devices = r == 0 && hold_is_by_devices(hold);
    const int seen = r == -EBUSY || by_devices ? ask_who(root_fd, group, &a, 1, text) : 0;

    if (seen > 0 || (seen < 0 && by_devices)) {
        memcpy(found, text, FOUND_MAX);
        hold_free(hold);
        return -EBUSY;
    }
    if (r == 0)
        *ret = hold;
    return r;
}

/* A process that has the device open may keep its driver's remove() waiting for ever, and that wait
 * cannot be killed. */
int users_check(int root_fd, const struct pci_addr *addrs, size_t n, char found[static FOUND_MAX])
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i += HELPER_DEVICES_MAX) {
        const size_t rest = n - i;
        r = ask_who(root_fd, NO_GROUP, addrs + i,
                    rest < HELPER_DEVICES_MAX ? rest : HELPER_DEVICES_MAX, found);
    }
    return r == 0 ? 0 : r > 0 ? -EBUSY : -EAGAIN;
}
