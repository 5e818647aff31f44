/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/ask-helper.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/util.h"
#include "channel/helper-call.h"

struct helper_question {
    int fd;
    sd_event_source *answer, *timeout;
    ask_helper_done *done;
    void *userdata;
    struct helper_request request;
    struct helper_reply reply;
};

void ask_helper_cancel(struct helper_question *h)
{
    if (!h)
        return;
    sd_event_source_disable_unref(h->answer);
    sd_event_source_disable_unref(h->timeout);
    closep(&h->fd);
    free(h);
}

static void tell_asker(struct helper_question *h, int r)
{
    char text[HELPER_TEXT_MAX + 64] = "";
    const bool answered = r == 0;

    if (answered)
        r = h->reply.result;
    if (r < 0)
        snprintf(text, sizeof(text), "%s: %s",
                 helper_socket_unit((enum helper_kind)h->request.kind),
                 answered && *h->reply.text ? h->reply.text : helper_error_text(r));
    h->done(h->userdata, &h->request, r < 0 ? NULL : &h->reply, r, text);
    ask_helper_cancel(h);
}

static int on_helper_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    tell_asker(userdata, -ETIMEDOUT);
    return 0;
}

static int on_helper_answer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct helper_question *h = userdata;

    (void)source;
    (void)events;
    int r = helper_receive(fd, &h->request, &h->reply);
    if (r != -EAGAIN && r != -EINTR)
        tell_asker(h, r);
    return 0;
}

/* The request fits into the socket's buffer, so it can be sent before the helper reads. */
static int put_question(struct helper_question *h, sd_event *event, int root_fd, uint64_t usec)
{
    h->fd = helper_connect(root_fd, (enum helper_kind)h->request.kind, SOCK_NONBLOCK);
    if (h->fd < 0)
        return h->fd;
    int r = helper_send(h->fd, &h->request);
    if (r >= 0)
        r = sd_event_add_io(event, &h->answer, h->fd, EPOLLIN, on_helper_answer, h);
    if (r >= 0)
        r = sd_event_add_time_relative(event, &h->timeout, CLOCK_MONOTONIC, usec, 0, on_helper_late,
                                       h);
    return r;
}

int ask_helper(sd_event *event, int root_fd, const struct helper_request *q, uint64_t timeout_usec,
               ask_helper_done *done, void *userdata, struct helper_question **ret)
{
    struct helper_question *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->fd = -1;
    h->done = done;
    h->userdata = userdata;
    h->request = *q;
    int r = put_question(h, event, root_fd, timeout_usec);
    if (r < 0) {
        ask_helper_cancel(h);
        return r;
    }
    *ret = h;
    return 0;
}
