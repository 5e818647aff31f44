/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel of this machine says about its devices, as JSON, an object a line.
 *
 * Usage: facts [--no-open]
 *
 * A test judges vfio-bindd by this: thus nothing here is of vfio-bindd's code, and nothing is read
 * but what the kernel tells (below /run/vfio-bindd as well, to be compared). --no-open leaves out
 * what opens VFIO groups, which resets their devices.
 *
 *   device     a function: address, path, IDs, driver, override, group, header, serial, slot, …
 *   group      an IOMMU group and its devices
 *   vfio       a group with devices of a VFIO driver: "open" and each device are "ok" or an errno's
 *              name; null was not tried, "timeout" did not return
 *   cdev       a device's own VFIO node
 *   mount swap block   what is on disks; "pci" are the functions below, through dm, md, loop, btrfs
 *   net route  interfaces but lo, IPv4 routes
 *   console fb as in /proc
 *   probe mark tracelost   the trace: calls of probe() for PCI functions, written marks, in order
 *   driver     a PCI driver; a higher inode was registered later
 *   run        a file of the daemon's below /run
 *   kernel     an alarming line of the kernel's log
 *   daemon     a process of vfio-bindd
 *   uptime     seconds
 *
 * It must end whatever hangs in the kernel. While a driver's probe() or remove() runs the lock of
 * its device is held, and reading some of the device's files waits for it, not to be killed:
 * driver_override, uevent (never read here), sriov_numvfs. Children read these, and have a
 * deadline; and each section as a whole is a child with one too. A section that is given up is
 * followed by {"t":"timeout","section":…}; the last line is always {"t":"end"}. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"

#define ANSWER_SECONDS 2
#define SECTION_SECONDS 20

#define BARS 6
#define CONFIG_HEADER_TYPE 0x0e
#define CONFIG_EXTENDED 0x100
#define CAPABILITY_SERIAL 0x0003

struct device {
    const char *address;
    const char *override; /* NULL: there is no answer */
    const char *vfs;
    bool answered;
};

static struct device *devices;
static size_t device_count;

/* The files that may hang: for each device not answered yet, from `data` on, a line
 * "INDEX VFS OVERRIDE", VFS being "-" without the file. */
static void read_locked_files(struct device *device)
{
    const char *vfs = line_of(PCI_DEVICES "/%s/sriov_numvfs", device->address);
    const char *text = line_of(PCI_DEVICES "/%s/driver_override", device->address);

    printf("%zu %s %s\n", (size_t)(device - devices), vfs ? vfs : "-", text ? text : "");
    fflush(stdout);
}

static void read_all_locked_files(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < device_count; i++)
        read_locked_files(&devices[i]);
}

static void read_one_locked_file(void *device)
{
    read_locked_files(device);
}

static void take_answers(char *text)
{
    char *line;

    while ((line = next_line(&text))) {
        char *vfs, *override;
        size_t i = strtoul(strsep(&line, " "), NULL, 10);
        vfs = strsep(&line, " ");
        override = line;
        if (!override || i >= device_count)
            continue;
        devices[i].answered = true;
        devices[i].override = override;
        devices[i].vfs = strcmp(vfs, "-") == 0 ? NULL : vfs;
    }
}

/* One child for all, as nearly always none hangs. If one does, the rest has a child for each. */
static void ask_locked_files(void)
{
    struct child all = {.work = read_all_locked_files};
    struct child *each = calloc(device_count + 1, sizeof(*each));
    size_t count = 0;

    ask(&all, 1, ANSWER_SECONDS);
    take_answers(all.answer);
    for (size_t i = 0; i < device_count; i++)
        if (!devices[i].answered)
            each[count++] = (struct child){.work = read_one_locked_file, .data = &devices[i]};
    ask(each, count, ANSWER_SECONDS);
    for (size_t i = 0; i < count; i++)
        take_answers(each[i].answer);
}

