/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the scripts of tests/kernel cannot show of the model: calls that wait, and injected errors.
 */
#include "kernel.h"

#include "unit.h"

#include <errno.h>

static struct kernel k;
static size_t gpu, audio;

/* What happens while a driver's probe() or remove() runs. */
static void (*meanwhile)(void);

static void on_inside(size_t device)
{
    void (*call)(void) = meanwhile;

    (void)device;
    meanwhile = NULL;
    if (call)
        call();
}

static size_t add(const char *address, const char *modalias)
{
    struct pci_id id;

    ck_assert(pci_id_of_modalias(modalias, &id));
    return kernel_add_device(&k, address, &id, 14, NO_SLOT);
}

static void setup(void)
{
    kernel_init(&k, KERNEL(6, 1));
    kernel_hooks = (struct kernel_hooks){.inside = on_inside};
    meanwhile = NULL;
    gpu = add("0000:06:00.0", "pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00");
    audio = add("0000:06:00.1", "pci:v000010DEd00001AEFsv000010DEsd00001463bc04sc03i00");
    kernel_load(&k, fact_of_module("vfio_pci"));
}

static void override(size_t device, const char *text)
{
    ck_assert_int_eq(kernel_write_override(&k, device, text, strlen(text)), 0);
}

static void look_into_remove(void)
{
    ck_assert_str_eq(kernel_driver_of(&k, gpu), "");
    ck_assert_msg(!group_is_viable(&k, 14), "the driver still has the DMA");
    ck_assert_int_eq(kernel_drivers_probe(&k, "0000:06:00.0"), 0);
    ck_assert_int_eq(kernel_bind(&k, "vfio-pci", "0000:06:00.0"), -ENODEV);
}

START_TEST(a_driver_counts_until_its_remove_returns)
{
    setup();
    kernel_load(&k, fact_of_module("nvidia"));
    ck_assert_str_eq(kernel_driver_of(&k, gpu), "nvidia");
    meanwhile = look_into_remove;
    ck_assert_int_eq(kernel_unbind(&k, "nvidia", "0000:06:00.0"), 0);
    ck_assert_ptr_null(meanwhile);
    ck_assert(group_is_viable(&k, 14));
}
END_TEST

static void look_into_vfio_remove(void)
{
    ck_assert_msg(group_has_node(&k, 14), "the node is there until remove() has returned");
}

START_TEST(a_node_is_there_until_remove_returns)
{
    setup();
    override(gpu, "vfio-pci");
    ck_assert_int_eq(kernel_bind(&k, "vfio-pci", "0000:06:00.0"), 0);
    meanwhile = look_into_vfio_remove;
    ck_assert_int_eq(kernel_unbind(&k, "vfio-pci", "0000:06:00.0"), 0);
    ck_assert(!group_has_node(&k, 14));
}
END_TEST

static void look_into_probe(void)
{
    ck_assert_str_eq(kernel_driver_of(&k, gpu), "vfio-pci");
    ck_assert_msg(!group_has_node(&k, 14), "probe() has not returned yet");
}

START_TEST(the_link_is_there_before_probe_returns)
{
    setup();
    override(gpu, "vfio-pci");
    meanwhile = look_into_probe;
    ck_assert_int_eq(kernel_bind(&k, "vfio-pci", "0000:06:00.0"), 0);
    ck_assert(group_has_node(&k, 14));
}
END_TEST

/* A second unbind that waited for the lock while the device got another driver. */
static size_t locks;

static void rebind_once(size_t device)
{
    if (locks++ == 0)
        kernel_set_driver(&k, device, kernel_find_driver(&k, "vfio-pci"));
}

START_TEST(a_late_unbind_takes_the_device_from_whoever_has_it)
{
    setup();
    kernel_load(&k, fact_of_module("nvidia"));
    locks = 0;
    kernel_hooks.lock = rebind_once;
    ck_assert_int_eq(kernel_unbind(&k, "nvidia", "0000:06:00.0"), 0);
    ck_assert_str_eq(kernel_driver_of(&k, gpu), "");
}
END_TEST

