// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Emulated NVIDIA A100s, which are genuine PCI devices to the kernel.
 *
 * QEMU has no such device, but it has PCI Express ports. This module plugs a
 * card into an empty one by answering the configuration cycles of the bus below
 * it from a table, so that everything above (IOMMU groups, hot-plug uevents,
 * vfio-pci) is the kernel's own. What hangs below QEMU's ports is covered by the
 * IOMMU.
 *
 * A card is a GPU and its audio function, without interrupts, and without BARs
 * but for the audio function's on newer kernels. On demand
 * it has a USB-C port as well, as Turing's have: a USB controller and a UCSI one.
 * A slot is named by its physical number, which is its name in /sys/bus/pci/slots.
 *
 * A virtual IOMMU of QEMU's knows only functions that QEMU has. With the parameter
 * `replace` a card takes the place of whatever QEMU has in the slot, whose
 * functions (0 and, with audio, 1) it has then to the IOMMU.
 *
 * With `domain_cards` there are cards in a PCI domain of the module's own as well,
 * 10000, beyond what 16 bits hold: that of a controller like Intel's VMD, whose
 * domains have such numbers. The IOMMU takes their DMA for that of QEMU's edu
 * device, if there is one, and they are in its IOMMU group; that is how Linux does
 * it for a VMD, and does it for Intel's IOMMU only. Without Intel's IOMMU they have
 * no group. They are there from load on. On x86 only.
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
#include <linux/version.h>

#define PORT_VENDOR	0x1b36
#define PORT_DEVICE	0x000c
#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

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
	struct pci_bus *bus;		/* below the port */
	struct pci_ops *port_ops;	/* the bus's own, while a card is plugged */
	bool plugged;
	bool gone;			/* pulled out: nothing answers any more */
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

static ushort classes[MAX_SLOTS];
static unsigned int class_count;
module_param_array(classes, ushort, &class_count, 0444);
MODULE_PARM_DESC(classes, "classes of the slots' GPUs in their order, like 0x0300 (0: 0x0302)");

static bool serials = true;
module_param(serials, bool, 0644);
MODULE_PARM_DESC(serials, "whether a card plugged from now on has a serial number (its slot's)");

static bool usb;
module_param(usb, bool, 0644);
MODULE_PARM_DESC(usb, "whether a card plugged from now on has a USB controller and a UCSI one");

static bool audio = true;
module_param(audio, bool, 0644);
MODULE_PARM_DESC(audio, "whether a card plugged from now on has an audio function");

static unsigned int domain_cards;
module_param(domain_cards, uint, 0444);
MODULE_PARM_DESC(domain_cards, "how many cards are in PCI domain 10000 (up to 32)");

static unsigned int functions;
module_param(functions, uint, 0644);
MODULE_PARM_DESC(functions, "how many GPUs a card plugged from now on has, each in a group of its own (up to 256; 0: an ordinary card)");

static unsigned int dead;
module_param(dead, uint, 0644);
MODULE_PARM_DESC(dead, "the slot of a card that does not answer any more; 0: none");

static bool replace;
module_param(replace, bool, 0644);
MODULE_PARM_DESC(replace, "whether a card may take the place of a device of QEMU's");

/* The bus of the domain has its devices' functions by their numbers of 8 bits. */
static struct slot domain_slot = { .ari = true };

static struct slot *slot_of_bus(const struct pci_bus *bus)
{
	unsigned int i;

	for (i = 0; i < slot_count; i++)
		if (slots[i]->bus == bus)
			return slots[i];
	return domain_slot.bus == bus ? &domain_slot : NULL;
}

static struct function *function_at(struct pci_bus *bus, unsigned int devfn)
{
	struct slot *slot = slot_of_bus(bus);
	struct function *function;

	/* Without ARI the upper bits are the device's number, which is 0. */
	if (!slot || devfn >= slot->functions || (!slot->ari && PCI_SLOT(devfn)))
		return NULL;
	function = &slot->function[devfn];
	/* A card may have functions 2 and 3 but no 1. */
	return function->config[PCI_VENDOR_ID] ? function : NULL;
}

