// SPDX-License-Identifier: GPL-2.0
/*
 * Emulated NVIDIA A100s, which are genuine PCI devices to the kernel.
 *
 * QEMU has no such device, but it has PCI Express ports. This module plugs a
 * card into an empty one by answering the configuration cycles of the bus below
 * it from a table, so that everything above (IOMMU groups, hot-plug uevents,
 * vfio-pci) is the kernel's own. A bus of the module's own would not do: only
 * what hangs below QEMU's ports is covered by the IOMMU.
 *
 * A card is a GPU and its audio function, without BARs and interrupts. A slot
 * is named by its physical number, which is its name in /sys/bus/pci/slots.
 *
 * A virtual IOMMU of QEMU's knows only functions that QEMU has. With the parameter
 * `replace` a card takes the place of whatever QEMU has in the slot, whose
 * functions (0 and, with audio, 1) it has then to the IOMMU.
 *
 * For tests of many devices a card can have up to 256 GPUs instead, as cards
 * with virtual functions do: numbered by ARI, and kept apart by ACS, so that
 * each has an IOMMU group of its own.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define PORT_VENDOR	0x1b36
#define PORT_DEVICE	0x000c

#define MAX_FUNCTIONS	256
#define MAX_SLOTS	256

/* Where a function has its capabilities. */
#define CAP_PM		0x40
#define CAP_EXP		0x60
#define EXT_CAP_DSN	0x100
#define EXT_CAP_ARI	0x110
#define EXT_CAP_ACS	0x118
#define CONFIG_SIZE	0x120

struct function {
	u8 config[CONFIG_SIZE];
	u8 writable[CONFIG_SIZE];	/* a mask for each byte */
};

struct slot {
	unsigned int number;
	struct pci_dev *port;
	struct pci_ops *port_ops;	/* the bus's own, while a card is plugged */
	bool plugged;
	bool ari;			/* functions have numbers of 8 bits */
	unsigned int functions;
	struct function *function;
};

static struct slot *slots[MAX_SLOTS];
static unsigned int slot_count;
static bool ready;

/* Guards the slots; taken before the PCI core's rescan lock. */
static DEFINE_MUTEX(slots_lock);

static unsigned int gpus;
module_param(gpus, uint, 0444);
MODULE_PARM_DESC(gpus, "how many cards are plugged at load");

static ushort devices[MAX_SLOTS];
static unsigned int device_count;
module_param_array(devices, ushort, &device_count, 0444);
MODULE_PARM_DESC(devices, "device IDs of the slots' GPUs in their order (0: 0x20f1)");

static bool audio = true;
module_param(audio, bool, 0644);
MODULE_PARM_DESC(audio, "whether a card plugged from now on has an audio function");

static unsigned int functions;
module_param(functions, uint, 0644);
MODULE_PARM_DESC(functions, "how many GPUs a card plugged from now on has, each in a group of its own (up to 256; 0: an ordinary card)");

static bool replace;
module_param(replace, bool, 0644);
MODULE_PARM_DESC(replace, "whether a card may take the place of a device of QEMU's");

static struct slot *slot_of_bus(const struct pci_bus *bus)
{
	unsigned int i;

	for (i = 0; i < slot_count; i++)
		if (slots[i]->port->subordinate == bus)
			return slots[i];
	return NULL;
}

static struct function *function_at(struct pci_bus *bus, unsigned int devfn)
{
	struct slot *slot = slot_of_bus(bus);

