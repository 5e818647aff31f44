/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/front-link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/hash.h"
#include "channel/request.h"
#include "record-file.h"
#include "tell/journal.h"
#include "tell/outcome.h"
#include "tell/request-log.h"
#include "tell/status.h"

#define SOCKET_NAME "front"
#define NEW_SOCKET_NAME ".front"
/* Limits per second, whatever the front does and however often it connects. The rest waits in its
 * socket. Messages have a budget, not sd_event_source_set_ratelimit(): a source that is disabled
 * and enabled again while it is over such a limit may never be dispatched again (systemd 252: it
 * stays behind the disabled timers in their queue, where the end of the limit is not noticed). */
#define CONNECTIONS_MAX 5
static const struct budget_limits messages_limits = {.most = 32, .per_second = 32};
#define PASS_COST 8                   /* of a reload or a rescan: each is a pass over all devices */
#define PAUSE_USEC (USEC_PER_SEC / 4) /* without reading, when the budget is used up */
/* Delay between a change and the update: a card has several functions, and each has several
 * events. */
#define TELL_AFTER_USEC 10000
#define CALLS_MAX 128 /* requests without an answer; with this many, nothing more is read */

/* An entry as the front knows it. */
struct told_entry {
    enum message_kind kind;
    uint64_t id;
    uint32_t hash;
};

/* A request for which the front awaits an answer. */
struct call {
    uint64_t id;
    struct request request;
    bool answered;
    struct refusal refusal;
};

struct front_link {
    sd_event *event;
    const struct view *view;
    struct front_requests requests;
    sd_event_source *listening;
    int fd; /* the front's connection; -1: none */
    sd_event_source *connection;
    bool full;              /* its socket is full; the rest is sent when it has read */
    struct budget messages; /* of all fronts, one after the other */
    sd_event_source *pause; /* while it is armed, nothing is read */
    sd_event_source *due;   /* something may have changed */
    int folder;
    struct told_entry *told; /* sorted by kind and id */
    size_t n_told;
    bool whole; /* the front has been told that this is all */
    struct call calls[CALLS_MAX];
    size_t n_calls;
    char buffer[MESSAGE_SIZE_MAX];
};

/* -- the connection -- */

static void forget_front(struct front_link *l)
{
    l->connection = sd_event_source_disable_unref(l->connection);
    closep(&l->fd);
    l->fd = -1;
    free(l->told);
    l->told = NULL;
    l->n_told = l->n_calls = 0;
    l->whole = l->full = false;
}

static bool is_armed(sd_event_source *timer)
{
    return sd_event_source_get_enabled(timer, NULL) > 0;
}

