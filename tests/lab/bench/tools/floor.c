/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that can be done: nothing but the writes, in one process, checked by nobody.
 * usage: floor bind ADDRESS...   driver_override and bind of each; prints microseconds since main()
 *        floor undo ADDRESS...   unbinds them and clears the overrides
 *        floor listen VENDOR     the same two writes for each device of the vendor (10de) that
 *                                appears, until it is killed
 * and, for the tests:
 *        floor await ADDRESS     waits, 30 s at most, until the device is on vfio-pci */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

    if (fd >= 0)
        close(fd);
    return n < 0 ? -1 : 0;
}

static int override(const char *address, const char *driver)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", address);
    return put(path, driver);
}

static int on_vfio(const char *verb, const char *address)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/bus/pci/drivers/vfio-pci/%s", verb);
    return put(path, address);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int listen_for(const char *vendor)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    char buf[8192], wanted[32];
    int size = 4 << 20;
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror("floor: netlink");
        return EXIT_FAILURE;
    }
    snprintf(wanted, sizeof(wanted), "PCI_ID=%s:", vendor);
    while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) >= 0 || errno == ENOBUFS) {
        const char *slot = NULL;
        int fits = 0;
        buf[n > 0 ? n : 0] = '\0';
        if (strncmp(buf, "add@", 4) != 0)
            continue;
        for (const char *s = buf; s < buf + n; s += strlen(s) + 1) {
            if (strncmp(s, "PCI_SLOT_NAME=", 14) == 0)
                slot = s + 14;
            fits |= strncasecmp(s, wanted, strlen(wanted)) == 0;
        }
        if (!slot || !fits)
            continue;
        override(slot, "vfio-pci");
        if (on_vfio("bind", slot) < 0) { /* the native driver was faster */
            char path[128];
            snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", slot);
            put(path, slot);
            on_vfio("bind", slot);
        }
    }
    perror("floor: recv");
    return EXIT_FAILURE;
}

static int await(const char *address)
{
    char path[128], target[256];
    double end = now() + 30e6;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
    while (now() < end) {
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        if (strstr(target, "/vfio-pci"))
            return EXIT_SUCCESS;
        usleep(2000);
    }
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    double start = now();
    int failed = 0;

    if (argc == 3 && strcmp(argv[1], "listen") == 0)
        return listen_for(argv[2]);
    if (argc == 3 && strcmp(argv[1], "await") == 0)
        return await(argv[2]);
    if (argc < 3 || (strcmp(argv[1], "bind") != 0 && strcmp(argv[1], "undo") != 0)) {
        fprintf(stderr,
                "usage: floor bind|undo ADDRESS... | floor listen VENDOR | floor await ADDRESS\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (argv[1][0] == 'b') {
            failed |= override(argv[i], "vfio-pci") < 0;
            failed |= on_vfio("bind", argv[i]) < 0;
        } else {
            on_vfio("unbind", argv[i]);
            failed |= override(argv[i], "\n") < 0;
        }
    }
    printf("%.0f\n", now() - start);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
