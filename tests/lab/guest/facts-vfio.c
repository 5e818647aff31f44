/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a virtual machine monitor could have the devices: opens every group with a device of a
 * VFIO driver as one would. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "facts.h"

#define OPEN_SECONDS 3
#define AT_ONCE 16

struct group {
    const char *number;
    struct texts devices; /* those with a VFIO driver */
};

static struct group *groups;
static size_t group_count;

static void read_groups(void)
{
    char **numbers, **members;
    size_t count = names_in(&numbers, "/sys/kernel/iommu_groups");

    groups = calloc(count + 1, sizeof(*groups));
    for (size_t i = 0; i < count; i++) {
        struct group *group = &groups[group_count];
        size_t size = names_in(&members, format("/sys/kernel/iommu_groups/%s/devices", numbers[i]));

        group->number = numbers[i];
        for (size_t j = 0; j < size; j++) {
            const char *driver = target_of(PCI_DEVICES "/%s/driver", members[j]);
            if (driver && strstr(driver, "vfio"))
                add_text(&group->devices, members[j]);
        }
        group_count += group->devices.count > 0;
    }
}

/* What follows is a child's, which says each result at once, a line "NAME RESULT". */
static void say(const char *name, int result)
{
    printf("%s %s\n", name, result < 0 ? strerrorname_np(errno) : "ok");
    fflush(stdout);
}

static void try_devices(int group, const struct texts *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        int fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, devices->at[i]);
        say(devices->at[i], fd);
        if (fd >= 0)
            close(fd);
    }
}

static void try_container(int fd, const struct texts *devices, long iommu)
{
    int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    int result = container;

    if (result >= 0)
        result = ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container);
    if (result >= 0)
        result = ioctl(container, VFIO_SET_IOMMU, iommu);
    say("iommu", result);
    if (result >= 0)
        try_devices(fd, devices);
    if (container >= 0)
        close(container);
}

/* linux/vfio.h has these since 6.6. */
struct bind_iommufd {
    uint32_t argsz, flags;
    int32_t iommufd;
    uint32_t out_devid;
};
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

/* Where the kernel makes no nodes of groups: each device by its own node. All are tried at once, as
 * one virtual machine would have them. */
static void try_nodes(const struct texts *devices)
{
    struct bind_iommufd bind = {.argsz = sizeof(bind)};
    char **names;

    bind.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
    say("iommu", bind.iommufd);
    for (size_t i = 0; i < devices->count && bind.iommufd >= 0; i++) {
        int device = -1;
        if (names_in(&names, format(PCI_DEVICES "/%s/vfio-dev", devices->at[i])) > 0)
            device = open(format("/dev/vfio/devices/%s", names[0]), O_RDWR | O_CLOEXEC);
        say(devices->at[i], device < 0 ? device : ioctl(device, BIND_IOMMUFD, &bind));
    }
}

static void try_group(void *data)
{
    const struct group *group = data;
    struct vfio_group_status status = {.argsz = sizeof(status)};
    bool unsafe =
        !exists("/dev/vfio/%s", group->number) && exists("/dev/vfio/noiommu-%s", group->number);
    int fd =
        open(format("/dev/vfio/%s%s", unsafe ? "noiommu-" : "", group->number), O_RDWR | O_CLOEXEC);

    say("open", fd);
    if (fd < 0 && errno == ENOENT)
        try_nodes(&group->devices);
    if (fd < 0)
        return;
    if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) == 0) {
        printf("viable %d\n", (status.flags & VFIO_GROUP_FLAGS_VIABLE) != 0);
        fflush(stdout);
        if (status.flags & VFIO_GROUP_FLAGS_VIABLE)
            try_container(fd, &group->devices, unsafe ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU);
    }
    close(fd);
}

/* The result with this name among the lines; NULL without it. */
static char *result_of(const char *answer, const char *name)
{
    size_t length = strlen(name);

    while (answer && *answer) {
        if (strncmp(answer, name, length) == 0 && answer[length] == ' ')
            return format("%.*s", (int)strcspn(answer + length + 1, "\n"), answer + length + 1);
        answer = strchr(answer, '\n');
        answer = answer ? answer + 1 : NULL;
    }
    return NULL;
}

/* Of a child that hangs, whatever it did not say is late; or else it was not tried. */
static void print_group(const struct group *group, const struct child *child)
{
    const char *missing = child->late ? "timeout" : NULL, *open, *viable, *iommu;

    open = result_of(child->answer, "open");
    viable = result_of(child->answer, "viable");
    iommu = result_of(child->answer, "iommu");
    begin("vfio");
    put_raw("group", group->number);
    put_bool("node", exists("/dev/vfio/%s", group->number) ||
                         exists("/dev/vfio/noiommu-%s", group->number));
    put_text("open", open ? open : missing);
    put_raw("viable", viable ? (*viable == '1' ? "true" : "false") : "null");
    put_text("iommu", iommu ? iommu : viable && *viable == '1' ? missing : NULL);
    put_raw("devices", "{");
    for (size_t i = 0; i < group->devices.count; i++) {
        const char *result = result_of(child->answer, group->devices.at[i]);
        if (!result)
            result = missing;
        printf("%s\"%s\":", i == 0 ? "" : ",", group->devices.at[i]);
        printf(result ? "\"%s\"" : "null", result);
    }
    printf("}");
    end();
}

void print_vfio(void *unused)
{
    struct child children[AT_ONCE];

    (void)unused;
    read_groups();
    /* Together: a device's reset, before and after, is mostly waiting. */
    for (size_t i = 0; i < group_count; i += AT_ONCE) {
        size_t count = group_count - i < AT_ONCE ? group_count - i : AT_ONCE;
        for (size_t j = 0; j < count; j++)
            children[j] = (struct child){.work = try_group, .data = &groups[i + j]};
        ask(children, count, OPEN_SECONDS);
        for (size_t j = 0; j < count; j++)
            print_group(&groups[i + j], &children[j]);
        fflush(stdout);
    }
}

void print_cdevs(void *unused)
{
    char **addresses, **names;
    size_t count = names_in(&addresses, PCI_DEVICES);

    (void)unused;
    for (size_t i = 0; i < count; i++) {
        size_t size = names_in(&names, format(PCI_DEVICES "/%s/vfio-dev", addresses[i]));
        for (size_t j = 0; j < size; j++) {
            begin("cdev");
            put_text("address", addresses[i]);
            put_text("name", names[j]);
            put_bool("node", exists("/dev/vfio/devices/%s", names[j]));
            end();
        }
    }
}
