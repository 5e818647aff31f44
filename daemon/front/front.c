/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/front.h"

#include <errno.h>
#include <signal.h>

#include "base/util.h"
#include "front/bus.h"

struct front {
    sd_event *event;
    struct copy copy;
    struct daemon_link *link;
    struct bus *bus; /* NULL until the copy is complete for the first time */
};

static void on_copy_changed(void *userdata)
{
    struct front *f = userdata;

    if (f->bus)
        bus_update(f->bus);
    else if (bus_new(f->event, &f->copy, f->link, &f->bus) < 0)
        (void)sd_event_exit(f->event, -ENOMEM);
}

static void on_daemon_reply(void *userdata, uint64_t id, enum refusal_kind kind,
                            const char *sentence)
{
    struct front *f = userdata;

    if (f->bus)
        bus_answer(f->bus, id, kind, sentence);
}

/* The copy is out of date, so we exit. Our name leaves the bus, and the service manager starts us
 * again. */
static void on_daemon_lost(void *userdata, int error)
{
    struct front *f = userdata;

    (void)sd_event_exit(f->event, error);
}

static void front_done(struct front *f)
{
    bus_free(f->bus);
    daemon_link_free(f->link);
    copy_done(&f->copy);
    sd_event_unref(f->event);
}

int front_run(int root_fd)
{
    CLEANUP(front_done) struct front f = {.copy.root_fd = root_fd};
    const struct daemon_link_handler handler = {on_copy_changed, on_daemon_reply, on_daemon_lost,
                                                &f};
    int r = sd_event_new(&f.event);

    signal(SIGPIPE, SIG_IGN);
    if (r >= 0)
        r = daemon_link_new(f.event, root_fd, &f.copy, &handler, &f.link);
    if (r < 0) {
        fprintf(stderr, "<4>vfio-bindd cannot be reached: %s\n", strerror(-r));
        return r;
    }
    r = sd_event_loop(f.event);
    if (r < 0 && r != -ECONNRESET)
        fprintf(stderr, "<4>the link to vfio-bindd is lost: %s\n", strerror(-r));
    return r;
}
