/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/helper.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "base/util.h"
#include "helper/load-module.h"
#include "host/users.h"
#include "model/snapshot.h"

static void refuse_request(struct helper_reply *a, int error, const char *format, ...) PRINTF(3, 4);

static void refuse_request(struct helper_reply *a, int error, const char *format, ...)
{
    va_list args;

    a->result = error;
    va_start(args, format);
    vsnprintf(a->text, sizeof(a->text), format, args);
    va_end(args);
}

/* Loads only modules that vfio-bindd can need, whatever it asks for: a module can do anything. */
static void answer_module(int root_fd, const struct helper_request *q, struct helper_reply *a)
{
    int r = load_module_is_permitted(root_fd, q->module);

    if (r < 0)
        refuse_request(a, r, "cannot read the list of modules: %s", strerror(-r));
    else if (r == 0)
        refuse_request(a, -EPERM, "%s is no module that vfio-bindd needs", q->module);
    else if ((r = load_module(q->module)) < 0)
        refuse_request(a, r, "cannot run modprobe: %s", strerror(-r));
}

static void answer_serials(int root_fd, const struct helper_request *q, struct helper_reply *a)
{
    for (uint32_t i = 0; i < q->n_devices; i++) {
        struct pci_addr device;
        struct serial s;
        if (!pci_addr_from_number(q->devices[i], &device) || serials_read(root_fd, device, &s) < 0)
            continue;
        struct helper_serial *to = &a->serials[a->n_serials++];
        to->device = q->devices[i];
        to->inode = s.inode;
        snprintf(to->text, sizeof(to->text), "%s", s.text);
    }
}

static int who_uses(int root_fd, const struct asker *asker, const struct helper_request *q,
                    char found[static HELPER_TEXT_MAX])
{
    CLEANUP_FREE struct pci_addr *addrs = calloc(q->n_devices, sizeof(*addrs));

    if (!addrs)
        return -ENOMEM;
    for (uint32_t i = 0; i < q->n_devices; i++)
        if (!pci_addr_from_number(q->devices[i], &addrs[i]))
            return -EBADMSG;
    return q->group == NO_GROUP ? users_find(root_fd, asker, addrs, q->n_devices, found)
                                : users_find_vfio(root_fd, asker, q->group, addrs[0], found);
}

/* The peer is a worker of vfio-bindd. The other workers hold groups open and must not be
 * counted. */
static void answer_holders(int root_fd, pid_t peer, const struct helper_request *q,
                           struct helper_reply *a)
{
    struct process p = {0};
    (void)process_read(root_fd, peer, &p);
    const struct asker asker = {.pid = peer, .parent = p.parent};
    int r = who_uses(root_fd, &asker, q, a->text);

    if (r < 0)
        refuse_request(a, r, "%s", strerror(-r));
}

/* Only root can connect, because of the mode of the socket. This checks it once more. */
static bool is_root(int fd, pid_t *ret_pid)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
        return false;
    *ret_pid = peer.pid;
    return true;
}

int helper_serve(int root_fd, int fd, enum helper_kind kind)
{
    static struct helper_request q;
    static struct helper_reply a;
    pid_t peer;

    if (!is_root(fd, &peer))
        return -EPERM;
    ssize_t n = recv(fd, &q, sizeof(q), MSG_TRUNC);
    if (n < 0)
        return -errno;
    int r = n == 0 ? -ECONNRESET : helper_request_check(kind, &q, (size_t)n);
    if (r < 0)
        return r;
    a = (struct helper_reply){.kind = kind};
    switch (kind) {
    case HELPER_MODULE:
        answer_module(root_fd, &q, &a);
        break;
    case HELPER_SERIALS:
        answer_serials(root_fd, &q, &a);
        break;
    case HELPER_HOLDERS:
        answer_holders(root_fd, peer, &q, &a);
        break;
    case HELPER_KINDS:
        break;
    }
    return send(fd, &a, helper_reply_size(&a), MSG_NOSIGNAL) < 0 ? -errno : 0;
}
