/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts against the real kernel, in a guest of the lab that has no udevd: it would load modules.
 */
#include "script.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices/"
#define DRIVERS "/sys/bus/pci/drivers/"
#define PATH_SIZE 512
#define SLOTS 3      /* that scripts plug and unplug */
#define EMPTY_SLOT 4 /* whose port they name */
#define OPEN_SLOT 20 /* whose port has no ACS, so that it shares a group with what is below it */
#define QUEUE_SIZE (4 << 20)

static int listener = -1, container = -1, group_fd = -1;

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(2);
}

/* -- files -- */

static int write_bytes(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = write(fd, text, size) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int write_text(const char *path, const char *text)
{
    return write_bytes(path, text, strlen(text));
}

static bool read_text(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

    buf[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return n >= 0;
}

/* Without its line's end. */
static bool read_word(const char *path, char *buf, size_t size)
{
    bool r = read_text(path, buf, size);

    buf[strcspn(buf, "\n")] = '\0';
    return r;
}

static bool attribute(const char *address, const char *name, char *buf, size_t size)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), DEVICES "%.20s/%.40s", address, name);
    return read_text(path, buf, size);
}

/* The last part of what a link of the device says; "" without one. */
static void link_end(const char *address, const char *name, char *buf, size_t size)
{
    char path[PATH_SIZE], target[PATH_SIZE];

    snprintf(path, sizeof(path), DEVICES "%.20s/%.40s", address, name);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    target[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(buf, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}

static int group_of(const char *address)
{
    char group[16];

    link_end(address, "iommu_group", group, sizeof(group));
    return *group ? atoi(group) : NO_IOMMU;
}

static int write_driver(const char *driver, const char *file, const char *text)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), DRIVERS "%s/%s", driver, file);
    return write_text(path, text);
}

static int write_slot(const char *file, int slot)
{
    char path[PATH_SIZE], text[16];

    snprintf(path, sizeof(path), "/sys/module/emugpu/parameters/%s", file);
    snprintf(text, sizeof(text), "%d", slot);
    return write_text(path, text);
}

/* -- operations -- */

static int write_override(const char *address, const char *text, size_t size)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), DEVICES "%s/driver_override", address);
    return write_bytes(path, text, size);
}

static int bind_device(const char *driver, const char *address)
{
    return write_driver(driver, "bind", address);
}

static int unbind_device(const char *driver, const char *address)
{
    return write_driver(driver, "unbind", address);
}

static int probe(const char *address)
{
    return write_text("/sys/bus/pci/drivers_probe", address);
}

static int new_id(const char *driver, const char *text)
{
    return write_driver(driver, "new_id", text);
}

static int remove_id(const char *driver, const char *text)
{
    return write_driver(driver, "remove_id", text);
}

static int load(const char *module)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execl("/sbin/modprobe", "modprobe", module, NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        die("modprobe");
    return status == 0 ? 0 : -ENOENT;
}

static int unload(const char *module)
{
    return syscall(SYS_delete_module, module, O_NONBLOCK) < 0 ? -errno : 0;
}

static int plug(int slot)
{
    return write_slot("plug", slot);
}

static int unplug(int slot)
{
    return write_slot("unplug", slot);
}

static int open_group(const char *address)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "/dev/vfio/%d", group_of(address));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int viable(const char *address)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    int fd = open_group(address), r;

    if (fd < 0)
        return fd;
    r = ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0 ? -errno : 0;
    close(fd);
    return r < 0 ? r : (status.flags & VFIO_GROUP_FLAGS_VIABLE) != 0;
}

static void unclaim(void)
{
    if (group_fd >= 0)
        close(group_fd);
    if (container >= 0)
        close(container);
    group_fd = container = -1;
}

static int claim(const char *address)
{
    int fd = open_group(address);

    if (fd < 0)
        return fd;
    unclaim();
    group_fd = fd;
    container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    if (container >= 0 && ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &container) == 0)
        return 0;
    int r = -errno;
    unclaim();
    return r;
}

