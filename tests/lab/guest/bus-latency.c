/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a service takes to answer over one open connection to the system bus, and how long the
 * bus itself takes meanwhile: what both wait for is the machine's doing.
 *
 * usage: bus-latency SERVICE PATH INTERFACE PROPERTY CALLS PAUSE_MS
 *
 * Reads the property so often, with a pause in between, and prints "MEDIAN MAXIMUM BUS_MAXIMUM
 * GONE", times in microseconds. While nobody has the service's name (not yet, or during a restart)
 * the bus answers instead: such calls are tried again and only counted, in GONE. What takes more
 * than 100 ms is told on standard error, with the time since boot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define LONG_USEC 100000

static unsigned long now_usec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long)t.tv_sec * 1000000 + (unsigned long)t.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
    const unsigned long *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Is it an answer of the bus, not of the service? */
static int is_gone(const sd_bus_error *error)
{
    return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY);
}

/* Returns how long it took in *ret_usec, and 1; 0 if nobody has the name; or negative errno. */
static int ask(sd_bus *bus, char *const of[4], unsigned long *ret_usec)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    unsigned long begin = now_usec();
    int r = sd_bus_call_method(bus, of[0], of[1], "org.freedesktop.DBus.Properties", "Get", &error,
                               &reply, "ss", of[2], of[3]);

    *ret_usec = now_usec() - begin;
    if (r < 0 && is_gone(&error))
        r = 0;
    else if (r < 0)
        fprintf(stderr, "bus-latency: %s: %s\n", of[0], error.message ? error.message : "");
    else
        r = 1;
    if (r == 1 && *ret_usec > LONG_USEC)
        fprintf(stderr, "[%4lu.%03lu] %s took %lu us\n", begin / 1000000, begin / 1000 % 1000,
                of[0], *ret_usec);
    sd_bus_error_free(&error);
    sd_bus_message_unref(reply);
    return r;
}

struct times {
    unsigned long *v;
    size_t n;
    long n_long;
};

static void add(struct times *t, unsigned long usec)
{
    t->v[t->n++] = usec;
    t->n_long += usec > LONG_USEC;
}

static void print(struct times *t)
{
    qsort(t->v, t->n, sizeof(*t->v), by_value);
    printf("%lu %lu %ld ", t->v[t->n / 2], t->v[t->n - 1], t->n_long);
}

int main(int argc, char **argv)
{
    static char *const the_bus[] = {"org.freedesktop.DBus", "/org/freedesktop/DBus",
                                    "org.freedesktop.DBus", "Interfaces"};
    size_t calls = argc == 7 ? strtoul(argv[5], NULL, 10) : 0;
    useconds_t pause = argc == 7 ? (useconds_t)strtoul(argv[6], NULL, 10) * 1000 : 0;
    struct times service = {.v = calloc(calls + 1, sizeof(*service.v))};
    struct times bus_itself = {.v = calloc(calls + 1, sizeof(*bus_itself.v))};
    unsigned long usec, of_bus;
    long gone = 0;
    sd_bus *bus = NULL;
    int r = calls > 0 && service.v && bus_itself.v ? sd_bus_open_system(&bus) : -EINVAL;

    for (; r >= 0 && service.n < calls; usleep(pause)) {
        r = ask(bus, the_bus, &of_bus);
        if (r > 0)
            r = ask(bus, argv + 1, &usec);
        if (r > 0) {
            add(&bus_itself, of_bus);
            add(&service, usec);
        } else {
            gone++;
        }
    }
    if (r < 0) {
        fprintf(stderr, "bus-latency: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    print(&service);
    print(&bus_itself);
    printf("%ld\n", gone);
    return EXIT_SUCCESS;
}
