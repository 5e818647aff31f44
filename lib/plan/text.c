/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/text.h"

#include <errno.h>
#include <stdarg.h>

#include "base/util.h"
#include "model/kinds.h"
#include "plan/vfs-text.h"

static const char *class_noun(const struct device *d)
{
    static const struct {
        unsigned class, mask;
        const char *noun;
    } nouns[] = {
        {0x0100, 0xff00, "a storage device"},
        {0x0200, 0xff00, "a network device"},
        {0x0600, 0xff00, "a bridge"},
        {0x0805, 0xffff, "an SD host controller"},
        {0x0c00, 0xffff, "a FireWire controller"},
        {0x0c03, 0xffff, "a USB controller"},
        {0x0c04, 0xffff, "a Fibre Channel adapter"},
        {0x0c06, 0xffff, "an InfiniBand adapter"},
    };

    for (size_t i = 0; i < ELEMENTS(nouns); i++)
        if ((d->class_code >> 8 & nouns[i].mask) == nouns[i].class)
            return nouns[i].noun;
    return "a device of a kind that disks or networks may depend on";
}

static const char *kernel_write_name(enum action_kind kind)
{
    switch (kind) {
    case ACTION_OVERRIDE:
        return "driver_override";
    case ACTION_UNBIND:
        return "unbind";
    case ACTION_CLEAR:
        return "driver_override";
    case ACTION_PROBE:
        return "drivers_probe";
    case ACTION_HOLD:
        return "/dev/vfio";
    default:
        return "bind";
    }
}

const char *errno_advice(int error, enum action_kind kind)
{
    if (kind == ACTION_BIND && error == EINVAL)
        return "; vfio-pci refuses devices without an IOMMU group, and those a virtual function's "
               "user forbids: see dmesg";
    if (error == EBUSY)
        return "; another driver was faster: lspci -k shows which";
    if (kind == ACTION_HOLD && (error == EACCES || error == EPERM))
        return "; a service may open /dev/vfio only if vfio was loaded before it started: run "
               "\"systemctl restart vfio-bindd\"";
    if (error == EACCES || error == EPERM || error == EROFS)
        return "; vfio-bindd must run as root with write access to /sys (check the unit's "
               "drop-ins)";
    return "; dmesg may say why; to try again, run \"systemctl reload vfio-bindd\"";
}

static void no_iommu_sentence(const struct device *d, char *buf, size_t size)
{
    switch (d->iommu) {
    case OUTLOOK_NO_DRIVER:
        snprintf(buf, size,
                 "the firmware announces a virtual IOMMU, but this kernel has no driver for it "
                 "(CONFIG_VIRTIO_IOMMU): boot a kernel that has one, or give this machine another "
                 "kind of virtual IOMMU; until then the device is left to its native driver");
        break;
    case OUTLOOK_AWAITED:
        snprintf(buf, size,
                 "the firmware announces a virtual IOMMU, but it did not appear: run \"modprobe "
                 "virtio_iommu\" to see why, and look for a file in /etc/modprobe.d that forbids "
                 "it; the device is bound as soon as the IOMMU is active, and left to its native "
                 "driver until then");
        break;
    case OUTLOOK_AT_BIND:
        /* Seen on 7.2; 6.12 creates the group when the device is bound again. */
        snprintf(
            buf, size,
            "it has no IOMMU group, so no virtual machine could use it. Newer kernels create none "
            "for a device that had a driver before the virtual IOMMU appeared: reboot, or remove "
            "the device with \"echo 1 > /sys/bus/pci/devices/%s/remove\" and add it again with "
            "\"echo 1 > /sys/bus/pci/rescan\"; until then it is left to its native driver",
            pci_addr_text(d->addr).s);
        break;
    default:
        snprintf(buf, size,
                 "it has no IOMMU group, so no virtual machine could use it: enable VT-d or AMD-Vi "
                 "in the firmware and boot with intel_iommu=on (Intel) or amd_iommu=on (AMD); "
                 "until then it is left to its native driver");
    }
}