/* The port answers for a card that was pulled out of it, with all ones. */
static bool is_gone(const struct pci_bus *bus)
{
	const struct slot *slot = slot_of_bus(bus);

	return slot && (READ_ONCE(slot->gone) || (dead && slot->number == dead));
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
		       u32 *value)
{
	const struct function *function = function_at(bus, devfn);
	int i;

	if (is_gone(bus)) {
		PCI_SET_ERROR_RESPONSE(value);
		return PCIBIOS_SUCCESSFUL;
	}
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

	if (is_gone(bus))
		return PCIBIOS_SUCCESSFUL;
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

	if (READ_ONCE(serials)) {
		put32(config, EXT_CAP_DSN, PCI_EXT_CAP_ID_DSN | 1 << 16);
		put32(config, EXT_CAP_DSN + 4, serial);
		put32(config, EXT_CAP_DSN + 8, 0x48b02d00);
	}
}

#define AUDIO_BAR_SIZE	0x4000

/*
 * Newer snd_hda_intel (Linux 6.12 at the latest) refuses a function without registers. Nothing answers
 * at these: its probe() succeeds all the same, since the codecs are looked for later.
 */
static void add_audio_bar(struct function *function)
{
	if (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))
		put32(function->writable, PCI_BASE_ADDRESS_0, ~(AUDIO_BAR_SIZE - 1));
}

/* What a function needs to be one of up to 256, with an IOMMU group of its own. */
static void add_ari(struct function *function, unsigned int next)
{
	u8 *config = function->config;

	/* Without a serial number it has no ID, and says nothing but where the next is. */
	put16(config, EXT_CAP_DSN + 2, config[EXT_CAP_DSN + 2] | EXT_CAP_ARI << 4);
	put32(config, EXT_CAP_ARI, PCI_EXT_CAP_ID_ARI | 1 << 16 | EXT_CAP_ACS << 20);
	put16(config, EXT_CAP_ARI + PCI_ARI_CAP, next << 8);
	put32(config, EXT_CAP_ACS, PCI_EXT_CAP_ID_ACS | 1 << 16);
	put16(config, EXT_CAP_ACS + PCI_ACS_CAP, PCI_ACS_RR | PCI_ACS_CR);
	put16(function->writable, EXT_CAP_ACS + PCI_ACS_CTRL, PCI_ACS_RR | PCI_ACS_CR);
}

static void fill_many(struct slot *slot, u16 device, u32 class)
{
	unsigned int i;

	for (i = 0; i < slot->functions; i++) {
		fill_function(&slot->function[i], device, class, slot->number);
		add_ari(&slot->function[i], i + 1 < slot->functions ? i + 1 : 0);
	}
}

static void fill_card(struct slot *slot, u16 device, u32 class)
{
	struct function *function = slot->function;

	fill_function(&function[0], device, class, slot->number);
	if (slot->functions == 1)
		function[0].config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_NORMAL;
	if (slot->functions > 1 && READ_ONCE(audio)) {
		fill_function(&function[1], 0x1aef, 0x040300, slot->number);
		add_audio_bar(&function[1]);
	}
	/* No driver gets far with them: they have no BAR. */
	if (slot->functions > 2) {
		fill_function(&function[2], 0x1ad6, 0x0c0330, slot->number);
		fill_function(&function[3], 0x1ad7, 0x0c8000, slot->number);
	}
}

static void remove_functions(struct pci_bus *bus)
{
	struct pci_dev *pdev, *next;

	/* As pciehp does it: the functions in reverse, the first one last. */
	list_for_each_entry_safe_reverse(pdev, next, &bus->devices, bus_list)
		pci_stop_and_remove_bus_device(pdev);
}

static int plug_locked(struct slot *slot, u16 device, u32 class)
{
	struct pci_bus *bus = slot->bus;
	unsigned int many = min_t(unsigned int, READ_ONCE(functions), MAX_FUNCTIONS);
	unsigned int count = many ? many : READ_ONCE(usb) ? 4 : READ_ONCE(audio) ? 2 : 1;

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
		fill_many(slot, device, class);
	else
		fill_card(slot, device, class);

	remove_functions(bus);
	slot->port_ops = pci_bus_set_ops(bus, &card_ops);
	slot->plugged = true;
	pci_rescan_bus(bus);
	return 0;
}

static int unplug_locked(struct slot *slot)
{
	struct pci_bus *bus = slot->bus;

	if (!slot->plugged)
		return -ENODEV;

	remove_functions(bus);
	pci_bus_set_ops(bus, slot->port_ops);
	slot->gone = false;
	slot->functions = 0;
	kvfree(slot->function);
	slot->function = NULL;
	slot->plugged = false;
	return 0;
}

/* A card is pulled out: first it is gone, then the kernel is told, as pciehp does it. */
static int surprise_locked(struct slot *slot)
{
	struct pci_dev *pdev;

	if (!slot->plugged)
		return -ENODEV;

	WRITE_ONCE(slot->gone, true);
	list_for_each_entry(pdev, &slot->bus->devices, bus_list)
		WRITE_ONCE(pdev->error_state, pci_channel_io_perm_failure);
	return unplug_locked(slot);
}

