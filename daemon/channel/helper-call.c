/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/helper-call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/rootfs.h"
#include "base/util.h"

#define RETRY_USEC 50000

const char *helper_socket_unit(enum helper_kind kind)
{
    static const char *const units[HELPER_KINDS] = {[HELPER_MODULE] = "vfio-bindd-module.socket",
                                                    [HELPER_SERIALS] = "vfio-bindd-serials.socket",
                                                    [HELPER_HOLDERS] = "vfio-bindd-holders.socket"};
    return units[kind];
}

/* The path may be too long for a socket address, so the folder is given as /proc/self/fd/N. */
int helper_connect(int root_fd, enum helper_kind kind, int flags)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    CLEANUP_CLOSE int folder = rootfs_open(root_fd, HELPER_FOLDER, O_PATH | O_DIRECTORY);

    if (folder < 0)
        return folder;
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        return -errno;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", folder, helper_word(kind));
    return connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : take_fd(&fd);
}

int helper_send(int fd, const struct helper_request *q)
{
    const bool sent = send(fd, q, helper_request_size(q), MSG_NOSIGNAL) >= 0;

    return sent || errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
}

int helper_receive(int fd, const struct helper_request *q, struct helper_reply *ret)
{
    ssize_t n = recv(fd, ret, sizeof(*ret), MSG_TRUNC);

    if (n < 0)
        return -errno;
    return n == 0 ? -ECONNRESET : helper_reply_check(q, ret, (size_t)n);
}

/* Returns 0 when the answer can be read, or -ETIMEDOUT. */
static int wait_for_answer(int fd, uint64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (uint64_t now; (now = now_usec()) < deadline;) {
        int r = poll(&p, 1, (int)((deadline - now) / 1000) + 1);
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return -errno;
    }
    return -ETIMEDOUT;
}

int helper_ask(int root_fd, const struct helper_request *q, uint64_t timeout_usec,
               struct helper_reply *ret)
{
    const enum helper_kind kind = (enum helper_kind)q->kind;
    const uint64_t deadline = now_usec() + timeout_usec;
    CLEANUP_CLOSE int fd = helper_connect(root_fd, kind, SOCK_NONBLOCK);

    while (fd == -EAGAIN && now_usec() < deadline) {
        usleep(RETRY_USEC);
        fd = helper_connect(root_fd, kind, SOCK_NONBLOCK);
    }
    if (fd < 0)
        return fd;
    int r = helper_send(fd, q);
    if (r == 0)
        r = wait_for_answer(fd, deadline);
    return r < 0 ? r : helper_receive(fd, q, ret);
}

const char *helper_error_text(int error)
{
    switch (-error) {
    case ENOENT:
    case ECONNREFUSED:
        return "the socket is not there";
    case ECONNRESET:
    case EPIPE:
        return "the helper ended without an answer";
    case ETIMEDOUT:
        return "no answer in time";
    case EBADMSG:
        return "the answer makes no sense";
    case EAGAIN:
        return "too many questions wait already";
    default:
        return strerror(-error);
    }
}
