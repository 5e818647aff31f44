/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/perform.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/modules.h"
#include "host/pci-files.h"
#include "model/dynids.h"
#include "write/attribute.h"
#include "write/hold.h"
#include "write/set-vfs.h"

#define PATH_LENGTH 160
#define OVERRIDE_MAX 128 /* a longer override is not ours */

static int write_driver(int root_fd, const char *driver, const char *file, const char *text)
{
    char path[PATH_LENGTH];

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/%s", driver, file);
    return attribute_write(root_fd, path, text);
}

void perform_state_done(struct perform_state *s)
{
    hold_free(s->hold);
    closep(&s->bind_fd);
}

/* The file is kept open for all devices of a job, hence pwrite(): the kernel ignores the offset. */
static int bind_device(int root_fd, const struct op *op, const char *address,
                       struct perform_state *s)
{
    char path[PATH_LENGTH];

    if (s->bind_fd < 0 || !streq(s->bind_driver, op->driver)) {
        closep(&s->bind_fd);
        snprintf(s->bind_driver, sizeof(s->bind_driver), "%s", op->driver);
        snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/bind", op->driver);
        s->bind_fd = rootfs_open(root_fd, path, O_WRONLY | O_NOCTTY);
    }
    if (s->bind_fd < 0)
        return s->bind_fd;
    return pwrite(s->bind_fd, address, strlen(address), 0) < 0 ? -errno : 0;
}

static const char *override_path(char path[static PATH_LENGTH], struct pci_addr a)
{
    snprintf(path, PATH_LENGTH, "sys/bus/pci/devices/%s/driver_override", pci_addr_text(a).s);
    return path;
}

static int set_override(int root_fd, struct pci_addr a, const char *name)
{
    char path[PATH_LENGTH];

    return attribute_write(root_fd, override_path(path, a), name);
}

/* A newline removes the override; an empty write would do nothing. */
static int clear_override(int root_fd, struct pci_addr a)
{
    return set_override(root_fd, a, "\n");
}

/* The text is "" if there is no override. */
static int read_override(int root_fd, struct pci_addr a, char *text, size_t size)
{
    char path[PATH_LENGTH];
    int r = rootfs_read_line(root_fd, override_path(path, a), text, size);

    if (r == -E2BIG)
        snprintf(text, size, "%s", "a long text");
    if (r >= 0 && streq(text, "(null)"))
        *text = '\0';
    return r < 0 && r != -E2BIG ? r : 0;
}

/* Removes an override of ours. If somebody has written another one since, that one stays. */
static int clear_our_override(int root_fd, const struct op *op)
{
    char text[OVERRIDE_MAX];
    int r = *op->driver ? read_override(root_fd, op->addr, text, sizeof(text)) : 0;

    if (r < 0)
        return r;
    if (*op->driver && !streq(text, op->driver) && !streq(text, PLACEHOLDER_NAME))
        return 0;
    return clear_override(root_fd, op->addr);
}

/* -- who has it -- */

/* The group is held until the job is done. */
static int hold_group(int root_fd, const struct op *op, struct perform_state *s)
{
    hold_free(s->hold);
    s->hold = NULL;
    return users_hold(root_fd, (uint32_t)strtoul(op->driver, NULL, 10), op->addr, &s->hold,
                      s->found);
}

/* Is the device on its driver because somebody else has overridden it? */
static int check_override(int root_fd, const struct op *op, char found[static FOUND_MAX])
{
    char text[OVERRIDE_MAX];
    int r = read_override(root_fd, op->addr, text, sizeof(text));

    if (r == 0 && (!*text || streq(text, PLACEHOLDER_NAME)))
        return 0;
    if (r == 0)
        snprintf(found, FOUND_MAX, "somebody else set its driver_override to %.60s", text);
    else
        snprintf(found, FOUND_MAX, "its driver_override could not be read (%s)", strerror(-r));
    return r == 0 ? -EBUSY : -EAGAIN;
}

/* -- back to the native driver -- */

