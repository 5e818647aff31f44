/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replaces the kernel's hot-plug socket and the front: two named pipes, from which the
 * daemon gets events and requests, and shared memory, in which it shows what it knows. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "loop/requests.h"
#include "plan/text.h"
#include "tell/announce.h"
#include "tell/front-link.h"
#include "tell/outcome.h"

#define EVENTS "events"
#define REQUESTS "requests"

struct event_message {
    bool overflow, driver; /* one of these, or an event of a device */
    enum hotplug_action action;
    struct pci_addr addr;
};

struct request_message {
    unsigned number;
    enum request_kind kind;
    struct pci_addr addr;
};

int make_pipes(void)
{
    return mkfifoat(host.root_fd, EVENTS, 0600) < 0 || mkfifoat(host.root_fd, REQUESTS, 0600) < 0
               ? -errno
               : 0;
}

/* Opens both ends, so that there is never an end of file. Messages are lost when the daemon
 * ends. */
static int open_pipe(const char *name)
{
    int fd = openat(host.root_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static bool send_message(const char *name, const void *message, size_t size)
{
    CLEANUP_CLOSE int fd = openat(host.root_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    return fd >= 0 && write(fd, message, size) == (ssize_t)size;
}

/* Held while an event is sent and counted, and while a daemon begins to listen: a worker that
 * outlives its daemon sends events at any moment. Whoever dies gives it up. */
static int lock_events(void)
{
    int fd = openat(host.root_fd, EVENTS ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        abort();
    return fd;
}

static void send_counted(const struct event_message *m)
{
    CLEANUP_CLOSE int lock = lock_events();

    (void)lock;
    /* Counted first: while it is under way the daemon is not at rest. */
    atomic_fetch_add(&host.shared->events_sent, 1);
    if (send_message(EVENTS, m, sizeof(*m)))
        return;
    atomic_fetch_sub(&host.shared->events_sent, 1);
    atomic_store(&host.shared->unheard, true);
}

/* What was sent before is lost, and no promise: the daemon looks at everything after this. */
static int begin_to_listen(void)
{
    CLEANUP_CLOSE int lock = lock_events();

    (void)lock;
    atomic_store(&host.shared->events_sent, 0);
    atomic_store(&host.shared->events_done, 0);
    atomic_store(&host.shared->unheard, false);
    return open_pipe(EVENTS);
}

void send_event(enum hotplug_action action, const char *address)
{
    struct event_message m = {.action = action};

    if (atomic_load(&host.shared->deaf))
        return;
    (void)pci_addr_parse(address, &m.addr);
    send_counted(&m);
}

void send_driver_event(void)
{
    if (!atomic_load(&host.shared->deaf))
        send_counted(&(struct event_message){.driver = true});
}

void send_overflow(void)
{
    send_counted(&(struct event_message){.overflow = true});
}

unsigned ask(enum request_kind kind, const char *address)
{
    unsigned number = atomic_fetch_add(&host.shared->asked, 1);
    struct request_message m = {.number = number, .kind = kind};

    if (number >= REQUESTS_MAX)
        abort();
    if (address)
        (void)pci_addr_parse(address, &m.addr);
    atomic_store(&host.shared->answers[number], NOT_ANSWERED);
    if (!send_message(REQUESTS, &m, sizeof(m)))
        atomic_store(&host.shared->unheard, true);
    return number;
}

/* -- hot-plug -- */

struct hotplug {
    int fd;
    sd_event_source *source;
    struct hotplug_handler handler;
};

static int on_events(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct hotplug *h = userdata;
    struct event_message m;
    unsigned n = 0;
    bool lost = false;

    (void)source;
    (void)events;
    for (; read(fd, &m, sizeof(m)) == (ssize_t)sizeof(m); n++)
        if (m.overflow)
            lost = true;
        else if (m.driver)
            h->handler.driver(h->handler.userdata);
        else
            h->handler.event(h->handler.userdata, m.action, m.addr);
    atomic_fetch_add(&host.shared->events_done, n);
    h->handler.drained(h->handler.userdata, lost);
    return 0;
}

int hotplug_new(sd_event *event, const struct hotplug_handler *handler, struct hotplug **ret)
{
    struct hotplug *h = calloc(1, sizeof(*h));
    int r;

    if (!h)
        return -ENOMEM;
    h->handler = *handler;
    h->fd = r = begin_to_listen();
    if (r >= 0)
        r = sd_event_add_io(event, &h->source, h->fd, EPOLLIN, on_events, h);
    if (r >= 0)
        r = sd_event_source_set_priority(h->source, SD_EVENT_PRIORITY_IMPORTANT);
    *ret = h;
    return r;
}

void hotplug_free(struct hotplug *h)
{
    if (!h)
        return;
    sd_event_source_disable_unref(h->source);
    close(h->fd);
    free(h);
}

/* -- the front -- */

struct waiting {
    unsigned number;
    struct pci_addr addr;
    bool bind;
};

struct front_link {
    int fd;
    sd_event_source *source;
    bool connected; /* once there is a turn of the loop for it */
    const struct view *view;
    struct front_requests requests;
    struct waiting waiting[REQUESTS_MAX];
    size_t n_waiting;
};

static void answer(unsigned number, int r, const struct refusal *why)
{
    snprintf(host.shared->answer_texts[number], SENTENCE_SIZE, "%.*s", SENTENCE_SIZE - 1,
             why->kind != REFUSAL_NONE ? why->text : strerror(-r));
    atomic_store(&host.shared->answers[number], r < 0 ? r : 0);
}

static void answer_waiting(struct front_link *b)
{
    size_t kept = 0;

    for (size_t i = 0; i < b->n_waiting; i++) {
        struct waiting w = b->waiting[i];
        struct refusal why = {0};
        if (outcome_is_pending(b->view, w.addr))
            b->waiting[kept++] = w;
        else
            answer(w.number, outcome(b->view, w.addr, w.bind, &why), &why);
    }
    b->n_waiting = kept;
}

static void show(struct shown *to, const struct verdict *v, const struct view *view)
{
    const struct device *d = snapshot_find(&view->snapshot, v->addr);
    const struct record *r = records_find(&view->records, v->addr);

    to->is_there = true;
    to->state = v->state;
    to->reason = v->reason;
    to->usable = v->usable;
    to->problems = v->problems;
    snprintf(to->target, sizeof(to->target), "%s", v->driver);
    snprintf(to->driver, sizeof(to->driver), "%s", d && d->driver ? d->driver : "");
    verdict_sentence(v, &view->snapshot, &view->records, to->sentence);
    if (!r)
        return;
    to->touched = r->touched;
    to->released = record_is_released(r);
    to->error = r->error;
    to->failed_at = r->failed_at;
    snprintf(to->previous, sizeof(to->previous), "%s",
             r->previous_driver ? r->previous_driver : "");
}

/* Only entries that are certainly in the table. While one is being written the daemon is not at
 * rest. */
static void show_ids(const struct dynids *f)
{
    struct shared *s = host.shared;

    s->n_ids = 0;
    for (size_t i = 0; i < f->n && s->n_ids < KERNEL_IDS_MAX; i++)
        if (f->v[i].state == DYNID_ARMED) {
            const struct dynid *id = &f->v[i].id;
            s->ids[s->n_ids++] = (struct pci_id){.vendor = id->vendor,
                                                 .device = id->device,
                                                 .subvendor = id->subvendor,
                                                 .subdevice = id->subdevice,
                                                 .class_code = id->class_code,
                                                 .class_mask = id->class_mask};
        }
}

static size_t open_work(const struct view *view)
{
    size_t n = view->plan.n_actions + view->records.dynids.in_flight;

    for (size_t i = 0; i < view->records.n; i++)
        n += record_is_in_hand(&view->records.v[i]) || record_is_waiting(&view->records.v[i]);
    return n;
}

static void publish(const struct view *view)
{
    struct shared *s = host.shared;

    const struct tally t = tally_make(view);

    atomic_store(&s->unread, t.unknown);
    atomic_store(&s->good, tally_is_good(&t));
    atomic_fetch_add(&s->sequence, 1);
    memset(s->cards, 0, sizeof(s->cards));
    for (size_t i = 0; i < view->plan.n_verdicts; i++) {
        const struct verdict *v = &view->plan.verdicts[i];
        int card = card_index(pci_addr_text(v->addr).s);
        if (card < 0)
            continue;
        show(&s->cards[card], v, view);
        if (v->state == STATE_STUCK && !group_is_in_call((size_t)card))
            s->false_alarm = true;
    }
    show_ids(&view->records.dynids);
    s->n_open = open_work(view);
    s->events_shown = atomic_load(&s->events_done);
    s->updates++;
    atomic_fetch_add(&s->sequence, 1);
}

void front_link_update(struct front_link *b)
{
    struct shared *s = host.shared;

    if (!b || !b->connected)
        return;
    if (s->fault.kind == FAULT_KILL_UPDATING && !s->fired && s->updates + 1 == s->fault.at) {
        s->fired = true;
        kill(getpid(), SIGKILL);
    }
    answer_waiting(b);
    publish(b->view);
}

static int start_request(struct front_link *b, const struct request_message *m, struct refusal *why)
{
    void *userdata = b->requests.userdata;

    switch (m->kind) {
    case REQUEST_RELOAD:
        return b->requests.reload(userdata, why);
    case REQUEST_RESCAN:
        return b->requests.rescan(userdata, why);
    case REQUEST_BIND:
        return b->requests.bind(userdata, m->addr, why);
    case REQUEST_RELEASE:
        return b->requests.release(userdata, m->addr, why);
    }
    return -EINVAL;
}

static int on_request(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct front_link *b = userdata;
    struct request_message m;
    struct refusal why = {0};

    (void)source;
    (void)events;
    if (read(fd, &m, sizeof(m)) != (ssize_t)sizeof(m))
        return 0;
    int r = start_request(b, &m, &why);
    if (r < 0 || m.kind == REQUEST_RELOAD || m.kind == REQUEST_RESCAN)
        answer(m.number, r, &why);
    else
        b->waiting[b->n_waiting++] = (struct waiting){m.number, m.addr, m.kind == REQUEST_BIND};
    front_link_update(b);
    return 0;
}

/* It is told all of it. */
static int on_connected(sd_event_source *source, void *userdata)
{
    struct front_link *b = userdata;

    (void)source;
    b->connected = true;
    publish(b->view);
    return 0;
}

int front_link_new(sd_event *event, const struct view *view, const struct front_requests *requests,
                   struct front_link **ret)
{
    struct front_link *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return -ENOMEM;
    *b = (struct front_link){.view = view, .requests = *requests};
    b->fd = r = open_pipe(REQUESTS);
    if (r >= 0)
        r = sd_event_add_io(event, &b->source, b->fd, EPOLLIN, on_request, b);
    if (r >= 0)
        r = sd_event_source_set_priority(b->source, SD_EVENT_PRIORITY_NORMAL + 10);
    if (r >= 0)
        r = sd_event_add_defer(event, NULL, on_connected, b);
    *ret = b;
    return r;
}

void front_link_free(struct front_link *b)
{
    if (!b)
        return;
    sd_event_source_disable_unref(b->source);
    close(b->fd);
    free(b);
}
