/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of the kernel in batches. libudev is replaced: its queue is a number here. */
#include "unit.h"

#include <errno.h>
#include <libudev.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>

#include "loop/hotplug.h"
#include "loop/uevent-filter.h"

struct udev {
    int unused;
};
struct udev_monitor {
    int fd;
};
struct udev_device {
    int unused;
};

static struct udev udev;
static struct udev_monitor monitor;
static struct udev_device device;
static int queued,
    overflow_at; /* after so many of the queue the kernel has dropped some; -1: none */

struct udev *udev_new(void)
{
    return &udev;
}

struct udev *udev_unref(struct udev *u)
{
    (void)u;
    return NULL;
}

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *u, const char *name)
{
    (void)u;
    (void)name;
    monitor.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    return &monitor;
}

struct udev_monitor *udev_monitor_unref(struct udev_monitor *m)
{
    close(m->fd);
    return NULL;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *m, const char *subsystem,
                                                    const char *type)
{
    (void)m;
    (void)subsystem;
    (void)type;
    return 0;
}

int udev_monitor_enable_receiving(struct udev_monitor *m)
{
    (void)m;
    return 0;
}

int udev_monitor_get_fd(struct udev_monitor *m)
{
    return m->fd;
}

int uevent_filter(int fd)
{
    (void)fd;
    return 0;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *m)
{
    uint64_t value;

    errno = EAGAIN;
    if (queued == 0) {
        ck_assert(read(m->fd, &value, sizeof(value)) == sizeof(value) || errno == EAGAIN);
        return NULL;
    }
    if (queued == overflow_at) {
        overflow_at = -1;
        errno = ENOBUFS;
        return NULL;
    }
    queued--;
    return &device;
}

struct udev_device *udev_device_unref(struct udev_device *d)
{
    (void)d;
    return NULL;
}

const char *udev_device_get_action(struct udev_device *d)
{
    (void)d;
    return "add";
}

const char *udev_device_get_subsystem(struct udev_device *d)
{
    (void)d;
    return "pci";
}

const char *udev_device_get_devpath(struct udev_device *d)
{
    (void)d;
    return "/devices/pci0000:00/0000:00:02.0";
}

const char *udev_device_get_sysname(struct udev_device *d)
{
    (void)d;
    return "0000:00:02.0";
}

const char *udev_device_get_property_value(struct udev_device *d, const char *key)
{
    (void)d;
    (void)key;
    return NULL;
}

/* What the handler has seen. */
static int n_events, n_drained, n_lost, n_others;

static void on_event(void *userdata, enum hotplug_action action, struct pci_addr a)
{
    (void)userdata;
    (void)action;
    (void)a;
    n_events++;
}

static void on_nothing(void *userdata)
{
    (void)userdata;
}

static void on_drained(void *userdata, bool lost)
{
    (void)userdata;
    n_drained++;
    n_lost += lost;
}

/* Stands for the bus: always ready, of normal priority. */
static int on_other(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    (void)userdata;
    n_others++;
    return 0;
}

static void run_until_empty(int events, int overflow)
{
    const struct hotplug_handler handler = {on_event,   on_nothing, on_nothing, on_nothing,
                                            on_drained, NULL,       -1};
    CLEANUP_CLOSE int other_fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    sd_event_source *other = NULL;
    sd_event *event = NULL;
    struct hotplug *h;

    queued = events;
    overflow_at = overflow;
    n_events = n_drained = n_lost = n_others = 0;
    ck_assert_int_eq(sd_event_new(&event), 0);
    ck_assert_int_eq(hotplug_new(event, &handler, &h), 0);
    ck_assert_int_ge(sd_event_add_io(event, &other, other_fd, EPOLLIN, on_other, NULL), 0);
    for (int i = 0; i < 4 * events + 8 && (queued > 0 || n_drained == 0); i++)
        ck_assert_int_ge(sd_event_run(event, 0), 0);
    sd_event_source_unref(other);
    hotplug_free(h);
    sd_event_unref(event);
}

START_TEST(few_events_are_one_batch)
{
    run_until_empty(10, -1);
    ck_assert_int_eq(n_events, 10);
    ck_assert_int_eq(n_drained, 1);
    ck_assert_int_eq(n_lost, 0);
    ck_assert_int_eq(n_others, 0); /* they come first */
}
END_TEST

/* In a storm the bus and the watchdog get their turns. */
START_TEST(a_storm_lets_others_in)
{
    run_until_empty(1000, -1);
    ck_assert_int_eq(n_events, 1000);
    ck_assert_int_ge(n_drained, 1000 / 100);
    ck_assert_int_ge(n_others, n_drained / 2);
    ck_assert_int_eq(n_lost, 0);
}
END_TEST

/* Everything is looked at anew once, when the queue is empty. */
START_TEST(an_overflow_is_told_at_the_end)
{
    run_until_empty(500, 490);
    ck_assert_int_eq(n_events, 500);
    ck_assert_int_eq(n_lost, 1);
}
END_TEST

UNIT_MAIN("hotplug", few_events_are_one_batch, a_storm_lets_others_in,
          an_overflow_is_told_at_the_end)