/* Returns 0, or negative errno: then there may be more. */
static int native_modules(int root_fd, struct pci_addr a, struct module_names *ret)
{
    char modalias[128], folder[MODULES_FOLDER_MAX];
    int r = pci_read_attribute(root_fd, a, "modalias", modalias, sizeof(modalias));

    if (r > 0)
        r = modules_find_folder(root_fd, folder);
    if (r > 0)
        r = modules_native(root_fd, folder, modalias, ret);
    return fact_error(r);
}

/* Was the driver registered after the one with this number? (sysfs numbers its folders in order.)
 * For 0 this is true for every driver. */
static bool is_newer(int root_fd, const char *driver, uint64_t order)
{
    char path[PATH_LENGTH];
    struct stat st;

    snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
    return order == 0 ||
           (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)st.st_ino > order);
}

/* Offers the device to this driver. Returns whether it is bound now. If the driver exists, it was
 * asked, unless another driver has the device. */
static bool offer(int root_fd, struct pci_addr a, const char *driver, bool *ret_asked)
{
    int r = write_driver(root_fd, driver, "bind", pci_addr_text(a).s);

    *ret_asked = *ret_asked || (r != -ENOENT && r != -EBUSY);
    return r == 0;
}

/* Binds the device to its native driver by name: if the kernel chose the driver, a dynamic ID would
 * catch the device. A native driver that is registered later takes the device then. `but`: a driver
 * that is not asked, or "". Returns 0, or negative errno: there may be a driver that was not
 * asked. */
static int offer_to_natives(int root_fd, struct pci_addr a, uint64_t order, const char *but,
                            bool *ret_asked)
{
    struct module_names modules = {0}, drivers = {0};
    int r = native_modules(root_fd, a, &modules);

    for (size_t i = 0; i < modules.n; i++) {
        int q = modules_drivers(root_fd, modules.v[i], &drivers);
        r = r < 0 ? r : fact_error(q);
    }
    for (size_t i = 0; i < drivers.n; i++)
        if (!driver_is_vfio(drivers.v[i]) && !streq(drivers.v[i], but) &&
            is_newer(root_fd, drivers.v[i], order) && offer(root_fd, a, drivers.v[i], ret_asked))
            return 0;
    return r;
}

static int bind_native(int root_fd, const struct op *op, bool *ret_asked)
{
    char driver[NAME_MAX + 1];
    int r = 0;

    if (!*op->driver || !offer(root_fd, op->addr, op->driver, ret_asked))
        r = offer_to_natives(root_fd, op->addr, 0, op->driver, ret_asked);
    int q = pci_link_name(root_fd, op->addr, "driver", driver);
    if (q > 0) /* an entry may have caught a device that was just plugged in */
        return driver_is_vfio(driver) ? -EBUSY : 0;
    return q < 0 ? q : r;
}

/* -- dynamic IDs -- */

/* Returns 1, 0 or negative errno. */
static int has_driver(int root_fd, struct pci_addr a)
{
    char driver[NAME_MAX + 1];

    return pci_link_name(root_fd, a, "driver", driver);
}

/* Keeps the device from vfio-pci with an override that matches no driver. Not needed if a driver
 * has the device, or if somebody else wrote an override. */
static int set_placeholder(int root_fd, struct pci_addr a)
{
    char text[OVERRIDE_MAX];
    int r = has_driver(root_fd, a); /* reading the override would wait for the device's lock */

    if (r != 0)
        return r < 0 ? r : 0;
    r = read_override(root_fd, a, text, sizeof(text));
    if (r < 0 || *text)
        return r;
    return set_override(root_fd, a, PLACEHOLDER_NAME);
}

static int clear_placeholder(int root_fd, struct pci_addr a)
{
    char text[OVERRIDE_MAX];
    int r = read_override(root_fd, a, text, sizeof(text));

    if (r < 0)
        return r == -ENOENT || r == -ENODEV ? 0 : r;
    return streq(text, PLACEHOLDER_NAME) ? clear_override(root_fd, a) : 0;
}

/* ENODEV (there is no such entry) and ENOENT (there is no vfio-pci) are not failures. */
static int remove_id(int root_fd, const char *entry)
{
    int r = write_driver(root_fd, DYNID_DRIVER, "remove_id", entry);

    return r == -ENODEV || r == -ENOENT ? 0 : r;
}

