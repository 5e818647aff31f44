/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/problem-text.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "model/kinds.h"

/* An unselected device blocks the group: shows the line to add. A selected device has its own
 * message. */
static void not_viable_sentence(const struct verdict *v, const struct snapshot *s,
                                const struct device *d, char *buf)
{
    const struct device *other = snapshot_find(s, v->other);
    struct pci_addr_text address = pci_addr_text(d->addr), in_the_way = pci_addr_text(v->other);

    if (other && device_is_bridge(other))
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but its IOMMU group %u is not usable: %s (%04x:%04x), a bridge or a "
                 "part of the chipset, is on %s. Put the card into another slot (behind a port "
                 "with ACS), or, if this host can do without that driver, keep it from being "
                 "loaded or unbind %s from it",
                 address.s, d->group, in_the_way.s, other->vendor, other->device, v->other_driver,
                 in_the_way.s);
    else if (other && other->has_vfs && !v->other_selected)
        snprintf(
            buf, SENTENCE_MAX,
            "%s is bound, but its IOMMU group %u is not usable: %s (%04x:%04x) is on %s, and must "
            "stay there because it has virtual functions. Put the card into another slot (behind "
            "a port with ACS)",
            address.s, d->group, in_the_way.s, other->vendor, other->device, v->other_driver);
    else if (v->other_selected || !other)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but its IOMMU group %u is not usable until %s, which is on %s, is "
                 "bound, too: see the message about that device",
                 address.s, d->group, in_the_way.s, v->other_driver);
    else
        snprintf(
            buf, SENTENCE_MAX,
            "%s is bound, but its IOMMU group %u is not usable: %s (%04x:%04x) is on %s; set "
            "\"group = all\" in [device %s], or add a rule with \"id = %04x:%04x\" and \"address "
            "= %s\"",
            address.s, d->group, in_the_way.s, other->vendor, other->device, v->other_driver,
            v->rule->name, other->vendor, other->device, in_the_way.s);
}

/* Says which consumers cannot open the device, and the remedy. */
static void interface_sentence(const struct verdict *v, const struct snapshot *s,
                               const struct device *d, char *buf)
{
    struct pci_addr_text address = pci_addr_text(d->addr);

    if (v->rule->interface == INTERFACE_GROUP)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but this kernel has no nodes for IOMMU groups (CONFIG_VFIO_GROUP), "
                 "which [device %s] requires (interface = group): boot a kernel that has them, or "
                 "write interface = iommufd, which needs QEMU 8.2 or libvirt 12.2",
                 address.s, v->rule->name);
    else if (d->cdev)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but /dev/iommu is missing, and /dev/vfio/devices/%s needs it: run "
                 "\"modprobe iommufd\", then \"vfio-bindctl rescan\"",
                 address.s, d->cdev);
    else if (s->device_nodes)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but has no node in /dev/vfio/devices, which [device %s] requires "
                 "(interface = iommufd): is devtmpfs mounted on /dev?",
                 address.s, v->rule->name);
    else
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but this kernel has no nodes for single devices "
                 "(CONFIG_VFIO_DEVICE_CDEV), which [device %s] requires (interface = iommufd): "
                 "boot a kernel that has them, or write interface = group",
                 address.s, v->rule->name);
}

/* The device does not respond after its last user, or cannot be reset for the next one. */
static void health_sentence(const struct verdict *v, const struct device *d, char *buf)
{
    struct pci_addr_text address = pci_addr_text(d->addr);

    if (v->problems & PROBLEM_NOT_RESPONDING)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but no longer responds: its configuration space reads as all ones "
                 "or as that of another device, so its last user left it in a bad state. See "
                 "dmesg; a reset (\"echo 1 >/sys/bus/pci/devices/%s/reset\") or a power cycle of "
                 "the host may bring it back, then run \"vfio-bindctl rescan\"",
                 address.s, address.s);
    else if (v->error == ENOENT)
        snprintf(
            buf, SENTENCE_MAX,
            "%s is bound, but its reset methods could not be set to \"%s\" ([device %s]): it has "
            "no reset_method in /sys, because the kernel is older than 5.15 or knows no way to "
            "reset it; remove reset-method from that rule",
            address.s, v->rule->reset_method, v->rule->name);
    else
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but its reset methods could not be set to \"%s\" ([device %s])%s%s: "
                 "/sys/bus/pci/devices/%s/reset_method lists what the device supports",
                 address.s, v->rule->reset_method, v->rule->name, v->error ? "; " : "",
                 v->error == EILSEQ ? "it reads back differently"
                 : v->error         ? strerror(v->error)
                                    : "",
                 address.s);
}