static void look(const char *address, struct condition *ret)
{
    char path[PATH_SIZE];

    if (!attribute(address, "driver_override", ret->override, sizeof(ret->override)))
        return;
    ret->there = true;
    ret->group = group_of(address);
    link_end(address, "driver", ret->driver, sizeof(ret->driver));
    snprintf(path, sizeof(path), "/dev/vfio/%d", ret->group);
    ret->node = access(path, F_OK) == 0;
}

/* -- events -- */

static const char *value_of(const char *text, size_t size, const char *key)
{
    size_t length = strlen(key);

    for (const char *p = text; p < text + size; p += strlen(p) + 1)
        if (strncmp(p, key, length) == 0 && p[length] == '=')
            return p + length + 1;
    return "";
}

static void listen_to_kernel(void)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = 1};
    const int size = QUEUE_SIZE;

    listener =
        socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
        bind(listener, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        die("netlink");
}

static bool next_event(struct happening *ret)
{
    char text[8193];
    ssize_t n;

    while ((n = recv(listener, text, sizeof(text) - 1, 0)) > 0) {
        text[n] = '\0';
        const char *action = value_of(text, (size_t)n, "ACTION");
        if (strcmp(value_of(text, (size_t)n, "SUBSYSTEM"), "pci") != 0)
            continue;
        for (ret->event = EVENT_ADD; ret->event <= EVENT_REMOVE; ret->event++)
            if (strcmp(action, kernel_event_word(ret->event)) == 0)
                break;
        if (ret->event > EVENT_REMOVE)
            continue;
        snprintf(ret->address, sizeof(ret->address), "%s",
                 value_of(text, (size_t)n, "PCI_SLOT_NAME"));
        snprintf(ret->driver, sizeof(ret->driver), "%s",
                 ret->event == EVENT_BIND ? value_of(text, (size_t)n, "DRIVER") : "");
        return true;
    }
    if (n < 0 && errno != EAGAIN)
        die("events");
    return false;
}

/* -- the defined state -- */

static void remove_ids(const char *driver, const struct pci_id *id)
{
    const uint32_t pairs[][2] = {
        {id->vendor, id->device}, {id->vendor, ANY_ID}, {ANY_ID, id->device}, {ANY_ID, ANY_ID}};
    char text[32];

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        snprintf(text, sizeof(text), "%x %x", pairs[i][0], pairs[i][1]);
        while (remove_id(driver, text) == 0)
            ;
    }
}

static void unload_all(void)
{
    for (size_t i = 0; i < n_fact_kinds; i++)
        if (fact_kinds[i].module) {
            errno = -unload(fact_kinds[i].module);
            if (errno != 0 && errno != ENOENT)
                die(fact_kinds[i].module);
        }
}

/* The driver that it had in the beginning. */
static void set_back(const struct item *item)
{
    char driver[KERNEL_NAME_MAX], override[OVERRIDE_MAX];

    if (attribute(item->address, "driver_override", override, sizeof(override)) &&
        strcmp(override, "(null)\n") != 0)
        write_override(item->address, "\n", 1);
    link_end(item->address, "driver", driver, sizeof(driver));
    if (strcmp(driver, item->driver) == 0)
        return;
    if (*driver)
        unbind_device(driver, item->address);
    if (*item->driver && bind_device(item->driver, item->address) < 0)
        die(item->address);
}

static void reset(const struct inventory *inventory)
{
    struct happening h;

    if (listener < 0)
        listen_to_kernel();
    unclaim();
    for (int slot = 1; slot <= SLOTS; slot++)
        unplug(slot);
    unload_all();
    for (size_t i = 0; i < inventory->n; i++) {
        struct pci_id id;
        if (*inventory->v[i].name != '-' && pci_id_of_modalias(inventory->v[i].modalias, &id))
            for (size_t d = 0; d < n_fact_kinds; d++)
                remove_ids(fact_kinds[d].name, &id); /* of what is built in */
    }
    for (size_t i = 0; i < inventory->n; i++)
        if (inventory->v[i].slot == NO_SLOT)
            set_back(&inventory->v[i]);
    while (next_event(&h))
        ;
}