/* Without an override nothing keeps the native driver away, so no further step was taken. */
static void override_denied_sentence(int error, char *buf, size_t size)
{
    if (error == ENOENT || error == ENODEV)
        snprintf(
            buf, size,
            "the kernel has no driver_override for it (%s), and nothing else keeps native drivers "
            "away, so it is left to the host: check whether it still exists (lspci -Dnn)",
            strerror(error));
    else if (error == EROFS)
        snprintf(
            buf, size,
            "its driver_override could not be written (%s), so it is left to the host: /sys is "
            "mounted read-only; see the unit's ReadWritePaths= and its drop-ins, or remount it",
            strerror(error));
    else
        snprintf(
            buf, size,
            "the kernel refused the write to its driver_override (%s), so it is left to the host: "
            "see dmesg, kernel lockdown (/sys/kernel/security/lockdown), and whatever restricts "
            "root here (SELinux, AppArmor, the unit's drop-ins); some kernels allow it only with a "
            "parameter or for some drivers. Then run \"systemctl reload vfio-bindd\"",
            strerror(error));
}

static void failed_sentence(const struct verdict *v, const struct device *d, const struct record *r,
                            char *buf, size_t size)
{
    switch (v->reason) {
    case REASON_NO_IOMMU:
        no_iommu_sentence(d, buf, size);
        break;
    case REASON_DRIVER_MISSING:
        snprintf(buf, size, "the driver %s is not loaded: run \"modprobe %s\"%s", v->driver,
                 v->driver,
                 d->driver ? ", then \"systemctl reload vfio-bindd\""
                           : "; the device is reserved until then");
        break;
    case REASON_TAKEN_BACK:
        snprintf(
            buf, size,
            "it was handed back, but is on %s again: something else bound it (libvirt does for "
            "managed='yes', and hands it back when the domain ends), or vfio-pci knows the ID: "
            "then "
            "remove vfio-pci.ids= from the kernel command line and modprobe.d, and load the native "
            "driver",
            v->driver);
        break;
    case REASON_OVERRIDE_DENIED:
        override_denied_sentence(r ? r->error : EPERM, buf, size);
        break;
    case REASON_KERNEL_ERROR:
        snprintf(buf, size, "the kernel refused %s %s: %s%s",
                 r && r->failed_at == ACTION_HOLD ? "to open" : "the write to",
                 kernel_write_name(r ? r->failed_at : ACTION_BIND), strerror(r ? r->error : EIO),
                 errno_advice(r ? r->error : EIO, r ? r->failed_at : ACTION_BIND));
        break;
    default:
        snprintf(buf, size,
                 "the kernel accepted every write, but the device is not on %s: see dmesg",
                 v->driver);
    }
}

/* Names what could not be read of the device, the host, or another function of the card. */
static void unreadable_sentence(const struct verdict *v, const struct device *d,
                                const struct snapshot *s, char *buf, size_t size)
{
    const struct device *other = snapshot_find(s, v->other);
    const struct unknown *u = &d->unknown;
    char whose[32] = "its";

    if (u->fact == FACT_NONE && s->unknown.fact != FACT_NONE) {
        u = &s->unknown;
        strcpy(whose, "the");
    } else if (u->fact == FACT_NONE && other) {
        u = &other->unknown;
        snprintf(whose, sizeof(whose), "%s's", pci_addr_text(v->other).s);
    }
    snprintf(buf, size,
             "%s %s could not be read (%s), so it is left as it is; vfio-bindd keeps trying", whose,
             fact_words(u->fact), strerror(u->error));
}

/* Another function of the card must be named as well: shows the line that does so. */
static void not_named_sentence(const struct verdict *v, const struct device *d,
                               const struct device *other, char *buf, size_t size)
{
    const struct patterns *addresses = &v->rule->narrow[KEY_ADDRESS];
    struct pci_addr_text at = pci_addr_text(v->other);
    char line[160];

    if (other && rule_test(v->rule, other) == KEY_ADDRESS && addresses->n == 1 &&
        v->rule->narrow[KEY_SERIAL].n == 0)
        snprintf(line, sizeof(line), "write \"address = %04x:%02x:%02x.*\" in [device %s]",
                 d->addr.domain, d->addr.bus, d->addr.dev, v->rule->name);
    else
        snprintf(line, sizeof(line), "add a rule with \"id = %04x:%04x\" and \"address = %s\"",
                 other ? other->vendor : 0, other ? other->device : 0, at.s);
    snprintf(buf, size,
             "a virtual machine could only have it together with %s of the same card and IOMMU "
             "group, which no rule names and which this host may need: to take both, %s",
             at.s, line);
}

