/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own events of PCI functions, each with the time at which it came: one a line,
 *
 *   MICROSECONDS ACTION ADDRESS DRIVER
 *
 * of CLOCK_MONOTONIC, the driver "-" where the event names none. The first line is "listening", one
 * "lost" says that the kernel dropped some. It runs before all ordinary processes: on a busy
 * machine an event's time is its own and not that of whoever had the processor. */
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_SIZE (64 << 20)

static const char *value_of(const char *text, size_t size, const char *key)
{
    size_t length = strlen(key);

    for (const char *p = text; p < text + size; p += strlen(p) + 1)
        if (strncmp(p, key, length) == 0 && p[length] == '=')
            return p + length + 1;
    return NULL;
}

static void print_event(const char *text, size_t size)
{
    struct timespec now;
    const char *subsystem = value_of(text, size, "SUBSYSTEM");
    const char *action = value_of(text, size, "ACTION");
    const char *address = value_of(text, size, "PCI_SLOT_NAME");
    const char *driver = value_of(text, size, "DRIVER");

    if (!subsystem || strcmp(subsystem, "pci") != 0 || !action || !address ||
        value_of(text, size, "SYNTH_UUID"))
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%lld %s %s %s\n", now.tv_sec * 1000000LL + now.tv_nsec / 1000, action, address,
           driver ? driver : "-");
}

int main(void)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = 1};
    const struct sched_param first = {.sched_priority = 10};
    const int size = QUEUE_SIZE;
    char text[8193];
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
        bind(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
        sched_setscheduler(0, SCHED_FIFO, &first) < 0) {
        perror("uevents");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("listening");
    for (;;) {
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
        if (n > 0) {
            text[n] = '\0';
            print_event(text, (size_t)n);
        } else if (n < 0 && errno == ENOBUFS) {
            puts("lost");
        } else if (n < 0 && errno != EINTR) {
            perror("uevents");
            return 1;
        }
    }
}
