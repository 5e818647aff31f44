/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offline.h"

#include <errno.h>
#include <stdio.h>

#include "base/rootfs.h"
#include "base/util.h"
#include "host/boot-devices.h"
#include "host/reset-methods.h"
#include "host/scan.h"
#include "host/viommu.h"
#include "plan/assume.h"
#include "plan/make.h"
#include "plan/preview.h"
#include "policy/load.h"
#include "record-file.h"

/* Loads the records, makes the assumptions of plan_assume(), and prints the drivers that are only
 * assumed. */
static int assume_loaded(int root_fd, const struct policy *p, struct snapshot *s,
                         struct records *records)
{
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0};

    (void)record_file_load(root_fd, records,
                           &workers); /* without privileges the records cannot be read */
    int r = plan_assume(p, s, records);
    if (r == 0)
        r = reset_methods_note(root_fd, p, s, records);
    if (r < 0)
        return r;
    for (size_t i = 0; i < s->n_registered; i++)
        if (plan_is_assumed(&s->registered[i]))
            printf("note: the driver %s is not loaded; the plan assumes that it can be loaded\n",
                   s->registered[i].name);
    dynids_follow(&records->dynids, snapshot_order(s, DYNID_DRIVER));
    return 0;
}

/* Reads the policy and the devices. The outputs must be empty. */
static int read_host(int root_fd, struct policy *p, struct diags *d, bool *off, struct snapshot *s)
{
    policy_init(p);
    policy_load(root_fd, p, d, off);
    int r = scan_all(root_fd, p, s);

    (void)scan_bars(root_fd, false, s);
    return r;
}

int offline_dry_run(int root_fd)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(records_done) struct records records = {0};
    CLEANUP(plan_done) struct plan plan = {0}, boot = {0};
    bool off = false;
    int r = read_host(root_fd, &p, &d, &off, &s);

    if (r >= 0)
        r = assume_loaded(root_fd, &p, &s, &records);
    if (r >= 0)
        r = plan_make(&p, &s, &records, &plan);
    if (r >= 0)
        r = plan_next_boot(&p, &s, &boot);
    if (r < 0) {
        fprintf(stderr, "vfio-bindd: %s%s\n",
                r == -ENOENT ? "there is no sys/bus/pci here: is sysfs mounted? " : "",
                strerror(-r));
        return EXIT_FAILURE;
    }
    diags_print(&d, stderr);
    if (off)
        puts("disabled by the kernel command line: none of this would be done");
    const struct preview preview = {.policy = &p,
                                    .snapshot = &s,
                                    .records = &records,
                                    .plan = &plan,
                                    .next_boot = s.cold_boot ? NULL : &boot};
    preview_write(&preview, stdout);
    return d.errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* -- for an initramfs -- */

/* The IOMMU comes first: without it a device has no group, and vfio-pci refuses it. Then comes
 * vfio-pci, before any native driver can be registered. Variants are left out: some depend on a
 * native driver, which would be loaded as well. The override keeps their devices until the daemon
 * has loaded them. */
static void print_modules(int root_fd)
{
    struct viommu viommu = {0};

    if (viommu_read(root_fd, &viommu) < 0 || viommu.announced || viommu.at_work)
        puts("module " VIOMMU_TRANSPORT "\nmodule " VIOMMU_MODULE);
    puts("module " DYNID_DRIVER);
    /* vfio requests it when it is loaded, and never again; without it no group can be used. */
    puts("module vfio_iommu_type1");
}

static void print_policy_files(const struct policy *p)
{
    for (size_t i = 0; i < p->n_files; i++)
        if (!after_prefix(p->files[i], "/proc/"))
            printf("file %s\n", p->files[i]);
    printf("policy %08x\n", p->digest);
}

int offline_for_initramfs(int root_fd)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    bool off;

    policy_init(&p);
    policy_load_lasting(root_fd, &p, &d, &off);
    diags_print(&d, stderr);
    int r = scan_all(root_fd, NULL, &s);
    print_modules(root_fd);
    print_policy_files(&p);
    if (r >= 0)
        r = boot_devices_write(root_fd, &s, stdout);
    if (r < 0) { /* the initramfs is still useful without this */
        fprintf(stderr, "vfio-bindd: cannot read what the host uses: %s\n", strerror(-r));
        puts("incomplete");
    }
    return EXIT_SUCCESS;
}