	/* Without ARI the upper bits are the device's number, which is 0. */
	if (!slot || devfn >= slot->functions || (!slot->ari && PCI_SLOT(devfn)))
		return NULL;
	return &slot->function[devfn];
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
		       u32 *value)
{
	const struct function *function = function_at(bus, devfn);
	int i;

	if (!function) {
		PCI_SET_ERROR_RESPONSE(value);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}

	*value = 0;
	for (i = 0; i < size; i++)
		if (where + i < CONFIG_SIZE)
			*value |= (u32)function->config[where + i] << (8 * i);
	return PCIBIOS_SUCCESSFUL;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size,
			u32 value)
{
	struct function *function = function_at(bus, devfn);
	u8 mask;
	int i;

	if (!function)
		return PCIBIOS_DEVICE_NOT_FOUND;

	for (i = 0; i < size && where + i < CONFIG_SIZE; i++) {
		mask = function->writable[where + i];
		function->config[where + i] &= ~mask;
		function->config[where + i] |= (value >> (8 * i)) & mask;
	}
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops card_ops = {
	.read = config_read,
	.write = config_write,
};

static void put16(u8 *table, int where, u16 value)
{
	table[where] = value;
	table[where + 1] = value >> 8;
}

static void put32(u8 *table, int where, u32 value)
{
	put16(table, where, value);
	put16(table, where + 2, value >> 16);
}

static void fill_function(struct function *function, u16 device, u32 class, u32 serial)
{
	u8 *config = function->config;
	u8 *writable = function->writable;

	memset(function, 0, sizeof(*function));
	put16(config, PCI_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(config, PCI_DEVICE_ID, device);
	put16(writable, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
	      PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
	      PCI_COMMAND_INTX_DISABLE);
	put16(config, PCI_STATUS, PCI_STATUS_CAP_LIST);
	put32(config, PCI_CLASS_REVISION, class << 8 | 0xa1);
	writable[PCI_CACHE_LINE_SIZE] = 0xff;
	config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_NORMAL | 0x80;
	put16(config, PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(config, PCI_SUBSYSTEM_ID, 0x1463);
	config[PCI_CAPABILITY_LIST] = CAP_PM;
	writable[PCI_INTERRUPT_LINE] = 0xff;

	config[CAP_PM] = PCI_CAP_ID_PM;
	config[CAP_PM + PCI_CAP_LIST_NEXT] = CAP_EXP;
	put16(config, CAP_PM + PCI_PM_PMC, 3);
	put16(config, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	put16(writable, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);

	config[CAP_EXP] = PCI_CAP_ID_EXP;
	put16(config, CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(config, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	put16(writable, CAP_EXP + PCI_EXP_DEVCTL, (u16)~PCI_EXP_DEVCTL_BCR_FLR);
	put32(config, CAP_EXP + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_16_0GB | 16 << 4);
	put16(writable, CAP_EXP + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_CCC);
	put16(config, CAP_EXP + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_16_0GB | 16 << 4);

	put32(config, EXT_CAP_DSN, PCI_EXT_CAP_ID_DSN | 1 << 16);
	put32(config, EXT_CAP_DSN + 4, serial);
	put32(config, EXT_CAP_DSN + 8, 0x48b02d00);
}

/* What a function needs to be one of up to 256, with an IOMMU group of its own. */
static void add_ari(struct function *function, unsigned int next)
{
	u8 *config = function->config;

	put32(config, EXT_CAP_DSN, PCI_EXT_CAP_ID_DSN | 1 << 16 | EXT_CAP_ARI << 20);
	put32(config, EXT_CAP_ARI, PCI_EXT_CAP_ID_ARI | 1 << 16 | EXT_CAP_ACS << 20);
	put16(config, EXT_CAP_ARI + PCI_ARI_CAP, next << 8);
	put32(config, EXT_CAP_ACS, PCI_EXT_CAP_ID_ACS | 1 << 16);
	put16(config, EXT_CAP_ACS + PCI_ACS_CAP, PCI_ACS_RR | PCI_ACS_CR);
	put16(function->writable, EXT_CAP_ACS + PCI_ACS_CTRL, PCI_ACS_RR | PCI_ACS_CR);
}

static void fill_many(struct slot *slot, u16 device)
{
	unsigned int i;

	for (i = 0; i < slot->functions; i++) {
		fill_function(&slot->function[i], device, PCI_CLASS_DISPLAY_3D << 8,
			      slot->number);
		add_ari(&slot->function[i], i + 1 < slot->functions ? i + 1 : 0);
	}
}

static void fill_pair(struct slot *slot, u16 device)
{
	fill_function(&slot->function[0], device, PCI_CLASS_DISPLAY_3D << 8, slot->number);
	if (slot->functions == 1)
		slot->function[0].config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_NORMAL;
	else
		fill_function(&slot->function[1], 0x1aef, 0x040300, slot->number);
}

static void remove_functions(struct pci_bus *bus)
{
	struct pci_dev *pdev, *next;

	/* As pciehp does it: the functions in reverse, the first one last. */
	list_for_each_entry_safe_reverse(pdev, next, &bus->devices, bus_list)
		pci_stop_and_remove_bus_device(pdev);
}

static int plug_locked(struct slot *slot, u16 device)
{
	struct pci_bus *bus = slot->port->subordinate;
	unsigned int many = min_t(unsigned int, READ_ONCE(functions), MAX_FUNCTIONS);
	unsigned int count = many ? many : audio ? 2 : 1;

	if (slot->plugged)
		return -EEXIST;
	/* QEMU has a device of its own there. */
	if (!list_empty(&bus->devices) && !READ_ONCE(replace))
		return -EBUSY;

	slot->function = kvcalloc(count, sizeof(*slot->function), GFP_KERNEL);
	if (!slot->function)
		return -ENOMEM;
	slot->functions = count;
	slot->ari = many;
	if (many)
		fill_many(slot, device);
	else
		fill_pair(slot, device);

	remove_functions(bus);
	slot->port_ops = pci_bus_set_ops(bus, &card_ops);
	slot->plugged = true;
	pci_rescan_bus(bus);
	return 0;
}

static int unplug_locked(struct slot *slot)
{
	struct pci_bus *bus = slot->port->subordinate;

	if (!slot->plugged)
		return -ENODEV;

	remove_functions(bus);
	pci_bus_set_ops(bus, slot->port_ops);
	slot->functions = 0;
	kvfree(slot->function);
	slot->function = NULL;
	slot->plugged = false;
	return 0;
}

static u16 device_of(unsigned int index)
{
	return index < device_count && devices[index] ? devices[index] : 0x20f1;
}

static int change_slot(const char *text, bool plug)
{
	unsigned int number, i;
	int ret;

	ret = kstrtouint(text, 0, &number);
	if (ret)
		return ret;

	mutex_lock(&slots_lock);
	ret = -ENXIO;
	for (i = 0; ready && i < slot_count; i++) {
		if (slots[i]->number != number)
			continue;
		pci_lock_rescan_remove();
		ret = plug ? plug_locked(slots[i], device_of(i)) : unplug_locked(slots[i]);
		pci_unlock_rescan_remove();
		break;
	}
	mutex_unlock(&slots_lock);
	return ret;
}

static int plug_set(const char *text, const struct kernel_param *kp)
{
	return change_slot(text, true);
}

static int unplug_set(const char *text, const struct kernel_param *kp)
{
	return change_slot(text, false);
}

static const struct kernel_param_ops plug_ops = {
	.set = plug_set,
};

static const struct kernel_param_ops unplug_ops = {
	.set = unplug_set,
};

module_param_cb(plug, &plug_ops, NULL, 0200);
MODULE_PARM_DESC(plug, "write the number of a slot: a card is plugged into it");
module_param_cb(unplug, &unplug_ops, NULL, 0200);
MODULE_PARM_DESC(unplug, "write the number of a slot: its card is unplugged");

/* Adds a port, keeping the slots in the order of their bus numbers. */
static int add_port(struct pci_dev *port)
{
	struct slot *slot;
	unsigned int i;
	u32 cap = 0;

	if (slot_count == MAX_SLOTS)
		return -ENOSPC;
	slot = kzalloc(sizeof(*slot), GFP_KERNEL);
	if (!slot)
		return -ENOMEM;

	pcie_capability_read_dword(port, PCI_EXP_SLTCAP, &cap);
	slot->number = cap >> 19;
	slot->port = pci_dev_get(port);

	for (i = slot_count; i > 0; i--) {
		if (slots[i - 1]->port->subordinate->number < port->subordinate->number)
			break;
		slots[i] = slots[i - 1];
	}
	slots[i] = slot;
	slot_count++;
	return 0;
}

static void forget_ports(void)
{
	while (slot_count) {
		slot_count--;
		pci_dev_put(slots[slot_count]->port);
		kfree(slots[slot_count]);
	}
}

static int __init emugpu_init(void)
{
	struct pci_dev *port = NULL;
	unsigned int i, plugged = 0;
	int ret = 0;

	mutex_lock(&slots_lock);
	while ((port = pci_get_device(PORT_VENDOR, PORT_DEVICE, port))) {
		if (!port->subordinate)
			continue;
		ret = add_port(port);
		if (ret) {
			pci_dev_put(port);
			forget_ports();
			goto out;
		}
	}

	pci_lock_rescan_remove();
	for (i = 0; i < slot_count && plugged < gpus; i++)
		if (!plug_locked(slots[i], device_of(i)))
			plugged++;
	pci_unlock_rescan_remove();

	ready = true;
	pr_info("%u of %u GPUs plugged, %u slots\n", plugged, gpus, slot_count);
out:
	mutex_unlock(&slots_lock);
	return ret;
}
module_init(emugpu_init);

/* There is no exit: a card must not lose its configuration space in use. */

MODULE_DESCRIPTION("Emulated NVIDIA A100s in QEMU's empty PCI Express slots");
MODULE_LICENSE("GPL");
