// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Firmware's framebuffers, in the memory of displays that QEMU has.
 *
 * The guest boots without firmware that draws, so the kernel's sysfb finds no
 * framebuffer. This module does for each named display what sysfb does for the
 * one that the firmware left: it registers a "simple-framebuffer" with memory
 * called BOOTFB at the beginning of the first BAR. The driver that then binds
 * it, and what both of them claim, is the kernel's own.
 *
 * Unloading the module takes the framebuffers away.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/platform_data/simplefb.h>
#include <linux/platform_device.h>

#define MAX_DISPLAYS	4

static char *displays[MAX_DISPLAYS];
static int display_count;
module_param_array(displays, charp, &display_count, 0444);
MODULE_PARM_DESC(displays, "addresses of PCI displays");

static struct platform_device *framebuffers[MAX_DISPLAYS];

static struct platform_device *add_framebuffer(const char *address, int id)
{
	struct simplefb_platform_data mode = {
		.width = 1024,
		.height = 768,
		.stride = 1024 * 4,
		.format = "x8r8g8b8",
	};
	struct resource memory = { .name = "BOOTFB", .flags = IORESOURCE_MEM };
	struct platform_device *framebuffer = ERR_PTR(-EINVAL);
	resource_size_t size = mode.height * mode.stride;
	struct device *dev;
	struct resource *bar;

	dev = bus_find_device_by_name(&pci_bus_type, NULL, address);
	if (!dev)
		return ERR_PTR(-ENODEV);
	bar = &to_pci_dev(dev)->resource[0];
	if (resource_type(bar) == IORESOURCE_MEM && resource_size(bar) >= size) {
		memory.start = bar->start;
		memory.end = bar->start + size - 1;
		framebuffer = platform_device_register_resndata(NULL, "simple-framebuffer", id,
								&memory, 1, &mode, sizeof(mode));
	}
	put_device(dev);
	return framebuffer;
}

static void remove_framebuffers(void)
{
	int i;

	for (i = 0; i < MAX_DISPLAYS; i++) {
		if (!framebuffers[i])
			continue;
		/* The kernel may have taken it away for a driver of the display. */
		if (device_is_registered(&framebuffers[i]->dev))
			platform_device_unregister(framebuffers[i]);
		put_device(&framebuffers[i]->dev);
	}
}

static int __init bootfb_init(void)
{
	struct platform_device *framebuffer;
	int i;

	for (i = 0; i < display_count; i++) {
		framebuffer = add_framebuffer(displays[i], i);
		if (IS_ERR(framebuffer)) {
			pr_err("no framebuffer on %s: %ld\n", displays[i], PTR_ERR(framebuffer));
			remove_framebuffers();
			return PTR_ERR(framebuffer);
		}
		get_device(&framebuffer->dev);
		framebuffers[i] = framebuffer;
	}
	return 0;
}
module_init(bootfb_init);

static void __exit bootfb_exit(void)
{
	remove_framebuffers();
}
module_exit(bootfb_exit);

MODULE_DESCRIPTION("Framebuffers as the firmware leaves them");
MODULE_LICENSE("GPL");
