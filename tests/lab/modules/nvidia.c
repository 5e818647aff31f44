// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver which competes for NVIDIA's GPUs: the name and the aliases of the
 * real one, so that udev loads it for them, and nothing behind it.
 *
 * It counts its calls, and can take its time in them like a driver whose device
 * is in use.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/string.h>

static atomic_t probes = ATOMIC_INIT(0);
static atomic_t removes = ATOMIC_INIT(0);

static int counter_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read((atomic_t *)kp->arg));
}

static const struct kernel_param_ops counter_ops = {
	.get = counter_get,
};

module_param_cb(probes, &counter_ops, &probes, 0444);
MODULE_PARM_DESC(probes, "how often probe() was called");
module_param_cb(removes, &counter_ops, &removes, 0444);
MODULE_PARM_DESC(removes, "how often remove() was called");

static unsigned int probe_sleep_ms;
module_param(probe_sleep_ms, uint, 0644);
MODULE_PARM_DESC(probe_sleep_ms, "how long probe() takes");

static unsigned int probe_fail;
module_param(probe_fail, uint, 0644);
MODULE_PARM_DESC(probe_fail, "the errno with which probe() fails (0: it does not)");

static unsigned int remove_sleep_ms;
module_param(remove_sleep_ms, uint, 0644);
MODULE_PARM_DESC(remove_sleep_ms, "how long remove() takes");

static char remove_sleep_device[16];
module_param_string(remove_sleep_device, remove_sleep_device, sizeof(remove_sleep_device), 0644);
MODULE_PARM_DESC(remove_sleep_device, "only the remove() of this address sleeps (empty: each)");

static bool remove_logs;
module_param(remove_logs, bool, 0644);
MODULE_PARM_DESC(remove_logs, "log every second while remove() takes its time");

static int nvidia_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	unsigned int error;

	atomic_inc(&probes);
	msleep(READ_ONCE(probe_sleep_ms));
	error = READ_ONCE(probe_fail);
	if (error)
		return -(int)min_t(unsigned int, error, MAX_ERRNO);
	pci_info(pdev, "probed\n");
	return 0;
}

/* In milliseconds. */
static unsigned int sleep_of(struct pci_dev *pdev)
{
	if (!sysfs_streq(remove_sleep_device, "") &&
	    !sysfs_streq(remove_sleep_device, pci_name(pdev)))
		return 0;
	return READ_ONCE(remove_sleep_ms);
}

static void nvidia_remove(struct pci_dev *pdev)
{
	unsigned long since = jiffies;
	unsigned int left;

	atomic_inc(&removes);

	/*
	 * Not to be interrupted, in slices: a test sets remove_sleep_ms to 0 to
	 * let a remove() return.
	 */
	while (time_before(jiffies, since + msecs_to_jiffies(sleep_of(pdev)))) {
		if (READ_ONCE(remove_logs))
			pci_info(pdev, "still in use\n");
		left = jiffies_to_msecs(since + msecs_to_jiffies(sleep_of(pdev)) - jiffies);
		msleep(clamp(left, 1U, READ_ONCE(remove_logs) ? 1000U : 100U));
	}
}

static const struct pci_device_id nvidia_ids[] = {
	{
		.vendor = PCI_VENDOR_ID_NVIDIA,
		.device = PCI_ANY_ID,
		.subvendor = PCI_ANY_ID,
		.subdevice = PCI_ANY_ID,
		.class = PCI_CLASS_DISPLAY_VGA << 8,
		.class_mask = ~0,
	},
	{
		.vendor = PCI_VENDOR_ID_NVIDIA,
		.device = PCI_ANY_ID,
		.subvendor = PCI_ANY_ID,
		.subdevice = PCI_ANY_ID,
		.class = PCI_CLASS_DISPLAY_3D << 8,
		.class_mask = ~0,
	},
	{ }
};
MODULE_DEVICE_TABLE(pci, nvidia_ids);

static struct pci_driver nvidia_driver = {
	.name = "nvidia",
	.id_table = nvidia_ids,
	.probe = nvidia_probe,
	.remove = nvidia_remove,
};
module_pci_driver(nvidia_driver);

MODULE_DESCRIPTION("Stand-in for the native driver of NVIDIA's GPUs");
MODULE_LICENSE("GPL");
