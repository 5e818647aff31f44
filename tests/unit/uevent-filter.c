/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel runs the filter, on a socket of another family. */
#include "unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "loop/uevent-filter.h"

/* Does an event get through that begins so? The rest is as the kernel sends it. */
static bool passes(const int fds[2], const char *head)
{
    char event[512], got[512];
    size_t n = (size_t)snprintf(event, sizeof(event), "%s%cSUBSYSTEM=any%cSEQNUM=4711", head, 0, 0);

    ck_assert_int_eq(send(fds[0], event, n + 1, 0), (ssize_t)n + 1);
    ssize_t r = recv(fds[1], got, sizeof(got), MSG_DONTWAIT);
    ck_assert(r == (ssize_t)n + 1 || (r < 0 && errno == EAGAIN));
    return r > 0;
}

START_TEST(what_passes)
{
    static const struct {
        const char *head;
        bool passes;
    } cases[] = {
        {"add@/devices/pci0000:00/0000:00:01.0/0000:06:00.0", true},
        {"bind@/devices/pci0000:00/0000:00:01.0/0000:06:00.0", true},
        {"unbind@/devices/pci0000:00/0000:00:01.0/0000:06:00.0", true},
        {"remove@/devices/pci0000:00/0000:00:01.0/0000:06:00.0", true},
        {"add@/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0", true},
        {"add@/devices/platform/40000000.pcie/pci0000:00/0000:00:01.0", true},
        {"add@/devices/LNXSYSTM:00/LNXSYBUS:00/VMBUS:00/x/pci3bf3:00/3bf3:00:00.0", true},
        {"add@/bus/pci/drivers/vfio-pci", true},
        {"remove@/bus/pci/drivers/nvidia", true},
        {"add@/devices/virtual/net/veth1", false},
        {"remove@/devices/virtual/net/veth1", false},
        {"add@/devices/virtual/net/veth1/queues/rx-0", false},
        {"move@/devices/virtual/net/veth1", false},
        {"change@/devices/virtual/block/loop0", false},
        {"online@/devices/virtual/workqueue/x", false},
        {"offline@/devices/virtual/workqueue/x", false},
        {"add@/kernel/slab/:0000192", false},
        {"add@/module/veth", false},
        {"remove@/module/veth", false},
        {"add@/devices/virtua1/net/x", true},
        {"something@/devices/virtual/net/x", true},
        {"", true},
    };
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(uevent_filter(fds[1]), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        ck_assert_msg(passes(fds, cases[i].head) == cases[i].passes, "%s", cases[i].head);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

UNIT_MAIN("uevent-filter", what_passes)
