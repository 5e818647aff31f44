/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/daemon-link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/rootfs.h"
#include "base/util.h"

#define FOLDER "run/vfio-bindd"

struct daemon_link {
    sd_event_source *source;
    struct copy *copy;
    struct daemon_link_handler handler;
    char in[MESSAGE_SIZE_MAX], out[MESSAGE_SIZE_MAX];
};

static int take_reply(const struct daemon_link *l, const struct message *m)
{
    uint64_t kind = m->numbers[REPLY_REFUSAL];

    if (kind >= REFUSAL_KINDS)
        return -EBADMSG;
    l->handler.reply(l->handler.userdata, m->id, (enum refusal_kind)kind, m->texts[REPLY_SENTENCE]);
    return 0;
}

static int take_from_daemon(struct daemon_link *l, size_t size)
{
    struct message m;
    int r = size > sizeof(l->in) ? -EBADMSG : message_read(l->in, size, false, &m);

    if (r < 0)
        return r;
    if (m.kind == MESSAGE_REPLY)
        return take_reply(l, &m);
    if (m.kind != MESSAGE_WHOLE)
        return copy_take(l->copy, l->in, size);
    r = copy_whole(l->copy);
    if (r == 0)
        l->handler.changed(l->handler.userdata);
    return r;
}

static int on_daemon(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct daemon_link *l = userdata;
    ssize_t n = recv(fd, l->in, sizeof(l->in), MSG_DONTWAIT | MSG_TRUNC);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    int r = n == 0 ? -ECONNRESET : n < 0 ? -errno : take_from_daemon(l, (size_t)n);
    if (r < 0) {
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        l->handler.lost(l->handler.userdata, r);
    }
    return 0;
}

static int connect_daemon(int root_fd)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    CLEANUP_CLOSE int folder = rootfs_open(root_fd, FOLDER, O_PATH | O_DIRECTORY);
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (folder < 0 || fd < 0)
        return folder < 0 ? folder : -errno;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/front", folder);
    if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
        return -errno;
    return take_fd(&fd);
}

int daemon_link_new(sd_event *event, int root_fd, struct copy *copy,
                    const struct daemon_link_handler *handler, struct daemon_link **ret)
{
    struct daemon_link *l = calloc(1, sizeof(*l));
    CLEANUP_CLOSE int fd = connect_daemon(root_fd);

    if (!l)
        return -ENOMEM;
    l->copy = copy;
    l->handler = *handler;
    int r = fd < 0 ? fd : sd_event_add_io(event, &l->source, fd, EPOLLIN, on_daemon, l);
    if (r < 0) {
        daemon_link_free(l);
        return r;
    }
    (void)sd_event_source_set_io_fd_own(l->source, true);
    (void)take_fd(&fd);
    *ret = l;
    return 0;
}

void daemon_link_free(struct daemon_link *l)
{
    if (!l)
        return;
    sd_event_source_disable_unref(l->source);
    free(l);
}

static int send_to_daemon(struct daemon_link *l, const struct message *m)
{
    const size_t size = message_write(m, l->out);
    const ssize_t n =
        send(sd_event_source_get_io_fd(l->source), l->out, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

int daemon_link_request(struct daemon_link *l, uint64_t id, const struct request *r)
{
    const struct message m = request_message(r, id);

    return send_to_daemon(l, &m);
}

int daemon_link_log_level(struct daemon_link *l, int level)
{
    const struct message m = {.kind = MESSAGE_LOG_LEVEL, .id = (uint64_t)level};

    return send_to_daemon(l, &m);
}
