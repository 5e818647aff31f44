/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/start-unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include "unit.h"

#define LONG (30 * 1000000ULL)
#define SHORT 300000ULL
#define JOB "/org/freedesktop/systemd1/job/7"

/* A stand-in for PID 1 on a socket of its own, in the same loop. */
struct manager {
    char folder[64], path[96], address[128];
    int fd;
    sd_event *event;
    sd_bus *bus;
    const char *result; /* of the job; NULL: it does not end; "refuse", "hang up": no job */
    char unit[128], mode[32];
    unsigned calls;
};

/* What the callback was told. */
struct told {
    sd_event *event;
    unsigned times;
    int r;
    char unit[128], text[512];
};

static int on_start_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct manager *f = userdata;
    const char *unit, *mode;

    ck_assert_int_ge(sd_bus_message_read(m, "ss", &unit, &mode), 0);
    snprintf(f->unit, sizeof(f->unit), "%s", unit);
    snprintf(f->mode, sizeof(f->mode), "%s", mode);
    f->calls++;
    if (f->result && strcmp(f->result, "refuse") == 0)
        return sd_bus_error_set(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit not found.");
    if (f->result && strcmp(f->result, "hang up") == 0) {
        sd_bus_close(f->bus);
        return 1;
    }
    ck_assert_int_ge(sd_bus_reply_method_return(m, "o", JOB), 0);
    if (!f->result)
        return 1;
    /* somebody else's job, then ours */
    ck_assert_int_ge(sd_bus_emit_signal(f->bus, "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", 6,
                                        "/org/freedesktop/systemd1/job/6", unit, "failed"),
                     0);
    ck_assert_int_ge(sd_bus_emit_signal(f->bus, "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", 7,
                                        JOB, unit, f->result),
                     0);
    return 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("StartUnit", "ss", "o", on_start_unit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
    SD_BUS_VTABLE_END,
};

static int on_connection(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
    struct manager *f = userdata;
    sd_id128_t id;
    int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)s;
    (void)revents;
    ck_assert_int_ge(c, 0);
    sd_id128_randomize(&id);
    ck_assert_int_ge(sd_bus_new(&f->bus), 0);
    ck_assert_int_ge(sd_bus_set_fd(f->bus, c, c), 0);
    ck_assert_int_ge(sd_bus_set_server(f->bus, 1, id), 0);
    ck_assert_int_ge(sd_bus_start(f->bus), 0);
    ck_assert_int_ge(sd_bus_add_object_vtable(f->bus, NULL, "/org/freedesktop/systemd1",
                                              "org.freedesktop.systemd1.Manager", vtable, f),
                     0);
    ck_assert_int_ge(sd_bus_attach_event(f->bus, f->event, 0), 0);
    return 0;
}

static void manager_init(struct manager *f, const char *result)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    *f = (struct manager){.result = result};
    snprintf(f->folder, sizeof(f->folder), "/tmp/vfio-bindd-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/private", f->folder);
    snprintf(f->address, sizeof(f->address), "unix:path=%s", f->path);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", f->path);
    f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(f->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(f->fd, 5), 0);
    ck_assert_int_ge(sd_event_new(&f->event), 0);
}

static void manager_listen(struct manager *f)
{
    ck_assert_int_ge(sd_event_add_io(f->event, NULL, f->fd, 1, on_connection, f), 0);
}

static void manager_done(struct manager *f)
{
    sd_bus_close_unref(f->bus);
    sd_event_unref(f->event);
    close(f->fd);
    unlink(f->path);
    rmdir(f->folder);
}

static void on_done(void *userdata, const char *unit, int r, const char *text)
{
    struct told *t = userdata;

    t->times++;
    t->r = r;
    snprintf(t->unit, sizeof(t->unit), "%s", unit);
    snprintf(t->text, sizeof(t->text), "%s", text);
    sd_event_exit(t->event, 0);
}

