/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "host/vfio-nodes.h"

#define DEVICES_MAX 256

/* In linux/vfio.h since 6.6. */
struct bind_iommufd {
    uint32_t argsz, flags;
    int32_t iommufd;
    uint32_t out_devid;
};
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct kept_device {
    int fd; /* -1: closed */
    int asked_fd;
};

struct hold {
    int group_fd, iommufd, end_fd;
    struct kept_device devices[DEVICES_MAX];
    size_t n;
    pthread_t thread;
    bool has_thread;
};

bool hold_is_by_devices(const struct hold *h)
{
    return h->n > 0;
}

/* Closes each device when the kernel asks for it. After any other event it waits again. */
static void *close_when_asked(void *userdata)
{
    struct hold *h = userdata;
    struct pollfd fds[DEVICES_MAX + 1];

    for (size_t i = 0; i < h->n; i++)
        fds[i] = (struct pollfd){.fd = h->devices[i].asked_fd, .events = POLLIN};
    fds[h->n] = (struct pollfd){.fd = h->end_fd, .events = POLLIN};
    for (;;) {
        if (poll(fds, h->n + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[h->n].revents)
            return NULL;
        for (size_t i = 0; i < h->n; i++)
            if (fds[i].revents) {
                closep(&h->devices[i].fd);
                fds[i].fd = -1;
                fds[i].revents = 0;
            }
    }
}

static int ask_to_be_told(int device_fd, int asked_fd)
{
    union {
        struct vfio_irq_set set;
        char bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
    } u = {.set = {.argsz = sizeof(u),
                   .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                   .index = VFIO_PCI_REQ_IRQ_INDEX,
                   .count = 1}};

    memcpy(u.bytes + sizeof(struct vfio_irq_set), &(int32_t){asked_fd}, sizeof(int32_t));
    return ioctl(device_fd, VFIO_DEVICE_SET_IRQS, &u) < 0 ? -errno : 0;
}

/* The kernel returns EINVAL if somebody else has the device, and EPERM if somebody else has another
 * one of its group. */
static int keep_device(struct hold *h, int root_fd, const char *node)
{
    struct kept_device *d = &h->devices[h->n];
    struct bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = h->iommufd};

    if (h->n == DEVICES_MAX)
        return -E2BIG;
    *d = (struct kept_device){.fd = rootfs_open(root_fd, node, O_RDWR | O_NOCTTY), .asked_fd = -1};
    if (d->fd < 0)
        return d->fd;
    h->n++;
    if (ioctl(d->fd, BIND_IOMMUFD, &bind) < 0)
        return errno == EINVAL || errno == EPERM ? -EBUSY : -errno;
    d->asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return d->asked_fd < 0 ? -errno : ask_to_be_told(d->fd, d->asked_fd);
}

/* All devices of the group that have a node of their own. */
static int keep_devices(struct hold *h, int root_fd, uint32_t group)
{
    const struct dirent *e;
    char path[64];
    CLEANUP(closedirp) DIR *dir;

    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices", group);
    int r = rootfs_open_dir(root_fd, path, &dir);
    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        struct pci_addr a;
        struct node_text node;
        r = pci_addr_parse(e->d_name, &a) < 0 ? 0 : vfio_nodes_find_device(root_fd, a, &node);
        if (r > 0)
            r = keep_device(h, root_fd, node.s + 1);
    }
    if (r < 0)
        return r;
    if (h->n == 0)
        return -ENOENT;
    h->end_fd = eventfd(0, EFD_CLOEXEC);
    if (h->end_fd < 0)
        return -errno;
    r = -pthread_create(&h->thread, NULL, close_when_asked, h);
    h->has_thread = r == 0;
    return r;
}

int hold_new(int root_fd, uint32_t group, struct hold **ret)
{
    struct hold *h = malloc(sizeof(*h));
    char path[32];

    if (!h)
        return -ENOMEM;
    *h = (struct hold){.group_fd = -1, .iommufd = -1, .end_fd = -1};
    snprintf(path, sizeof(path), "dev/vfio/%u", group);
    int r = h->group_fd = rootfs_open(root_fd, path, O_RDWR | O_NOCTTY);
    if (r == -ENOENT)
        r = h->iommufd = rootfs_open(root_fd, "dev/iommu", O_RDWR | O_NOCTTY);
    if (r >= 0 && h->iommufd >= 0)
        r = keep_devices(h, root_fd, group);
    if (r < 0) {
        hold_free(h);
        return r;
    }
    *ret = h;
    return 0;
}

void hold_let_go_devices(struct hold *h)
{
    if (!h)
        return;
    if (h->has_thread && eventfd_write(h->end_fd, 1) == 0)
        pthread_join(h->thread, NULL);
    h->has_thread = false;
    for (size_t i = 0; i < h->n; i++) {
        closep(&h->devices[i].fd);
        closep(&h->devices[i].asked_fd);
    }
    h->n = 0;
}

void hold_free(struct hold *h)
{
    if (!h)
        return;
    hold_let_go_devices(h);
    closep(&h->end_fd);
    closep(&h->iommufd);
    closep(&h->group_fd);
    free(h);
}