/* A device that is known to be in use stays with the host; no line to take it is suggested. */
static void use_unknown_sentence(const struct verdict *v, const struct device *d, char *buf,
                                 size_t size)
{
    const char *use = d->use ? d->use : d->evidence;

    if (use)
        snprintf(buf, size,
                 "it %s, so it stays with this host: to take the others that match [device %s], "
                 "name their addresses, slots or serial numbers there",
                 use, v->rule->name);
    else if (rule_names_device(v->rule, d))
        snprintf(buf, size,
                 "it is %s, which this host may need, and [device %s] names it by address alone, "
                 "which another device may have had before a card was added: to take it, add \"id "
                 "= %04x:%04x\"",
                 class_noun(d), v->rule->name, d->vendor, d->device);
    else
        snprintf(buf, size,
                 "it is %s, which this host may need, and [device %s] does not name its address, "
                 "slot or serial number: to take it, put a rule before that one with \"id = "
                 "%04x:%04x\" and \"address = %s\" (or slot, or force = yes)",
                 class_noun(d), v->rule->name, d->vendor, d->device, pci_addr_text(d->addr).s);
}

static void refused_sentence(const struct verdict *v, const struct snapshot *s,
                             const struct device *d, char *buf, size_t size)
{
    switch (v->reason) {
    case REASON_BRIDGE:
        snprintf(buf, size,
                 "it is a bridge, and the devices behind it would disappear: select those instead");
        break;
    case REASON_FUNCTION_NOT_NAMED:
        not_named_sentence(v, d, snapshot_find(s, v->other), buf, size);
        break;
    case REASON_UNREADABLE:
        unreadable_sentence(v, d, s, buf, size);
        break;
    case REASON_HOST_USE_UNKNOWN:
        use_unknown_sentence(v, d, buf, size);
        break;
    case REASON_DRIVER_FIXED:
        snprintf(buf, size,
                 "its driver %s cannot be unbound (it has no \"unbind\" file): keep that driver "
                 "from being loaded, and reboot",
                 d->driver ? d->driver : "");
        break;
    case REASON_NEEDED_AT_BOOT:
        snprintf(buf, size,
                 "it %s, so this host needs it: remove it from there first (force = yes in [device "
                 "%s] takes it anyway)",
                 d->evidence ? d->evidence : "is named for the boot", v->rule->name);
        break;
    case REASON_BOOT_DISPLAY:
        snprintf(buf, size,
                 "%s shows this host's console on it: add \"force = yes\" to [device %s] to take "
                 "it anyway",
                 d->driver ? d->driver : "its driver", v->rule->name);
        break;
    case REASON_HAS_VIRTUAL_FUNCTIONS:
        snprintf(buf, size,
                 "it has virtual functions, which would disappear together with its driver: select "
                 "those instead, or write 0 to its sriov_numvfs first");
        break;
    case REASON_GROUP_MEMBER_REFUSED:
        snprintf(buf, size,
                 "%s of the same IOMMU group cannot be taken, and the group is of no use without "
                 "it: see the message about that device",
                 pci_addr_text(v->other).s);
        break;
    default:
        snprintf(
            buf, size,
            "it was plugged in while the daemon was running, and [device %s] says hotplug = off",
            v->rule->name);
    }
}

static void released_sentence(const struct device *d, char *buf, size_t size)
{
    if (d->driver)
        snprintf(buf, size, "handed back to %s", d->driver);
    else
        snprintf(
            buf, size,
            "handed back; it has no driver yet, and gets its native driver when that is loaded");
}

static void pending_sentence(const struct verdict *v, const struct device *d,
                             const struct record *r, char *buf, size_t size)
{
    if (r && record_is_released(r))
        snprintf(buf, size, "to be handed back");
    else if (v->reason == REASON_IOMMU_AWAITED && !d->driver)
        snprintf(buf, size,
                 "reserved until the announced virtual IOMMU appears (driver virtio_iommu)");
    else if (v->reason == REASON_IOMMU_AWAITED)
        snprintf(
            buf, size,
            "to be rebound from %s once the announced virtual IOMMU appears (driver virtio_iommu)",
            d->driver);
    else if (!d->driver)
        snprintf(buf, size, "to be bound to %s", v->driver);
    else if (streq(d->driver, v->driver))
        snprintf(buf, size, "%s is taking it", v->driver);
    else
        snprintf(buf, size, "to be rebound from %s to %s", d->driver, v->driver);
}