/* -- the inventory -- */

static const struct {
    const char *id, *name;
} names[] = {
    {"pci:v00008086d00002918", "lpc"},
    {"pci:v00008086d00002922", "sata"},
    {"pci:v00008086d00002930", "smbus"},
};

#define EDU "pci:v00001234d000011E8"

/* The bus behind a slot, from "0000:01:00". */
static int bus_of_slot(int slot)
{
    char path[PATH_SIZE], address[32];
    unsigned bus;

    snprintf(path, sizeof(path), "/sys/bus/pci/slots/%d/address", slot);
    if (!read_word(path, address, sizeof(address)) || sscanf(address, "%*x:%x", &bus) != 1)
        die(path);
    return (int)bus;
}

static void name_item(struct item *item)
{
    unsigned bus, device, function;
    char secondary[16];

    sscanf(item->address, "%*x:%x:%x.%x", &bus, &device, &function);
    for (int slot = 1; slot <= SLOTS; slot++)
        if (bus_of_slot(slot) == (int)bus) {
            item->slot = slot;
            item->group = NEW_GROUP;
            snprintf(item->name, sizeof(item->name), "%s%d", function ? "audio" : "gpu", slot);
        }
    if (attribute(item->address, "secondary_bus_number", secondary, sizeof(secondary))) {
        if (atoi(secondary) == bus_of_slot(EMPTY_SLOT))
            strcpy(item->name, "port");
        if (atoi(secondary) == bus_of_slot(OPEN_SLOT))
            strcpy(item->name, "above");
    }
    if (strncmp(item->modalias, EDU, strlen(EDU)) == 0)
        strcpy(item->name, bus == 0 ? "edu" : "below");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(item->modalias, names[i].id, strlen(names[i].id)) == 0)
            strcpy(item->name, names[i].name);
}

static void add_item(struct inventory *inventory, const char *address)
{
    struct item *item = &inventory->v[inventory->n];

    if (inventory->n == KERNEL_DEVICES_MAX)
        die("too many devices");
    *item = (struct item){.name = "-", .group = group_of(address), .slot = NO_SLOT};
    snprintf(item->address, sizeof(item->address), "%.15s", address);
    attribute(address, "modalias", item->modalias, sizeof(item->modalias));
    item->modalias[strcspn(item->modalias, "\n")] = '\0';
    name_item(item);
    if (item->slot == NO_SLOT)
        link_end(address, "driver", item->driver, sizeof(item->driver));
    inventory->n++;
}

void sys_inventory(struct inventory *ret)
{
    struct dirent **entries;
    struct utsname name;
    unsigned major, minor;

    *ret = (struct inventory){0};
    if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
        die("uname");
    ret->version = KERNEL(major, minor);
    reset(ret);
    for (int slot = 1; slot <= SLOTS; slot++)
        if (plug(slot) < 0)
            die("plug");
    int n = scandir(DEVICES, &entries, NULL, alphasort);
    if (n < 0)
        die(DEVICES);
    for (int i = 0; i < n; i++) {
        if (*entries[i]->d_name != '.')
            add_item(ret, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    reset(ret);
}

const struct backend on_sys = {
    .reset = reset,
    .override = write_override,
    .bind = bind_device,
    .unbind = unbind_device,
    .probe = probe,
    .new_id = new_id,
    .remove_id = remove_id,
    .load = load,
    .unload = unload,
    .plug = plug,
    .unplug = unplug,
    .viable = viable,
    .claim = claim,
    .unclaim = unclaim,
    .look = look,
    .next_event = next_event,
};
