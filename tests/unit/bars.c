/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include "host/bars.h"

#define PCI_DEVICE "../../../devices/pci0000:00/0000:00:01.0/0000:06:00.0/"

/* Compares what claims a BAR of 0000:06:00.0; NULL: nothing. */
static void claims(const struct tree *t, const char *expected)
{
    struct pci_addr a;
    ck_assert_int_eq(pci_addr_parse("0000:06:00.0", &a), 0);
    CLEANUP(bars_done) struct bars bars;
    ck_assert_int_eq(bars_read(t->fd, &bars), 0);
    CLEANUP_FREE char *got = NULL;
    ck_assert_int_eq(bars_claimant(t->fd, &bars, a, &got), 0);

    ck_assert_msg(streq_null(got, expected), "%s instead of %s", got ? got : "nothing",
                  expected ? expected : "nothing");
}

static void make_host(struct tree *t, const char *framebuffer)
{
    char path[128];

    tree_init(t);
    tree_device(t, "0000:06:00.0", MODALIAS_A100, "vfio-pci", "14");
    if (!framebuffer)
        return;
    snprintf(path, sizeof(path), "sys/bus/platform/devices/%s", framebuffer);
    tree_link(t, path, "../../../devices/platform/x");
}

static const struct {
    const char *iomem, *expected;
} maps[] = {
    /* nested in the BAR; as root and as anybody else */
    {"c0000000-dfffffff : PCI Bus 0000:00\n"
     "  c0000000-d1ffffff : PCI Bus 0000:06\n"
     "    c0000000-cfffffff : 0000:06:00.0\n"
     "      c0000000-c02fffff : BOOTFB\n"
     "        c0000000-c02fffff : simpledrm\n"
     "    d0000000-d1ffffff : 0000:06:00.0\n",
     "BOOTFB, simpledrm"},
    {"00000000-00000000 : PCI Bus 0000:00\n"
     "  00000000-00000000 : PCI Bus 0000:06\n"
     "    00000000-00000000 : 0000:06:00.0\n"
     "      00000000-00000000 : efifb\n",
     "efifb"},
    /* in another device's BAR, beside a BAR, and what a driver claims */
    {"c0000000-dfffffff : PCI Bus 0000:00\n"
     "  c0000000-cfffffff : 0000:06:00.0\n"
     "    c0000000-c0ffffff : vfio-pci\n"
     "  d0000000-d0ffffff : 0000:07:00.0\n"
     "    d0000000-d02fffff : BOOTFB\n",
     NULL},
    {"c0000000-cfffffff : 0000:06:00.0\n"
     "d0000000-d02fffff : BOOTFB\n",
     NULL},
    /* exactly as large as the BAR */
    {"c0000000-c0ffffff : BOOTFB\n"
     "  c0000000-c0ffffff : 0000:06:00.0\n",
     "BOOTFB"},
    {"c0000000-c0ffffff : BOOTFB\n"
     "  c0000000-c0ffffff : 0000:07:00.0\n",
     NULL},
    /* deeper than the kernel indents */
    {"0-0 : a\n  0-0 : b\n    0-0 : c\n      0-0 : d\n        0-0 : e\n"
     "          0-0 : 0000:06:00.0\n"
     "          0-0 : BOOTFB\n"
     "          0-0 : simpledrm\n",
     "BOOTFB, simpledrm"},
    {"0-0 : a\n  0-0 : b\n    0-0 : c\n      0-0 : d\n        0-0 : e\n"
     "          0-0 : 0000:06:00.0\n"
     "          0-0 : 0000:07:00.0\n"
     "          0-0 : BOOTFB\n",
     NULL},
    /* no such text */
    {"", NULL},
    {"nonsense\n\n   \n : \n", NULL},
};

START_TEST(memory_map)
{
    for (size_t i = 0; i < ELEMENTS(maps); i++) {
        CLEANUP(tree_done) struct tree t;
        make_host(&t, "simple-framebuffer.0");
        tree_write(&t, "proc/iomem", maps[i].iomem);
        ck_assert(bars_visible(t.fd));
        claims(&t, maps[i].expected);
    }
}
END_TEST

/* Its memory is free again when the framebuffer's device is gone: the map is not even read. */
START_TEST(no_framebuffer)
{
    CLEANUP(tree_done) struct tree t;

    make_host(&t, NULL);
    claims(&t, NULL);
    tree_write(&t, "proc/iomem", maps[0].iomem);
    claims(&t, NULL);
    tree_link(&t, "sys/bus/platform/devices/serial8250.0", "../../../devices/platform/x");
    claims(&t, NULL);
    tree_link(&t, "sys/bus/platform/devices/platform-framebuffer.0", "../../../devices/platform/x");
    claims(&t, NULL);
    tree_link(&t, "sys/bus/platform/devices/simple-framebuffer.0", "../../../devices/platform/x");
    claims(&t, maps[0].expected);
}
END_TEST

/* What the kernel has for a text console, or for nothing at all, is in nobody's BAR. */
START_TEST(not_in_memory)
{
    static const char *const names[] = {"platform-framebuffer.0", "vga-framebuffer.0",
                                        "ega-framebuffer.0"};

    for (size_t i = 0; i < ELEMENTS(names); i++) {
        CLEANUP(tree_done) struct tree t;
        make_host(&t, names[i]);
        tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/boot_vga", "1\n");
        claims(&t, NULL);
    }
}
END_TEST

START_TEST(without_memory_map)
{
    CLEANUP(tree_done) struct tree t;

    make_host(&t, NULL);
    ck_assert(!bars_visible(t.fd));
    tree_link(&t, "sys/bus/platform/devices/efi-framebuffer.0", PCI_DEVICE "efi-framebuffer.0");
    claims(&t, "efi-framebuffer.0");
    tree_link(&t, "sys/bus/platform/devices/efi-framebuffer.0",
              "../../../devices/pci0000:00/0000:07:00.0/efi-framebuffer.0");
    claims(&t, NULL);
    tree_link(&t, "sys/bus/platform/devices/efi-framebuffer.0",
              "../../../devices/platform/efi-framebuffer.0");
    claims(&t, NULL);
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/boot_vga", "1\n");
    claims(&t, "efi-framebuffer.0");
    tree_write(&t, "sys/bus/pci/devices/0000:06:00.0/boot_vga", "0\n");
    claims(&t, NULL);
}
END_TEST

UNIT_MAIN("bars", memory_map, no_framebuffer, not_in_memory, without_memory_map)
