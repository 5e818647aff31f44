/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a host with many PCI functions as files, for "vfio-bindd --root": GPUs and network
 * cards in turn, without a driver, eight to a slot, each in an IOMMU group of its own. 16,384 take
 * a second or two. usage: make-tree DIR FUNCTIONS RULES none|all The policy has so many rules, each
 * of one ID. None of them names the functions, or the last does. DIR must not exist. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/util.h"

#define FUNCTIONS_MAX (1 << 18) /* four domains */

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "make-tree: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void folder(int at, const char *path)
{
    if (mkdirat(at, path, 0755) < 0)
        fail(path);
}

static void content(int at, const char *path, const char *text)
{
    CLEANUP_CLOSE int fd = openat(at, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        fail(path);
}

static void folders(int at)
{
    static const char *const all[] = {
        "etc",
        "run",
        "run/vfio-bindd",
        "dev",
        "dev/vfio",
        "sys",
        "sys/bus",
        "sys/bus/pci",
        "sys/bus/pci/devices",
        "sys/bus/pci/drivers",
        "sys/bus/pci/drivers/vfio-pci",
        "sys/devices",
        "sys/devices/pci0000:00",
        "sys/kernel",
        "sys/kernel/iommu_groups",
    };

    for (size_t i = 0; i < ELEMENTS(all); i++)
        folder(at, all[i]);
    content(at, "sys/bus/pci/drivers/vfio-pci/bind", "");
    content(at, "sys/bus/pci/drivers/vfio-pci/new_id", "");
    content(at, "sys/bus/pci/drivers/vfio-pci/remove_id", "");
}

/* As the kernel has it: the folder is elsewhere, the bus has a link to it, and device and group
 * have links to each other. */
static void function(int at, unsigned i)
{
    char address[32], path[160], target[160];

    snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", i >> 16, i >> 8 & 0xff, i >> 3 & 0x1f,
             i & 7);
    snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s", address);
    folder(at, path);
    snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/modalias", address);
    /* every other one a network card: what is said of those at boot must not cost each of them */
    content(at, path,
            i % 2 ? "pci:v000010DEd000020F1sv000010DEsd00001463bc02sc00i00\n"
                  : "pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00\n");
    snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/resource", address);
    content(at, path, "0x00000000fb000000 0x00000000fbffffff 0x0000000000040200\n");
    snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/driver_override", address);
    content(at, path, "(null)\n");

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
    snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", address);
    if (symlinkat(target, at, path) < 0)
        fail(path);

    snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/iommu_group", address);
    snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%u", i);
    if (symlinkat(target, at, path) < 0)
        fail(path);
    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u", i);
    folder(at, path);
    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices", i);
    folder(at, path);
    snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices/%s", i, address);
    snprintf(target, sizeof(target), "../../../../devices/pci0000:00/%s", address);
    if (symlinkat(target, at, path) < 0)
        fail(path);
}

static void policy(int at, unsigned rules, bool all)
{
    CLEANUP_CLOSE int fd = openat(at, "etc/vfio-bindd.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CLEANUP(fclosep) FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f)
        fail("etc/vfio-bindd.conf");
    (void)take_fd(&fd);
    for (unsigned i = 1; i <= rules; i++)
        /* force: else network cards named by their ID alone would be refused at boot */
        fprintf(f, "[device r%u]\nid = 10de:%04x\nforce = yes\n\n", i,
                all && i == rules ? 0x20f1 : 0x3000 + i);
    if (fflush(f) != 0)
        fail("etc/vfio-bindd.conf");
}

int main(int argc, char **argv)
{
    unsigned long functions = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long rules = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

    if (argc != 5 || functions > FUNCTIONS_MAX || rules > 4096 ||
        (!streq(argv[4], "none") && !streq(argv[4], "all"))) {
        fprintf(stderr, "usage: make-tree DIR FUNCTIONS RULES none|all\n");
        return 2;
    }
    folder(AT_FDCWD, argv[1]);
    CLEANUP_CLOSE int at = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        fail(argv[1]);
    folders(at);
    for (unsigned i = 0; i < functions; i++)
        function(at, i);
    policy(at, (unsigned)rules, streq(argv[4], "all"));
    return EXIT_SUCCESS;
}