static int plug_index(unsigned int i)
{
	u16 device = i < device_count && devices[i] ? devices[i] : 0x20f1;
	u16 class = i < class_count && classes[i] ? classes[i] : PCI_CLASS_DISPLAY_3D;

	return plug_locked(slots[i], device, (u32)class << 8);
}

enum change { PLUG, UNPLUG, SURPRISE };

static int change_locked(unsigned int i, enum change change)
{
	switch (change) {
	case PLUG:
		return plug_index(i);
	case UNPLUG:
		return unplug_locked(slots[i]);
	case SURPRISE:
		return surprise_locked(slots[i]);
	}
	return -EINVAL;
}

static int change_slot(const char *text, enum change change)
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
		ret = change_locked(i, change);
		pci_unlock_rescan_remove();
		break;
	}
	mutex_unlock(&slots_lock);
	return ret;
}

static int plug_set(const char *text, const struct kernel_param *kp)
{
	return change_slot(text, PLUG);
}

static int unplug_set(const char *text, const struct kernel_param *kp)
{
	return change_slot(text, UNPLUG);
}

static int surprise_set(const char *text, const struct kernel_param *kp)
{
	return change_slot(text, SURPRISE);
}

static const struct kernel_param_ops plug_ops = {
	.set = plug_set,
};

static const struct kernel_param_ops unplug_ops = {
	.set = unplug_set,
};

static const struct kernel_param_ops surprise_ops = {
	.set = surprise_set,
};

module_param_cb(plug, &plug_ops, NULL, 0200);
MODULE_PARM_DESC(plug, "write the number of a slot: a card is plugged into it");
module_param_cb(unplug, &unplug_ops, NULL, 0200);
MODULE_PARM_DESC(unplug, "write the number of a slot: its card is unplugged");
module_param_cb(surprise, &surprise_ops, NULL, 0200);
MODULE_PARM_DESC(surprise, "write the number of a slot: its card is pulled out while in use");

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
	slot->bus = port->subordinate;

	for (i = slot_count; i > 0; i--) {
		if (slots[i - 1]->bus->number < port->subordinate->number)
			break;
		slots[i] = slots[i - 1];
	}
	slots[i] = slot;
	slot_count++;
	return 0;
}

#ifdef CONFIG_X86
static struct pci_sysdata domain_data = {
	.domain = 0x10000,
	.node = NUMA_NO_NODE,
};

static struct resource domain_buses = {
	.name = KBUILD_MODNAME,
	.flags = IORESOURCE_BUS,
};

static int __init fill_domain(void)
{
	unsigned int cards = min_t(unsigned int, domain_cards, PCI_SLOT(0xff) + 1), i;
	struct function *function;

	function = kvcalloc(cards * 8, sizeof(*function), GFP_KERNEL);
	if (!function)
		return -ENOMEM;
	for (i = 0; i < cards; i++) {
		fill_function(&function[i * 8], 0x20f1, PCI_CLASS_DISPLAY_3D << 8, i);
		if (audio)
			fill_function(&function[i * 8 + 1], 0x1aef, 0x040300, i);
	}
	domain_slot.function = function;
	domain_slot.functions = cards * 8;
	return 0;
}

/* Under the PCI core's rescan lock. */
static int __init add_domain(void)
{
	LIST_HEAD(resources);
	int ret;

	ret = fill_domain();
	if (ret)
		return ret;
#if IS_ENABLED(CONFIG_VMD)
	domain_data.vmd_dev = pci_get_device(EDU_VENDOR, EDU_DEVICE, NULL);
#endif
	pci_add_resource(&resources, &domain_buses);
	domain_slot.bus = pci_create_root_bus(NULL, 0, &card_ops, &domain_data, &resources);
	if (!domain_slot.bus) {
		pci_free_resource_list(&resources);
		kvfree(domain_slot.function);
		return -ENODEV;
	}
	pci_scan_child_bus(domain_slot.bus);
	pci_bus_add_devices(domain_slot.bus);
	return 0;
}

#else
static int __init add_domain(void)
{
	return -EOPNOTSUPP;
}
#endif

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
		if (!plug_index(i))
			plugged++;
	if (domain_cards)
		ret = add_domain();
	pci_unlock_rescan_remove();
	if (ret) {
		pr_err("no domain: %d\n", ret);
		ret = 0; /* there are cards already */
	}

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