static void busy_sentence(const struct verdict *v, const struct snapshot *s, const struct device *d,
                          const struct record *r, char *buf, size_t size)
{
    if (d->use)
        snprintf(buf, size,
                 "it %s: end this use, then run \"systemctl reload vfio-bindd\" (force = yes in "
                 "[device %s] takes it anyway)",
                 d->use, v->rule->name);
    else if (r && r->holder && record_is_unseen(r))
        snprintf(buf, size,
                 "%s, so it stays with its driver for now; this is tried again (force = yes in "
                 "[device %s] takes it anyway)",
                 r->holder, v->rule->name);
    else if (r && r->holder)
        snprintf(buf, size,
                 "%s: end that, then run \"systemctl reload vfio-bindd\" (force = yes in [device "
                 "%s] takes it anyway)",
                 r->holder, v->rule->name);
    else if (!device_can_be_kept(s, d))
        snprintf(buf, size,
                 "it is on %s, and without a node in /dev/vfio nothing shows whether a virtual "
                 "machine uses it: if none does, unbind it by hand",
                 d->driver ? d->driver : "no driver");
    else
        snprintf(buf, size,
                 "a virtual machine, or another program, has %s open: end that, then run "
                 "\"systemctl reload vfio-bindd\"",
                 d->node ? device_group_node(d).s : device_own_node(d).s);
}

static void state_sentence(const struct verdict *v, const struct snapshot *s,
                           const struct device *d, const struct record *r, char *buf, size_t size)
{
    switch (v->state) {
    case STATE_BOUND:
        if (r && r->previous_driver)
            snprintf(buf, size, "bound to %s, rebound from %s", v->driver, r->previous_driver);
        else
            snprintf(buf, size, "bound to %s", v->driver);
        break;
    case STATE_BUSY:
        busy_sentence(v, s, d, r, buf, size);
        break;
    case STATE_REFUSED:
        refused_sentence(v, s, d, buf, size);
        break;
    case STATE_FAILED:
        failed_sentence(v, d, r, buf, size);
        break;
    case STATE_CONTESTED:
        snprintf(buf, size,
                 "something else unbound it 3 times within a minute, so vfio-bindd no longer binds "
                 "it: find the cause (driverctl list-overrides, udev rules, libvirt with "
                 "managed='yes'), then run \"systemctl reload vfio-bindd\"");
        break;
    case STATE_RELEASED:
        released_sentence(d, buf, size);
        break;
    case STATE_STUCK:
        if (r && !record_is_in_hand(r))
            snprintf(buf, size,
                     "its IOMMU group is handed back as a whole, and a kernel call for another "
                     "device of the group has not returned: see the message about that device");
        else
            snprintf(buf, size,
                     "a kernel call for it has not returned: %s may still be in use; end its "
                     "users, and the call returns. Until then a reboot hangs, too (a hardware "
                     "reset or sysrq-b works), \"udevadm settle\" times out, and on kernels before "
                     "6.12 the journal may stop",
                     d->driver                 ? d->driver
                     : r && r->previous_driver ? r->previous_driver
                                               : "its driver");
        break;
    default:
        pending_sentence(v, d, r, buf, size);
    }
}

/* "0000:06:00.1 (10de:1aef, rule a100 with 0000:06:00.0)" */
static int device_words(const struct verdict *v, const struct device *d, char *buf)
{
    char along[40] = "";

    if (v->comes_along)
        snprintf(along, sizeof(along), " with %s", pci_addr_text(v->leader).s);
    return snprintf(buf, SENTENCE_MAX, "%s (%04x:%04x, rule %s%s)", pci_addr_text(d->addr).s,
                    d->vendor, d->device, v->rule->name, along);
}

void verdict_sentence(const struct verdict *v, const struct snapshot *s,
                      const struct records *records, char buf[static SENTENCE_MAX])
{
    const struct device *d = snapshot_find(s, v->addr);
    bool in_order = v->state == STATE_BOUND || v->state == STATE_PENDING;
    char what[SENTENCE_MAX - 160];

    if (!d) { /* unplugged since the plan was made */
        snprintf(buf, SENTENCE_MAX, "%s (rule %s) is gone", pci_addr_text(v->addr).s,
                 v->rule->name);
        return;
    }
    state_sentence(v, s, d, records_find(records, v->addr), what, sizeof(what));
    int n = device_words(v, d, buf);
    snprintf(buf + n, SENTENCE_MAX - (size_t)n, " %s%s%s", in_order ? "" : state_word(v->state),
             in_order ? "" : ": ", what);
}

void verdict_reference(const struct verdict *v, const struct device *d, struct pci_addr other,
                       char buf[static SENTENCE_MAX])
{
    int n = device_words(v, d, buf);

    snprintf(buf + n, SENTENCE_MAX - (size_t)n, " %s for the same reason as %s",
             state_word(v->state), pci_addr_text(other).s);
}