/* A virtual machine cannot open the device, or cannot map its memory. */
static void bar_sentence(const struct verdict *v, const struct device *d, char *buf)
{
    if (v->problems & PROBLEM_BAR_UNASSIGNED)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but the kernel has no address for its BAR %d, so no virtual machine "
                 "can open it: enable \"Above 4G decoding\" in the firmware setup, or boot with "
                 "\"pci=realloc\"; if it was usable before another device was plugged in, reboot",
                 pci_addr_text(d->addr).s, __builtin_ctz(d->unassigned));
    else
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but the firmware's framebuffer (%s) occupies part of its memory, so "
                 "QEMU cannot map it: boot with \"initcall_blacklist=sysfb_init\" on the kernel "
                 "command line, or make another card the boot display",
                 pci_addr_text(d->addr).s, d->claimant ? d->claimant : "");
}

void problem_sentence(const struct verdict *v, const struct snapshot *s,
                      char buf[static SENTENCE_MAX])
{
    const struct device *d = snapshot_find(s, v->addr);

    buf[0] = '\0';
    if (!d)
        return;
    if (v->problems & PROBLEM_SWITCH_BY_WILDCARD && v->state != STATE_REFUSED &&
        (v->usable || v->state != STATE_BOUND))
        snprintf(buf, SENTENCE_MAX,
                 "%s (%04x:%04x) is an NVSwitch, which connects the GPUs of this host, and [device "
                 "%s] selects it only by \"%04x:*\": to leave it to the host's fabric manager, put "
                 "a rule before that one with \"id = %04x:%04x\" and \"driver = native\"; to take "
                 "it on purpose, select it by \"id = %04x:%04x\"",
                 pci_addr_text(d->addr).s, d->vendor, d->device, v->rule->name, d->vendor,
                 d->vendor, d->device, d->vendor, d->device);
    if (v->state != STATE_BOUND)
        return;
    if (v->problems & PROBLEM_UNREADABLE)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but %s%s could not be read%s%s, so it does not count as usable; "
                 "vfio-bindd keeps trying",
                 pci_addr_text(d->addr).s,
                 d->unknown.fact != FACT_NONE ? "its " : "a device of its IOMMU group",
                 fact_words(d->unknown.fact), d->unknown.fact != FACT_NONE ? ": " : "",
                 d->unknown.fact != FACT_NONE ? strerror(d->unknown.error) : "");
    else if (v->problems & PROBLEM_GROUP_NOT_VIABLE)
        not_viable_sentence(v, s, d, buf);
    else if (v->problems & PROBLEM_NODE_MISSING)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound, but /dev/vfio/%u is missing: is devtmpfs mounted on /dev, and does "
                 "the unit's DevicePolicy= allow char-vfio?",
                 pci_addr_text(d->addr).s, d->group);
    else if (v->problems & (PROBLEM_NOT_RESPONDING | PROBLEM_RESET_METHOD))
        health_sentence(v, d, buf);
    else if (v->problems & PROBLEM_INTERFACE_MISSING)
        interface_sentence(v, s, d, buf);
    else if (v->problems & PROBLEM_INTERRUPTS_NOT_REMAPPED)
        snprintf(
            buf, SENTENCE_MAX,
            "%s is bound, but this host does not remap interrupts, so VFIO does not assign it to "
            "virtual machines: enable interrupt remapping in the firmware setup, or allow it with "
            "vfio_iommu_type1.allow_unsafe_interrupts=1 if you trust the guests, and rescan",
            pci_addr_text(d->addr).s);
    else if (v->problems & (PROBLEM_BAR_UNASSIGNED | PROBLEM_BAR_CLAIMED))
        bar_sentence(v, d, buf);
    else if (v->problems & PROBLEM_NO_IOMMU)
        snprintf(buf, SENTENCE_MAX,
                 "%s is bound without an IOMMU (unsafe no-IOMMU mode): for DPDK only, not for "
                 "virtual machines",
                 pci_addr_text(d->addr).s);
}
