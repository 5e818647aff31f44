// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver without the files bind and unbind, for the emulated A100s.
 * Nobody loads it by itself: it has no aliases.
 */

#include <linux/errno.h>
#include <linux/module.h>
#include <linux/pci.h>

static int lab_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static const struct pci_device_id lab_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, 0x20f1) },
	{ }
};

static struct pci_driver lab_driver = {
	.name = "lab-sealed",
	.id_table = lab_ids,
	.probe = lab_probe,
	.driver.suppress_bind_attrs = true,
};
module_pci_driver(lab_driver);

MODULE_DESCRIPTION("A driver without the files bind and unbind");
MODULE_LICENSE("GPL");
