/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel events, as the bytes of the netlink socket: they go through libudev's reader, its filter
 * and daemon/loop/hotplug.c. recv(), recvmsg() and poll() are this file's own, so that the bytes
 * seem to come from the kernel; without them libudev would take nothing that root did not send.
 *
 * An input is one or more messages with a line "%%" between two. */
#include "fuzz.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "../../daemon/loop/hotplug.c" /* for what its loop calls */

static struct pieces waiting;
static char *message; /* at the head of the queue; NULL: it is empty */
static size_t message_size;
static unsigned n_events, n_drained;

static void next_message(void)
{
    do {
        free(message);
        message = next_piece(&waiting, &message_size);
    } while (message && message_size == 0); /* the kernel sends none of these */
}

/* -- what libudev calls -- */

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
    size_t n = message_size < size ? message_size : size;

    (void)fd;
    if (!message) {
        errno = EAGAIN;
        return -1;
    }
    if (n > 0)
        memcpy(buf, message, n);
    ssize_t r = (ssize_t)(flags & MSG_TRUNC ? message_size : n);
    if (!(flags & MSG_PEEK))
        next_message();
    return r;
}

/* From the kernel's address and group, sent by root. */
ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    const struct sockaddr_nl from = {.nl_family = AF_NETLINK, .nl_groups = 1};
    const struct ucred root = {0};
    size_t copied = 0;

    (void)fd;
    if (!message) {
        errno = EAGAIN;
        return -1;
    }
    for (size_t i = 0; i < m->msg_iovlen && copied < message_size; i++) {
        size_t left = message_size - copied, room = m->msg_iov[i].iov_len;
        size_t n = left < room ? left : room;
        if (n > 0)
            memcpy(m->msg_iov[i].iov_base, message + copied, n);
        copied += n;
    }
    m->msg_flags = copied < message_size ? MSG_TRUNC : 0;
    if (m->msg_name && m->msg_namelen >= sizeof(from)) {
        memcpy(m->msg_name, &from, sizeof(from));
        m->msg_namelen = sizeof(from);
    }
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (c && m->msg_controllen >= CMSG_SPACE(sizeof(root))) {
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_CREDENTIALS;
        c->cmsg_len = CMSG_LEN(sizeof(root));
        memcpy(CMSG_DATA(c), &root, sizeof(root));
        m->msg_controllen = CMSG_SPACE(sizeof(root));
    }
    if (!(flags & MSG_PEEK))
        next_message();
    return (ssize_t)copied;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    (void)timeout;
    for (nfds_t i = 0; i < n; i++)
        fds[i].revents = message ? POLLIN : 0;
    return message ? 1 : 0;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    (void)timeout;
    (void)mask;
    return poll(fds, n, 0);
}

/* -- the target -- */

static void on_event(void *userdata, enum hotplug_action action, struct pci_addr a)
{
    struct pci_addr again;

    (void)userdata;
    REQUIRE(action <= HOTPLUG_UNBIND, "action %d", (int)action);
    REQUIRE(a.dev < 32 && a.fn < 8, "%u.%u", a.dev, a.fn);
    REQUIRE(pci_addr_parse(pci_addr_text(a).s, &again) == 0, "%s", pci_addr_text(a).s);
    REQUIRE(pci_addr_cmp(a, again) == 0, "%s", pci_addr_text(a).s);
    n_events++;
}

static void on_driver(void *userdata)
{
    (void)userdata;
    n_events++;
}

static void on_iommu(void *userdata)
{
    (void)userdata;
    n_events++;
}

static void on_drained(void *userdata, bool lost)
{
    (void)userdata;
    (void)lost;
    n_drained++;
}

/* Once: what is listened to is the same every time. */
static struct hotplug *listener(void)
{
    static const struct hotplug_handler handler = {on_event,   on_driver, on_iommu, on_iommu,
                                                   on_drained, NULL,      -1};
    static sd_event *loop;
    static struct hotplug *h;

    if (!h) {
        REQUIRE(sd_event_new(&loop) >= 0, "no event loop");
        REQUIRE(hotplug_new(loop, &handler, &h) >= 0, "no netlink socket");
    }
    return h;
}

/* Our own reading of the fields, whatever libudev would make of the message: the input's first
 * three strings. */
static void read_fields(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = calloc(1, size + 4);
    enum hotplug_action action;
    struct pci_addr a;

    REQUIRE(text, "out of memory");
    memcpy(text, data, size);
    const char *name = text + strlen(text) + 1, *synth = name + strlen(name) + 1;
    if (uevent_read(text, name, *synth ? synth : NULL, NULL, &action, &a)) {
        REQUIRE(!*synth, "a synthetic event");
        on_event(NULL, action, a);
    }
}

/* As the loop does: on_readable() is called for as long as something is waiting. */
static void receive(struct hotplug *h, const char *bytes, size_t size)
{
    n_events = n_drained = 0;
    waiting = (struct pieces){bytes, size};
    next_message();
    do {
        const struct pieces before = waiting;
        const unsigned drained = n_drained, events = n_events;
        on_readable(NULL, 0, EPOLLIN, h);
        REQUIRE(!message || waiting.size < before.size, "a message that is never taken");
        REQUIRE(n_drained <= drained + 1, "%u", n_drained);
        REQUIRE(n_drained > drained || n_events == events, "events without a step");
    } while (message);
}

/* A sound event must arrive, or nothing is being tested here. */
static void check_listener(struct hotplug *h)
{
    static const char sound[] = "add@/devices/pci0000:00/0000:06:00.0\0ACTION=add\0"
                                "DEVPATH=/devices/pci0000:00/0000:06:00.0\0SUBSYSTEM=pci\0"
                                "SEQNUM=1";
    static bool checked;

    if (!checked)
        receive(h, sound, sizeof(sound));
    REQUIRE(checked || n_events == 1, "libudev did not take the message");
    checked = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hotplug *h = listener();
    struct pieces p = {(const char *)data, size};
    unsigned sent = 0;
    size_t n;

    check_listener(h);
    for (; p.bytes; sent++)
        free(next_piece(&p, &n));
    receive(h, (const char *)data, size);
    REQUIRE(n_events <= sent, "%u events of %u messages", n_events, sent);
    read_fields(data, size);
    return 0;
}