START_TEST(a_driver_that_comes_while_a_placeholder_is_there_is_not_asked_again)
{
    setup();
    override(gpu, "vfio-bindd-placeholder");
    kernel_load(&k, fact_of_module("nvidia"));
    override(gpu, "\n");
    ck_assert_str_eq(kernel_driver_of(&k, gpu), "");
    ck_assert_int_eq(kernel_drivers_probe(&k, "0000:06:00.0"), 0);
    ck_assert_str_eq(kernel_driver_of(&k, gpu), "nvidia");
}
END_TEST

/* Its folder is there, and devices are offered to it; the files are made at the end. */
static void try_files(size_t device)
{
    locks++;
    (void)device;
    ck_assert_int_ne(kernel_find_driver(&k, "nvidia"), NOBODY);
    ck_assert_int_eq(kernel_bind(&k, "nvidia", "0000:06:00.0"), -ENOENT);
    ck_assert_int_eq(kernel_unbind(&k, "nvidia", "0000:06:00.0"), -ENOENT);
    ck_assert_int_eq(kernel_new_id(&k, "nvidia", "10de 1aef"), -ENOENT);
    ck_assert_int_eq(kernel_remove_id(&k, "nvidia", "10de 1aef"), -ENOENT);
}

START_TEST(a_driver_that_is_being_registered_has_no_files)
{
    setup();
    locks = 0;
    kernel_hooks.inside = try_files;
    kernel_load(&k, fact_of_module("nvidia"));
    ck_assert_uint_eq(locks, 1);
    kernel_hooks.inside = NULL;
    ck_assert_int_eq(kernel_unbind(&k, "nvidia", "0000:06:00.0"), 0);
    ck_assert_int_eq(kernel_bind(&k, "nvidia", "0000:06:00.0"), 0);
}
END_TEST

START_TEST(injected_errors_change_nothing)
{
    setup();
    override(gpu, "vfio-pci");
    k.injected[CALL_OVERRIDE] = EPERM;
    ck_assert_int_eq(kernel_write_override(&k, gpu, "\n", 1), -EPERM);
    ck_assert_str_eq(kernel_override(&k, gpu), "vfio-pci");
    k.injected[CALL_NEW_ID] = EROFS;
    ck_assert_int_eq(kernel_new_id(&k, "vfio-pci", "10de 1aef"), -EROFS);
    k.injected[CALL_NEW_ID] = 0;
    ck_assert_int_eq(kernel_new_id(&k, "vfio-pci", "10de 1aef"), 0);
    ck_assert_str_eq(kernel_driver_of(&k, audio), "vfio-pci");
    k.injected[CALL_REMOVE_ID] = EROFS;
    ck_assert_int_eq(kernel_remove_id(&k, "vfio-pci", "10de 1aef"), -EROFS);
    k.injected[CALL_REMOVE_ID] = 0;
    ck_assert_int_eq(kernel_remove_id(&k, "vfio-pci", "10de 1aef"), 0);
    ck_assert_int_eq(kernel_remove_id(&k, "vfio-pci", "10de 1aef"), -ENODEV);
}
END_TEST

START_TEST(an_entry_of_an_override_alone_does_not_count_without_one)
{
    setup();
    ck_assert_int_eq(kernel_bind(&k, "vfio-pci", "0000:06:00.0"), -ENODEV);
    /* nor is a new one refused for it */
    ck_assert_int_eq(kernel_new_id(&k, "vfio-pci", "10de 20f1"), 0);
    ck_assert_int_eq(kernel_new_id(&k, "vfio-pci", "10de 20f1"), -EEXIST);
    ck_assert_int_eq(kernel_new_id(&k, "vfio-pci", "10de 20f1 ffffffff ffffffff 0 0 0"), 0);
}
END_TEST

UNIT_MAIN("kernel", a_driver_counts_until_its_remove_returns, a_node_is_there_until_remove_returns,
          the_link_is_there_before_probe_returns,
          a_late_unbind_takes_the_device_from_whoever_has_it,
          a_driver_that_comes_while_a_placeholder_is_there_is_not_asked_again,
          a_driver_that_is_being_registered_has_no_files, injected_errors_change_nothing,
          an_entry_of_an_override_alone_does_not_count_without_one)