/* For devices that no rule selects. */
static void unselected_sentence(const struct action *a, char *buf)
{
    struct pci_addr_text address = pci_addr_text(a->addr);

    switch (a->kind) {
    case ACTION_RESTORE_AUTOPROBE:
        snprintf(
            buf, SENTENCE_MAX,
            "%s: native drivers may bind its virtual functions again (sriov_drivers_autoprobe)",
            address.s);
        break;
    case ACTION_SET_PLACEHOLDER:
    case ACTION_CLEAR_PLACEHOLDER:
        snprintf(buf, SENTENCE_MAX,
                 "%s is not selected: it is protected from %s while dynamic IDs are added",
                 address.s, DYNID_DRIVER);
        break;
    default:
        snprintf(buf, SENTENCE_MAX, "%s is not selected: it goes back to its native driver",
                 address.s);
    }
}

void action_sentence(const struct action *a, const struct plan *p, const struct snapshot *s,
                     const struct records *r, char buf[static SENTENCE_MAX])
{
    const struct verdict *v = action_is_dynid(a->kind) ? NULL : plan_find(p, a->addr);
    const struct vfs_verdict *pf = a->kind == ACTION_SET_VFS ? plan_find_vfs(p, a->addr) : NULL;

    if (action_is_dynid(a->kind))
        snprintf(buf, SENTENCE_MAX, "%s is to %s what is plugged in as %s", DYNID_DRIVER,
                 a->kind == ACTION_NEW_ID ? "take" : "leave alone", dynid_words(a->dynid).s);
    else if (pf)
        vfs_sentence(pf, s, r, buf);
    else if (v)
        verdict_sentence(v, s, r, buf);
    else
        unselected_sentence(a, buf);
}

static void write_problems(const struct verdict *v, FILE *f)
{
    const char *separator = " problems=";

    for (unsigned bit = 1; bit < PROBLEM_MAX; bit <<= 1)
        if (v->problems & bit) {
            fprintf(f, "%s%s", separator, problem_word((enum problem)bit));
            separator = ",";
        }
}

static void write_verdict(const struct verdict *v, const struct device *d, FILE *f)
{
    fprintf(f, "  %s", pci_addr_text(v->addr).s);
    if (d)
        fprintf(f, " %04x:%04x", d->vendor, d->device);
    fprintf(f, " rule=%s state=%s", v->rule->name, state_word(v->state));
    if (v->comes_along)
        fprintf(f, " with=%s", pci_addr_text(v->leader).s);
    if (v->reason != REASON_NONE)
        fprintf(f, " reason=%s", reason_word(v->reason));
    if (d && d->group != NO_GROUP)
        fprintf(f, " group=%u", d->group);
    if (d)
        fprintf(f, " driver=%s", d->driver ? d->driver : "(none)");
    fputs(v->usable ? " usable" : "", f);
    write_problems(v, f);
}

void plan_write(const struct plan *plan, const struct snapshot *s, const struct records *r, FILE *f)
{
    char sentence[SENTENCE_MAX];

    fprintf(f, "actions: %zu\n", plan->n_actions);
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct action *a = &plan->actions[i];
        if (action_is_dynid(a->kind))
            fprintf(f, "  %s %s %s\n", a->driver, action_word(a->kind), dynid_words(a->dynid).s);
        else if (a->kind == ACTION_SET_VFS)
            fprintf(f, "  %s %s %u%s (after everything else)\n", pci_addr_text(a->addr).s,
                    action_word(a->kind), a->vfs, a->sets_autoprobe ? " and autoprobe" : "");
        else
            fprintf(f, "  %s %s%s%s%s\n", pci_addr_text(a->addr).s, action_word(a->kind),
                    *a->driver ? " " : "", a->driver,
                    a->phase >= PHASE_REBIND ? " (after everything else)" : "");
    }
    fprintf(f, "devices: %zu\n", plan->n_verdicts);
    for (size_t i = 0; i < plan->n_verdicts; i++) {
        const struct verdict *v = &plan->verdicts[i];
        write_verdict(v, snapshot_find(s, v->addr), f);
        verdict_sentence(v, s, r, sentence);
        fprintf(f, "\n    %s\n", sentence);
        problem_sentence(v, s, sentence);
        if (*sentence)
            fprintf(f, "    %s\n", sentence);
    }
    if (plan->n_vfs > 0)
        fprintf(f, "physical functions: %zu\n", plan->n_vfs);
    for (size_t i = 0; i < plan->n_vfs; i++) {
        vfs_write(&plan->vfs[i], f);
        vfs_sentence(&plan->vfs[i], s, r, sentence);
        fprintf(f, "\n    %s\n", sentence);
    }
}
