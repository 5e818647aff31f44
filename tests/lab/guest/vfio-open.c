/*
 * Opens a PCI device through VFIO, as a virtual machine monitor does, and prints
 * the first 32 bits of its BAR 0.
 *
 * Usage: vfio-open ADDRESS [SECONDS [device|iommufd|node]]
 *
 * With SECONDS it then keeps the device open for so long; with "device" nothing but
 * the device, as one who was handed only that descriptor; with "iommufd" by the
 * device's own node and /dev/iommu; with "node" it only opens that node, and reads
 * nothing.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
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

/* linux/vfio.h and linux/iommufd.h have these since 6.6. */
struct bind_iommufd {
    uint32_t argsz, flags;
    int32_t iommufd;
    uint32_t out_devid;
};
struct attach_iommufd_pt {
    uint32_t argsz, flags, pt_id;
};
struct ioas_alloc {
    uint32_t size, flags, out_ioas_id;
};
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)
#define IOAS_ALLOC _IO(';', 0x81)

/* Opens the device's own node. */
static int open_node(const char *address)
{
    const struct dirent *e;
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", address);
    DIR *dir = opendir(path);
    if (!dir)
        fail(path);
    while ((e = readdir(dir)) && strncmp(e->d_name, "vfio", 4) != 0)
        ;
    if (!e)
        fail_plainly("vfio-dev is empty");
    snprintf(path, sizeof(path), "/dev/vfio/devices/%s", e->d_name);
    closedir(dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail(path);
    return fd;
}

static int open_by_iommufd(const char *address)
{
    struct bind_iommufd bind = {.argsz = sizeof(bind)};
    struct ioas_alloc alloc = {.size = sizeof(alloc)};
    struct attach_iommufd_pt attach = {.argsz = sizeof(attach)};
    int device = open_node(address);

    bind.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
    if (bind.iommufd < 0)
        fail("/dev/iommu");
    if (ioctl(device, BIND_IOMMUFD, &bind) < 0)
        fail("VFIO_DEVICE_BIND_IOMMUFD");
    if (ioctl(bind.iommufd, IOAS_ALLOC, &alloc) < 0)
        fail("IOMMU_IOAS_ALLOC");
    attach.pt_id = alloc.out_ioas_id;
    if (ioctl(device, ATTACH_IOMMUFD_PT, &attach) < 0)
        fail("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
    return device;
}

static int open_by_group(const char *address, bool only_device)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    int container, group, device;

    container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    if (container < 0)
        fail("/dev/vfio/vfio");
    if (ioctl(container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
        fail_plainly("unknown version of VFIO");

    group = open_group(address);
    if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0)
        fail("VFIO_GROUP_GET_STATUS");
    if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        fail_plainly("the group is not viable");
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
        fail("VFIO_GROUP_SET_CONTAINER");
    if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        fail("VFIO_SET_IOMMU");

    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
    if (device < 0)
        fail("VFIO_GROUP_GET_DEVICE_FD");
    if (only_device) {
        close(group);
        close(container);
    }
    return device;
}

static void print_register(int device)
{
    struct vfio_region_info region = {
        .argsz = sizeof(region),
        .index = VFIO_PCI_BAR0_REGION_INDEX,
    };
    uint32_t value;

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
}

int main(int argc, char **argv)
{
    const char *way = argc == 4 ? argv[3] : "group";

    if (argc < 2 || argc > 4 ||
        (argc == 4 && strcmp(way, "device") != 0 && strcmp(way, "iommufd") != 0 &&
         strcmp(way, "node") != 0)) {
        fprintf(stderr, "usage: vfio-open ADDRESS [SECONDS [device|iommufd|node]]\n");
        return 2;
    }
    if (strcmp(way, "node") == 0)
        open_node(argv[1]);
    else if (strcmp(way, "iommufd") == 0)
        print_register(open_by_iommufd(argv[1]));
    else
        print_register(open_by_group(argv[1], strcmp(way, "device") == 0));
    if (argc >= 3)
        sleep((unsigned int)strtoul(argv[2], NULL, 10));
    return EXIT_SUCCESS;
}