static void arm(sd_event_source *timer, uint64_t usec)
{
    (void)sd_event_source_set_time_relative(timer, usec);
    (void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void watch_front(const struct front_link *l)
{
    const bool reads = l->n_calls < CALLS_MAX && !is_armed(l->pause);

    if (l->fd >= 0)
        (void)sd_event_source_set_io_events(l->connection,
                                            (reads ? EPOLLIN : 0) | (l->full ? EPOLLOUT : 0));
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    watch_front(userdata);
    return 0;
}

/* Returns 0, -EAGAIN (the socket is full), or another negative errno if the connection must be
 * closed. */
static int send_to_front(struct front_link *l, size_t size)
{
    ssize_t n = send(l->fd, l->buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

/* -- status -- */

/* Compares, in one pass, the present entries with those that the front knows. */
struct comparison {
    struct front_link *l;
    struct told_entry *told;
    size_t n, allocated, at;
    int error;
};

static int compare_told(const struct told_entry *t, enum message_kind kind, uint64_t id)
{
    return t->kind != kind ? (t->kind > kind) - (t->kind < kind) : (t->id > id) - (t->id < id);
}

static void keep_told(struct comparison *w, const struct told_entry *t)
{
    if (grow(&w->told, &w->allocated, w->n, sizeof(*w->told)))
        w->told[w->n++] = *t;
    else
        w->error = -ENOMEM;
}

/* Sends the buffer. Returns false if that must wait. */
static bool tell_front(struct comparison *w, size_t size)
{
    if (w->error == 0)
        w->error = send_to_front(w->l, size);
    if (w->error == 0)
        w->l->whole = false;
    return w->error == 0;
}

static void tell_gone(struct comparison *w, const struct told_entry *t)
{
    const struct message m = {
        .kind = MESSAGE_GONE, .id = t->id, .numbers = {[GONE_KIND] = t->kind}};

    if (!tell_front(w, message_write(&m, w->l->buffer)))
        keep_told(w, t);
}

static void tell_entry(void *userdata, const struct message *m)
{
    struct comparison *w = userdata;
    struct front_link *l = w->l;
    const struct told_entry *old = NULL;

    for (; w->at < l->n_told && compare_told(&l->told[w->at], m->kind, m->id) < 0; w->at++)
        tell_gone(w, &l->told[w->at]);
    if (w->at < l->n_told && compare_told(&l->told[w->at], m->kind, m->id) == 0)
        old = &l->told[w->at++];
    const size_t size = message_write(m, l->buffer);
    const struct told_entry now = {m->kind, m->id, hash_bytes(l->buffer, size)};
    if ((old && old->hash == now.hash) || tell_front(w, size))
        keep_told(w, &now);
    else if (old)
        keep_told(w, old);
}

/* Sends the changes. Returns 0, -EAGAIN (some are left) or another negative errno. */
static int tell_status(struct front_link *l)
{
    const struct message whole = {.kind = MESSAGE_WHOLE};
    struct comparison w = {.l = l};
    int r = status_entries(l->view, tell_entry, &w);

    for (; r == 0 && w.at < l->n_told; w.at++)
        tell_gone(&w, &l->told[w.at]);
    free(l->told);
    l->told = w.told;
    l->n_told = w.n;
    if (r == 0)
        r = w.error;
    if (r == 0 && !l->whole)
        r = send_to_front(l, message_write(&whole, l->buffer));
    l->whole = l->whole || r == 0;
    return r;
}

/* -- answers -- */

static void judge_calls(struct front_link *l)
{
    for (size_t i = 0; i < l->n_calls; i++) {
        struct call *c = &l->calls[i];
        if (!c->answered && !outcome_is_pending(l->view, c->request.device)) {
            (void)outcome(l->view, c->request.device, c->request.verb == VERB_BIND, &c->refusal);
            c->answered = true;
        }
    }
}

static int send_answers(struct front_link *l)
{
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; i < l->n_calls; i++) {
        const struct call *c = &l->calls[i];
        const struct message m = {.kind = MESSAGE_REPLY,
                                  .id = c->id,
                                  .numbers = {[REPLY_REFUSAL] = c->refusal.kind},
                                  .texts = {[REPLY_SENTENCE] = c->refusal.text}};
        if (c->answered && r == 0)
            r = send_to_front(l, message_write(&m, l->buffer));
        if (!c->answered || r < 0) {
            if (kept != i)
                l->calls[kept] = *c;
            kept++;
        }
    }
    l->n_calls = kept;
    return r;
}

/* Answers are sent after the state that they are about. */
static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct front_link *l = userdata;
    int r;

    (void)source;
    (void)usec;
    if (l->fd < 0)
        return 0;
    judge_calls(l);
    r = tell_status(l);
    if (r == 0)
        r = send_answers(l);
    if (r < 0 && r != -EAGAIN) {
        journal_plain(LOG_DEBUG, "cannot send to the front: %s", strerror(-r));
        forget_front(l);
    } else {
        l->full = r == -EAGAIN;
        watch_front(l);
    }
    return 0;
}

void front_link_update(struct front_link *l)
{
    if (l && l->fd >= 0 && !is_armed(l->due))
        arm(l->due, TELL_AFTER_USEC);
}

/* -- requests -- */

static int carry_out_request(const struct front_link *l, const struct request *r,
                             struct refusal *why)
{
    void *userdata = l->requests.userdata;

    switch (r->verb) {
    case VERB_RELOAD:
        return l->requests.reload(userdata, why);
    case VERB_RESCAN:
        return l->requests.rescan(userdata, why);
    case VERB_BIND:
        return l->requests.bind(userdata, r->device, why);
    default:
        return l->requests.release(userdata, r->device, why);
    }
}

static void begin_call(struct front_link *l, uint64_t id, const struct request *request)
{
    struct call *c = &l->calls[l->n_calls++];

    *c = (struct call){.id = id, .request = *request};
    request_allowed(request);
    int r = carry_out_request(l, request, &c->refusal);
    if (r < 0 && c->refusal.kind == REFUSAL_NONE)
        refuse(&c->refusal, REFUSAL_FAILED, "%s", strerror(-r));
    if (r < 0) /* the errors of a policy have a line each already */
        request_failed(request, c->refusal.kind == REFUSAL_POLICY_INVALID ? "the policy has errors"
                                                                          : c->refusal.text);
    c->answered = r < 0 || !verb_has_device(request->verb);
}

/* Returns 1 if the message made a pass, otherwise 0 or negative errno. */
static int take_message(struct front_link *l, const struct message *m)
{
    struct request request;

    if (m->kind == MESSAGE_LOG_LEVEL) {
        if (m->id < LOG_ERR || m->id > LOG_DEBUG)
            return -EBADMSG;
        journal_level_told((int)m->id);
        return 0;
    }
    int r = request_read(m, &request);
    if (r < 0)
        return r;
    if (request.denied)
        request_denied(&request);
    else
        begin_call(l, m->id, &request);
    return !request.denied && !verb_has_device(request.verb);
}

static void receive_message(struct front_link *l, int fd)
{
    struct message m;

    if (l->n_calls == CALLS_MAX)
        return;
    if (!budget_take(&l->messages, &messages_limits, PASS_COST, now_usec())) {
        arm(l->pause, PAUSE_USEC);
        return;
    }
    ssize_t n = recv(fd, l->buffer, sizeof(l->buffer), MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        forget_front(l);
        return;
    }
    int r = (size_t)n > sizeof(l->buffer) ? -EBADMSG : message_read(l->buffer, (size_t)n, true, &m);
    if (r == 0)
        r = take_message(l, &m);
    if (r == 0) /* it costs one only */
        l->messages.left += PASS_COST - 1;
    if (r < 0) {
        journal_plain(LOG_WARNING,
                      "vfio-bindd-front has sent an invalid message: disconnecting it");
        forget_front(l);
    }
}

static int on_front(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct front_link *l = userdata;

    (void)source;
    if (events & EPOLLOUT) { /* there is room again: send the rest */
        l->full = false;
        arm(l->due, 0);
    }
    if (events & EPOLLIN)
        receive_message(l, fd);
    else if (events & (EPOLLHUP | EPOLLERR))
        forget_front(l);
    watch_front(l); /* what must not be read now must not wake us either */
    front_link_update(l);
    return 0;
}

/* -- the socket -- */

/* The front's unit makes the front's user the owner of the socket before it starts the front. */
static bool is_front(const struct front_link *l, int fd)
{
    struct ucred peer;
    struct stat st;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           fstatat(l->folder, SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && peer.uid == st.st_uid;
}

static int on_connection(sd_event_source *source, int listening, uint32_t events, void *userdata)
{
    struct front_link *l = userdata;
    CLEANUP_CLOSE int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)source;
    (void)events;
    if (fd < 0 || !is_front(l, fd))
        return 0;
    forget_front(l);
    l->fd = take_fd(&fd);
    if (sd_event_add_io(l->event, &l->connection, l->fd, EPOLLIN, on_front, l) < 0)
        forget_front(l);
    watch_front(l);
    front_link_update(l);
    return 0;
}

/* The path may be too long for a socket address, so it goes through /proc. The socket gets its
 * final name once it listens. */
static int listen_at(int folder)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (unlinkat(folder, NEW_SOCKET_NAME, 0) < 0 && errno != ENOENT)
        return -errno;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/" NEW_SOCKET_NAME, folder);
    if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 1) < 0 ||
        renameat(folder, NEW_SOCKET_NAME, folder, SOCKET_NAME) < 0)
        return -errno;
    return take_fd(&fd);
}