static uint32_t value_at(const unsigned char *bytes)
{
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Follows the extended capabilities to the serial number; NULL if there is none. A device that is
 * gone reads as all ones. */
static char *serial_of(int config)
{
    unsigned char cap[12];
    off_t at = CONFIG_EXTENDED;

    for (int i = 0; i < 64 && at >= CONFIG_EXTENDED; i++) {
        if (pread(config, cap, sizeof(cap), at) != sizeof(cap))
            return NULL;
        uint32_t head = value_at(cap);
        if (head == 0 || head == UINT32_MAX)
            return NULL;
        if ((head & 0xffff) == CAPABILITY_SERIAL)
            return format("%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", cap[11], cap[10], cap[9],
                          cap[8], cap[7], cap[6], cap[5], cap[4]);
        at = head >> 20 & ~3U;
    }
    return NULL;
}

static void put_config(const char *address)
{
    int fd = open(format(PCI_DEVICES "/%s/config", address), O_RDONLY | O_CLOEXEC);
    unsigned char type;

    if (fd >= 0 && pread(fd, &type, 1, CONFIG_HEADER_TYPE) == 1)
        put_number("header", type & 0x7f);
    else
        put_text("header", NULL);
    put_text("serial", fd >= 0 ? serial_of(fd) : NULL);
    if (fd >= 0)
        close(fd);
}

/* A slot is a device's, of all its functions. */
static char *slot_of(const char *address)
{
    static char **slots;
    static size_t count;
    size_t length = strcspn(address, ".");

    if (!slots)
        count = names_in(&slots, "/sys/bus/pci/slots");
    for (size_t i = 0; i < count; i++) {
        const char *of = line_of("/sys/bus/pci/slots/%s/address", slots[i]);
        if (of && strlen(of) == length && strncmp(of, address, length) == 0)
            return slots[i];
    }
    return NULL;
}

static void put_hex(const char *key, const char *address, const char *file)
{
    const char *text = line_of(PCI_DEVICES "/%s/%s", address, file);

    put_text(key, text && strncmp(text, "0x", 2) == 0 ? text + 2 : text);
}

static void put_override(const struct device *device)
{
    put_text("override", device->answered ? device->override : NULL);
    if (!device->answered)
        put_text("override_error", "timeout");
    if (exists(PCI_DEVICES "/%s/sriov_numvfs", device->address))
        put_raw("vfs", device->vfs ? format("%lld", number_of(device->vfs, 0)) : "null");
}

/* Has the kernel no address for one of the BARs? Then it enables the device for no driver. It takes
 * addresses away when it needs room for a device that was plugged in. */
static bool lacks_address(const char *address)
{
    FILE *f = fopen(format(PCI_DEVICES "/%s/resource", address), "re");
    unsigned long long start, end, flags;
    bool lacks = false;

    for (int i = 0; f && i < BARS && fscanf(f, "%llx %llx %llx", &start, &end, &flags) == 3; i++)
        lacks = lacks || (end > 0 && start == 0);
    if (f)
        fclose(f);
    return lacks;
}

static void print_device(const struct device *device)
{
    const char *address = device->address;
    const char *group = target_of(PCI_DEVICES "/%s/iommu_group", address);
    const char *boot_vga = line_of(PCI_DEVICES "/%s/boot_vga", address);

    begin("device");
    put_text("address", address);
    put_text("path", real_path(PCI_DEVICES "/%s", address));
    put_hex("vendor", address, "vendor");
    put_hex("device", address, "device");
    put_hex("class", address, "class");
    put_hex("subvendor", address, "subsystem_vendor");
    put_hex("subdevice", address, "subsystem_device");
    put_text("driver", target_of(PCI_DEVICES "/%s/driver", address));
    put_override(device);
    put_raw("group", group ? group : "null");
    put_config(address);
    if (boot_vga)
        put_bool("boot_vga", number_of(boot_vga, 0) != 0);
    put_number("numa", number_of(line_of(PCI_DEVICES "/%s/numa_node", address), -1));
    put_text("slot", slot_of(address));
    put_bool("lacks_address", lacks_address(address));
    put_text("physfn", target_of(PCI_DEVICES "/%s/physfn", address));
    end();
}

void print_devices(void *unused)
{
    char **names;

    (void)unused;
    device_count = names_in(&names, PCI_DEVICES);
    devices = calloc(device_count + 1, sizeof(*devices));
    for (size_t i = 0; i < device_count; i++)
        devices[i].address = names[i];
    ask_locked_files();
    for (size_t i = 0; i < device_count; i++)
        print_device(&devices[i]);
}

void print_groups(void *unused)
{
    char **groups, **members;
    size_t count = names_in(&groups, "/sys/kernel/iommu_groups");

    (void)unused;
    for (size_t i = 0; i < count; i++) {
        size_t size = names_in(&members, format("/sys/kernel/iommu_groups/%s/devices", groups[i]));
        begin("group");
        put_raw("group", groups[i]);
        put_texts("devices", members, size);
        end();
    }
}

static void print_section(const char *name, void (*print)(void *))
{
    struct child child = {.work = print};

    ask(&child, 1, SECTION_SECONDS);
    fputs(child.answer, stdout);
    if (child.late) {
        begin("timeout");
        put_text("section", name);
        end();
    }
}

int main(int argc, char **argv)
{
    bool open_groups = argc == 1;

    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--no-open") != 0)) {
        fprintf(stderr, "usage: facts [--no-open]\n");
        return 2;
    }
    print_section("device", print_devices);
    print_section("group", print_groups);
    if (open_groups)
        print_section("vfio", print_vfio);
    print_section("cdev", print_cdevs);
    print_section("mount", print_mounts);
    print_section("swap", print_swaps);
    print_section("block", print_blocks);
    print_section("net", print_network);
    print_section("screen", print_screens);
    print_section("trace", print_trace);
    print_section("driver", print_drivers);
    print_section("run", print_run);
    print_section("kernel", print_kernel_log);
    print_section("daemon", print_daemons);
    print_section("uptime", print_uptime);
    begin("end");
    end();
    return fflush(stdout) == 0 ? 0 : 1;
}