/* Asks and runs the loop until it was told. */
static struct told ask(struct manager *f, const char *module, uint64_t usec)
{
    struct told t = {.event = f->event};
    struct start_unit *m;

    char unit[START_UNIT_NAME_MAX];

    ck_assert(start_unit_of_module(module, unit));
    ck_assert_int_eq(start_unit(f->event, f->address, unit, usec, on_done, &t, &m), 0);
    ck_assert_int_ge(sd_event_loop(f->event), 0);
    ck_assert_uint_eq(t.times, 1);
    ck_assert_str_eq(t.unit, unit);
    return t;
}

START_TEST(loaded)
{
    CLEANUP(manager_done) struct manager f;

    manager_init(&f, "done");
    manager_listen(&f);
    struct told t = ask(&f, "nvgrace-gpu_vfio-pci", LONG);
    ck_assert_int_eq(t.r, 0);
    ck_assert_str_eq(t.text, "");
    ck_assert_str_eq(f.unit, "modprobe@nvgrace_gpu_vfio_pci.service");
    ck_assert_str_eq(f.mode, "replace");
    ck_assert_uint_eq(f.calls, 1);
}
END_TEST

START_TEST(not_loaded)
{
    static const struct {
        const char *result;
        int r;
        const char *says;
    } cases[] = {
        {"failed", -EIO, "systemd does not start modprobe@x.service: failed"},
        {"canceled", -EIO, "systemd does not start modprobe@x.service: canceled"},
        {"refuse", -ENOENT, "systemd does not start modprobe@x.service: Unit not found."},
        {"hang up", 0, "systemd does not start modprobe@x.service: "},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(manager_done) struct manager f;
        manager_init(&f, cases[i].result);
        manager_listen(&f);
        struct told t = ask(&f, "x", LONG);
        ck_assert_int_lt(t.r, 0);
        if (cases[i].r)
            ck_assert_int_eq(t.r, cases[i].r);
        ck_assert_msg(after_prefix(t.text, cases[i].says) != NULL, "%s", t.text);
        ck_assert_uint_eq(f.calls, 1);
    }
}
END_TEST

/* Neither a PID 1 that accepts nothing nor a job without end keeps it longer. */
START_TEST(time_limit)
{
    for (int listening = 0; listening < 2; listening++) {
        CLEANUP(manager_done) struct manager f;
        uint64_t before, after;
        manager_init(&f, NULL);
        if (listening)
            manager_listen(&f);
        sd_event_now(f.event, CLOCK_MONOTONIC, &before);
        struct told t = ask(&f, "x", SHORT);
        sd_event_now(f.event, CLOCK_MONOTONIC, &after);
        ck_assert_int_eq(t.r, -ETIMEDOUT);
        ck_assert_uint_ge(after - before, SHORT);
        ck_assert_uint_eq(f.calls, (unsigned)listening);
    }
}
END_TEST

START_TEST(no_attempt)
{
    CLEANUP(manager_done) struct manager f;
    static const char *const names[] = {"", "../x", "a b", "x.service", "x@y", "\\x2d", "a/b"};
    struct told t = {0};
    struct start_unit *m;
    char unit[START_UNIT_NAME_MAX];

    manager_init(&f, "done");
    for (size_t i = 0; i < ELEMENTS(names); i++)
        ck_assert(!start_unit_of_module(names[i], unit));
    ck_assert_int_eq(
        start_unit(f.event, "unix:path=/nonexistent/private", "x.service", LONG, on_done, &t, &m),
        -ENOENT);
    ck_assert_int_eq(start_unit(f.event, f.address, "x.service", LONG, on_done, &t, &m), 0);
    start_unit_cancel(m);
    start_unit_cancel(NULL);
    ck_assert_uint_eq(t.times, 0);
}
END_TEST

UNIT_MAIN("start-unit", loaded, not_loaded, time_limit, no_attempt)
