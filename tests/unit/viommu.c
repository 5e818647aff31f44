/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <sys/utsname.h>

#include "failing-path.h"
#include "host/scan-host.h"
#include "host/scan.h"
#include "host/viommu.h"

/* QEMU's, of a host bridge for the buses 80 to 84. */
static const uint8_t table[] = {
    0x56, 0x49, 0x4f, 0x54, 0x58, 0x00, 0x00, 0x00, 0x00, 0xfa, 0x42, 0x4f, 0x43, 0x48, 0x53,
    0x20, 0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20, 0x01, 0x00, 0x00, 0x00, 0x42, 0x58,
    0x50, 0x43, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x00, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x18, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x80, 0xff, 0x84, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

START_TEST(what_the_table_says)
{
    struct viot v;

    ck_assert(viot_read(table, sizeof(table), &v));
    ck_assert_uint_eq(v.n, 1);
    ck_assert(viot_covers(&v, (struct pci_addr){0, 0x80, 0, 0}));
    ck_assert(viot_covers(&v, (struct pci_addr){0, 0x84, 31, 7}));
    ck_assert(!viot_covers(&v, (struct pci_addr){0, 0x7f, 31, 7}));
    ck_assert(!viot_covers(&v, (struct pci_addr){0, 0x85, 0, 0}));
    ck_assert(!viot_covers(&v, (struct pci_addr){1, 0x81, 0, 0}));
    ck_assert(!viot_covers(&v, (struct pci_addr){0x10000, 0x81, 0, 0}));
}
END_TEST

/* Cut off anywhere, or with any byte of its structure wrong, it is read within its bounds. */
START_TEST(broken_tables)
{
    for (size_t n = 0; n < sizeof(table); n++) {
        uint8_t *copy = malloc(n + 1);
        struct viot v;
        memcpy(copy, table, n);
        ck_assert_msg(!viot_read(copy, n, &v), "%zu bytes", n);
        free(copy);
    }
    for (size_t i = 36; i < sizeof(table); i++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t copy[sizeof(table)];
            struct viot v;
            memcpy(copy, table, sizeof(table));
            copy[i] = (uint8_t)value;
            (void)viot_read(copy, sizeof(copy), &v);
            ck_assert_uint_le(v.n, VIOT_RANGES_MAX);
        }
}
END_TEST

static void write_table(const struct tree *t)
{
    tree_write(t, "sys/firmware/acpi/tables/VIOT", "");
    int fd = openat(t->fd, "sys/firmware/acpi/tables/VIOT", O_WRONLY);
    ck_assert_int_eq(write(fd, table, sizeof(table)), sizeof(table));
    close(fd);
}

/* The running kernel's modules: with the driver, or without. */
static void write_modules(const struct tree *t, const char *aliases)
{
    char path[256];
    struct utsname host;

    uname(&host);
    snprintf(path, sizeof(path), "usr/lib/modules/%s/modules.alias", host.release);
    tree_write(t, path, aliases);
}

static enum outlook outlook_of(const struct tree *t, const char *address)
{
    struct pci_addr a;
    struct viommu v;

    ck_assert_int_eq(pci_addr_parse(address, &a), 0);
    viommu_read(t->fd, &v);
    return viommu_outlook(&v, a);
}

START_TEST(what_is_to_be_expected)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_NONE);
    write_table(&t);
    /* no list of modules: nobody knows, so it may be there */
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_AWAITED);
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_NONE);
    write_modules(&t, "alias virtio:d00000002v* virtio_blk\n");
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_NO_DRIVER);
    write_modules(&t, "alias virtio:d00000017v* virtio_iommu\n");
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_AWAITED);
    write_modules(&t, "");
    tree_write(&t, "sys/module/virtio_iommu/parameters/x", "");
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_AWAITED);
    /* another IOMMU at work is not this one */
    tree_write(&t, "sys/class/iommu/dmar0/x", "");
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_AWAITED);
    tree_link(&t, "sys/class/iommu/0000:00:1e.0",
              "../../devices/pci0000:00/0000:00:1e.0/virtio1/iommu/0000:00:1e.0");
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_AT_BIND);
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_NONE);
    ck_assert_str_eq(scan_iommu(t.fd), "virtio");
    failing.part = "sys/class/iommu";
    failing.error = EMFILE;
    ck_assert_str_eq(scan_iommu(t.fd), "unknown");
    failing.part = NULL;
}
END_TEST

/* What nothing is announced of may be behind it. */
START_TEST(smmu)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "sys/class/iommu/smmu3.0x0000000009050000/x", "");
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_AT_BIND);
    write_table(&t);
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_AT_BIND);
    ck_assert_int_eq(outlook_of(&t, "0000:81:00.0"), OUTLOOK_AWAITED);
}
END_TEST

/* A table that says nothing sound may be for any device. */
START_TEST(broken_table)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_write(&t, "sys/firmware/acpi/tables/VIOT", "VIOT");
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_AWAITED);
}
END_TEST

START_TEST(device_tree)
{
    CLEANUP(tree_done) struct tree t;

    tree_init(&t);
    tree_device(&t, "0000:00:1e.0", "pci:v00001AF4d00001057sv00001AF4sd00001100bc00scFFi00\n", NULL,
                NULL);
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_NONE);
    tree_write(&t, "sys/firmware/devicetree/base/model", "x");
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_AWAITED);
    tree_write(&t, "sys/firmware/acpi/tables/DSDT", "");
    ck_assert_int_eq(outlook_of(&t, "0000:01:00.0"), OUTLOOK_NONE);
}
END_TEST

/* The group comes with the bind: of the device, and of others that were read before. */
START_TEST(groups_that_come_late)
{
    CLEANUP(tree_done) struct tree t;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    const struct pci_addr gpu = {0, 0x81, 0, 0}, audio = {0, 0x81, 0, 1};

    tree_init(&t);
    tree_driver(&t, "vfio-pci");
    write_table(&t);
    tree_device(&t, "0000:81:00.0", MODALIAS_A100, NULL, NULL);
    tree_device(&t, "0000:81:00.1", MODALIAS_AUDIO, NULL, NULL);
    ck_assert_int_eq(scan_all(t.fd, NULL, &s), 0);
    ck_assert_int_eq(snapshot_find(&s, gpu)->iommu, OUTLOOK_AWAITED);
    ck_assert_uint_eq(snapshot_find(&s, audio)->group, NO_GROUP);
    tree_device(&t, "0000:81:00.0", MODALIAS_A100, "vfio-pci", "7");
    tree_device(&t, "0000:81:00.1", MODALIAS_AUDIO, NULL, "7");
    tree_write(&t, "dev/vfio/7", "");
    ck_assert_int_eq(scan_bindings(t.fd, NULL, &gpu, 1, &s), 0);
    ck_assert_uint_eq(snapshot_find(&s, gpu)->group, 7);
    ck_assert(snapshot_find(&s, gpu)->node);
    ck_assert_int_eq(snapshot_find(&s, gpu)->iommu, OUTLOOK_NONE);
    ck_assert_uint_eq(snapshot_find(&s, audio)->group, 7);
}
END_TEST

UNIT_MAIN("viommu", what_the_table_says, broken_tables, what_is_to_be_expected, smmu, broken_table,
          device_tree, groups_that_come_late)
