/*
 * Opens a PCI device through VFIO, as a virtual machine monitor does, and prints
 * the first 32 bits of its BAR 0.
 *
 * Usage: vfio-open ADDRESS [SECONDS [device]]
 *
 * With SECONDS it then keeps the device open for so long; with "device" nothing but
 * the device, as one who was handed only that descriptor.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <sys/ioctl.h>

static void fail(const char *what)
{
    fprintf(stderr, "vfio-open: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void fail_plainly(const char *what)
{
    fprintf(stderr, "vfio-open: %s\n", what);
    exit(EXIT_FAILURE);
}

/* Opens the device node of the IOMMU group which a device belongs to. */
static int open_group(const char *address)
{
    char path[PATH_MAX], target[256];
    const char *slash;
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
    length = readlink(path, target, sizeof(target) - 1);
    if (length < 0)
        fail(path);
    target[length] = '\0';
    slash = strrchr(target, '/');
    snprintf(path, sizeof(path), "/dev/vfio%s", slash ? slash : "");
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail(path);
    return fd;
}

int main(int argc, char **argv)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    struct vfio_region_info region = {
        .argsz = sizeof(region),
        .index = VFIO_PCI_BAR0_REGION_INDEX,
    };
    int container, group, device;
    uint32_t value;

    if (argc < 2 || argc > 4 || (argc == 4 && strcmp(argv[3], "device") != 0)) {
        fprintf(stderr, "usage: vfio-open ADDRESS [SECONDS [device]]\n");
        return 2;
    }

    container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    if (container < 0)
        fail("/dev/vfio/vfio");
    if (ioctl(container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
        fail_plainly("unknown version of VFIO");

    group = open_group(argv[1]);
    if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0)
        fail("VFIO_GROUP_GET_STATUS");
    if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        fail_plainly("the group is not viable");
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
        fail("VFIO_GROUP_SET_CONTAINER");
    if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        fail("VFIO_SET_IOMMU");

    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[1]);
    if (device < 0)
        fail("VFIO_GROUP_GET_DEVICE_FD");
    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) < 0)
        fail("VFIO_DEVICE_GET_REGION_INFO");

    if (region.size >= sizeof(value)) {
        if (pread(device, &value, sizeof(value), (off_t)region.offset) != (ssize_t)sizeof(value))
            fail("reading BAR 0");
        printf("0x%08" PRIx32 "\n", value);
    } else {
        printf("no BAR 0\n");
    }
    fflush(stdout);

    if (argc == 4) {
        close(group);
        close(container);
    }
    if (argc >= 3)
        sleep((unsigned int)strtoul(argv[2], NULL, 10));
    return EXIT_SUCCESS;
}
