/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/scan-host.h"

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/viommu.h"

/* -- drivers -- */

/* Returns 1, 0 or negative errno. */
static int driver_has_file(int drivers_fd, const char *driver, const char *file)
{
    char path[NAME_MAX + sizeof("/uevent")];

    snprintf(path, sizeof(path), "%s/%s", driver, file);
    return rootfs_exists(drivers_fd, path);
}

/* Is the driver still being registered? Then its folder exists, perhaps with devices, but the files
 * that we write to do not, and their absence would look like a refusal (lab: no-vfio). The kernel's
 * event about the driver comes after these files. Some drivers have no "bind", but all have
 * "uevent". A driver that has been checked is not checked again, unless it is a VFIO driver: one
 * that hangs while it is unregistered lacks these files, too. */
static int is_being_registered(int drivers_fd, const char *driver, uint64_t order,
                               const struct snapshot *before)
{
    const bool vfio = driver_is_vfio(driver);

    if (!vfio && order != 0 && snapshot_order(before, driver) == order)
        return 0;
    int r = driver_has_file(drivers_fd, driver, "bind");
    if (r == 0 && !vfio)
        r = driver_has_file(drivers_fd, driver, "uevent");
    return r < 0 ? r : r == 0;
}

/* sysfs numbers its files one after another (and lists the number with the name), so the inode
 * numbers of the folders show the order in which the drivers were registered. */
int scan_drivers(int root_fd, struct snapshot *s)
{
    CLEANUP(snapshot_done) struct snapshot new = {0};
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, "sys/bus/pci/drivers", &dir), q = 0;

    while (r == 0 && q == 0 && (r = rootfs_next(dir, &e)) > 0) {
        r = is_being_registered(dirfd(dir), e->d_name, e->d_ino, s);
        if (r == 0)
            q = snapshot_add_registered(&new, e->d_name, e->d_ino);
        else if (r > 0 && (new.registering == 0 || e->d_ino < new.registering))
            new.registering = e->d_ino;
        r = r > 0 ? 0 : r;
    }
    if (unknown_note(&s->unknown, FACT_DRIVERS, q < 0 ? q : r))
        return q;
    s->n_registered = 0;
    s->registering = new.registering;
    for (size_t i = 0; q == 0 && i < new.n_registered; i++)
        q = snapshot_add_registered(s, new.registered[i].name, new.registered[i].order);
    (void)unknown_note(&s->unknown, FACT_DRIVERS, q);
    return q;
}

/* -- the boot -- */

/* A unit that is ordered after all others creates the file. Until everything in fstab is mounted
 * and the network is up, a device that seems unused may still be needed. Without systemd the end of
 * the boot is unknown: every pass then counts as one at boot, which refuses more. */
void scan_boot(int root_fd, struct snapshot *s)
{
    int r = rootfs_exists(root_fd, "run/vfio-bindd/" SCAN_BOOTED_FILE);

    if (!unknown_note(&s->unknown, FACT_BOOT, r))
        s->cold_boot = r == 0;
}

/* -- what VFIO permits -- */

static void read_noiommu(int root_fd, struct snapshot *s)
{
    char text[8];
    int r = rootfs_read_line(root_fd, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", text,
                             sizeof(text));

    if (!unknown_note(&s->unknown, FACT_MODULES, r))
        s->unsafe_noiommu = r == 1 && text[0] == 'Y';
}

/* For x86 only: elsewhere the interrupt controller isolates devices. One interrupt of the I/O APIC
 * is representative of all; which interrupts exist differs between hosts. Returns 1, 0 or negative
 * errno. */
static int is_unremapped(int root_fd)
{
    static const char *const interrupts[] = {"0", "8", "9", "1", "4"};
    char path[48], chip[32];

    for (size_t i = 0; i < ELEMENTS(interrupts); i++) {
        snprintf(path, sizeof(path), "sys/kernel/irq/%s/chip_name", interrupts[i]);
        int r = rootfs_read_line(root_fd, path, chip, sizeof(chip));
        if (fact_error(r) < 0)
            return r;
        if (r > 0 && strstr(chip, "IO-APIC"))
            return !after_prefix(chip, "IR-");
    }
    return 0;
}

/* VFIO's check is iommu_group_has_isolated_msi(); a parameter of vfio_iommu_type1 or iommufd
 * overrides it. */
static int is_allowed_unremapped(int root_fd)
{
    static const char *const modules[] = {"vfio_iommu_type1", "iommufd"};
    char path[80], text[8];

    for (size_t i = 0; i < ELEMENTS(modules); i++) {
        snprintf(path, sizeof(path), "sys/module/%s/parameters/allow_unsafe_interrupts",
                 modules[i]);
        int r = rootfs_read_line(root_fd, path, text, sizeof(text));
        if (fact_error(r) < 0)
            return r;
        if (r == 1 && text[0] == 'Y')
            return 1;
    }
    return 0;
}

static void read_remapping(int root_fd, struct snapshot *s)
{
    int r = is_unremapped(root_fd);

    if (r > 0) {
        r = is_allowed_unremapped(root_fd);
        r = r < 0 ? r : r == 0;
    }
    if (!unknown_note(&s->unknown, FACT_MODULES, r))
        s->unremapped = r > 0;
}

void scan_permissions(int root_fd, struct snapshot *s)
{
    read_noiommu(root_fd, s);
    read_remapping(root_fd, s);
}

/* -- the IOMMU -- */

const char *scan_iommu(int root_fd)
{
    static const struct {
        const char *prefix, *kind;
    } kinds[] = {
        {"dmar", "intel"}, {"ivhd", "amd"}, {"smmu", "arm-smmu"}, {"arm-smmu", "arm-smmu"}};
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir = NULL;
    int r = viommu_is_at_work(root_fd);

    if (r > 0)
        return "virtio";
    if (r == 0)
        r = rootfs_list(root_fd, "sys/class/iommu", &dir);
    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
            if (after_prefix(e->d_name, kinds[i].prefix))
                return kinds[i].kind;
        return "other";
    }
    return r < 0 ? "unknown" : "none";
}