/* -- between two users -- */

/* Does the device's configuration space still have the IDs that the kernel read when it found the
 * device? A virtual function has no IDs of its own there. */
static int test_device(int root_fd, struct pci_addr a)
{
    uint8_t config[PCI_CONFIG_HEADER];
    char path[PATH_LENGTH], vendor[16], device[16];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/config", pci_addr_text(a).s);
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY | O_NOCTTY);
    if (fd < 0)
        return fd;
    ssize_t n = pread(fd, config, sizeof(config), 0);
    if (n < 0)
        return -errno;
    if (n < (ssize_t)sizeof(config) || !pci_config_answers(config))
        return -EIO;
    int r = pci_has_attribute(root_fd, a, "physfn");
    if (r != 0)
        return r < 0 ? r : 0;
    r = pci_read_attribute(root_fd, a, "vendor", vendor, sizeof(vendor));
    if (r >= 0)
        r = pci_read_attribute(root_fd, a, "device", device, sizeof(device));
    if (r < 0)
        return r;
    return strtoul(vendor, NULL, 16) == (unsigned)(config[0] | config[1] << 8) &&
                   strtoul(device, NULL, 16) == (unsigned)(config[2] | config[3] << 8)
               ? 0
               : -EIO;
}

static int write_reset_method(int root_fd, const struct op *op)
{
    char path[PATH_LENGTH], text[128];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/reset_method", pci_addr_text(op->addr).s);
    int r = attribute_write(root_fd, path, op->driver);
    if (r == 0)
        r = rootfs_read_line(root_fd, path, text, sizeof(text));
    if (r < 0)
        return r;
    return streq(text, op->driver) ? 0 : -EILSEQ;
}

/* -- all of them -- */

int perform(int root_fd, const struct op *op, struct perform_state *s)
{
    struct pci_addr_text address = pci_addr_text(op->addr);
    int r;

    switch (op->kind) {
    case ACTION_OVERRIDE:
        return set_override(root_fd, op->addr, op->driver);
    case ACTION_UNBIND:
        return write_driver(root_fd, op->driver, "unbind", address.s);
    case ACTION_BIND:
        return bind_device(root_fd, op, address.s, s);
    case ACTION_HOLD:
        return hold_group(root_fd, op, s);
    case ACTION_CLEAR:
        return clear_our_override(root_fd, op);
    case ACTION_PROBE:
        return attribute_write(root_fd, "sys/bus/pci/drivers_probe", address.s);
    case ACTION_CHECK:
        return *op->driver ? check_override(root_fd, op, s->found)
                           : users_check(root_fd, &op->addr, 1, s->found);
    case ACTION_NATIVE:
        hold_let_go_devices(s->hold);
        return bind_native(root_fd, op, &s->asked);
    case ACTION_SET_PLACEHOLDER:
        return set_placeholder(root_fd, op->addr);
    case ACTION_CLEAR_PLACEHOLDER:
        return clear_placeholder(root_fd, op->addr);
    case ACTION_OFFER:
        r = has_driver(root_fd, op->addr);
        return r != 0 ? fact_error(r)
                      : offer_to_natives(root_fd, op->addr, op->order, "", &s->asked);
    case ACTION_TEST:
        return test_device(root_fd, op->addr);
    case ACTION_RESET_METHOD:
        return write_reset_method(root_fd, op);
    case ACTION_NEW_ID:
        return write_driver(root_fd, DYNID_DRIVER, "new_id", op->driver);
    case ACTION_REMOVE_ID:
        return remove_id(root_fd, op->driver);
    case ACTION_SET_VFS:
        return set_vfs(root_fd, op->addr,
                       (struct vfs_order){op->vfs, op->vfs_there, op->sets_autoprobe}, s->found);
    case ACTION_RESTORE_AUTOPROBE:
        return set_vfs_restore_autoprobe(root_fd, op->addr);
    case ACTION_MAX:
        break;
    }
    return -EINVAL;
}