static int add_timer(struct front_link *l, sd_event_source **ret, sd_event_time_handler_t callback)
{
    int r = sd_event_add_time(l->event, ret, CLOCK_MONOTONIC, UINT64_MAX, 1, callback, l);

    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int set_up_link(struct front_link *l)
{
    int fd, r;

    l->folder = record_file_folder(l->view->root_fd);
    if (l->folder < 0)
        return l->folder;
    fd = listen_at(l->folder);
    if (fd < 0)
        return fd;
    r = sd_event_add_io(l->event, &l->listening, fd, EPOLLIN, on_connection, l);
    if (r < 0) {
        close(fd);
        return r;
    }
    (void)sd_event_source_set_io_fd_own(l->listening, true);
    (void)sd_event_source_set_ratelimit(l->listening, USEC_PER_SEC, CONNECTIONS_MAX);
    r = add_timer(l, &l->due, on_due);
    return r < 0 ? r : add_timer(l, &l->pause, on_pause_over);
}

int front_link_new(sd_event *event, const struct view *view, const struct front_requests *requests,
                   struct front_link **ret)
{
    struct front_link *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->event = event; /* member by member, so that the buffer's pages are not touched until there is
                         a front */
    l->view = view;
    l->requests = *requests;
    l->folder = l->fd = -1;
    int r = set_up_link(l);
    if (r < 0) {
        front_link_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void front_link_free(struct front_link *l)
{
    if (!l)
        return;
    forget_front(l);
    if (l->listening) /* systemd starts no front without it */
        (void)unlinkat(l->folder, SOCKET_NAME, 0);
    sd_event_source_disable_unref(l->listening);
    sd_event_source_disable_unref(l->pause);
    sd_event_source_disable_unref(l->due);
    closep(&l->folder);
    free(l);
}
