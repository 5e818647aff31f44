/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/vfs-text.h"

#include <errno.h>

#include "base/util.h"

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

/* The meaning of errors from sriov_numvfs. */
static const char *numvfs_advice(int error)
{
    switch (error) {
    case ENOENT:
        return "; its driver does not support virtual functions: see its documentation and dmesg";
    case ENOSPC:
    case ENOMEM:
        return "; the firmware reserved no resources for them: enable SR-IOV in the firmware "
               "setup, or boot with \"pci=realloc\", and see dmesg";
    case ERANGE:
    case EINVAL:
        return "; its driver allows fewer, or needs other settings first: see dmesg";
    default:
        return "; dmesg may say why; to try again, run \"systemctl reload vfio-bindd\"";
    }
}

static void failed_vfs_sentence(const struct vfs_verdict *v, const struct device *d,
                                const struct record *r, char *buf, size_t size)
{
    switch (v->reason) {
    case REASON_NO_SRIOV:
        snprintf(buf, size,
                 "it does not support SR-IOV (sriov_totalvfs in /sys is missing or 0): enable "
                 "SR-IOV in the firmware setup or in the card's own configuration, or remove "
                 "\"vfs\" from [device %s]",
                 v->rule->name);
        break;
    case REASON_TOO_MANY_VFS:
        snprintf(buf, size,
                 "it supports at most %u virtual function%s (sriov_totalvfs): write \"vfs = %u\" "
                 "or less in [device %s]",
                 d->vfs_max, plural(d->vfs_max), d->vfs_max, v->rule->name);
        break;
    case REASON_VFS_SHORT:
        snprintf(buf, size,
                 "the kernel created %u virtual function%s of %u: see dmesg; to try again, run "
                 "\"systemctl reload vfio-bindd\"",
                 v->there, plural(v->there), v->wanted);
        break;
    case REASON_VFS_VANISHED:
        snprintf(buf, size,
                 "its %u virtual function%s disappeared while its driver stayed: something wrote "
                 "to its sriov_numvfs, or its driver removed them (see dmesg); to create them "
                 "again, run \"systemctl reload vfio-bindd\"",
                 v->wanted, plural(v->wanted));
        break;
    default:
        snprintf(buf, size, "the kernel refused the write to sriov_numvfs: %s%s",
                 strerror(r ? r->vfs.error : EIO), numvfs_advice(r ? r->vfs.error : EIO));
    }
}

static void ambiguous_sentence(const struct vfs_verdict *v, char *buf, size_t size)
{
    const struct rule *first = v->other;

    if (rule_makes_vfs(first))
        snprintf(buf, size,
                 "[device %s] has vfs = %d and [device %s] has vfs = %d: remove one, or put "
                 "[device %s] first",
                 first->name, first->vfs, v->rule->name, v->rule->vfs, v->rule->name);
    else
        snprintf(buf, size,
                 "[device %s] has vfs = %d, but [device %s] comes first and %s%s: a device with "
                 "virtual functions stays on its native driver (vfio-pci's enable_sriov is not "
                 "used); remove one rule, or put [device %s] before the other",
                 v->rule->name, v->rule->vfs, first->name,
                 rule_is_native(first) ? "leaves it alone" : "binds it to ",
                 rule_is_native(first) ? "" : rule_target(first), v->rule->name);
}

static void refused_vfs_sentence(const struct vfs_verdict *v, const struct device *d,
                                 const struct record *r, char *buf, size_t size)
{
    switch (v->reason) {
    case REASON_VFS_AMBIGUOUS:
        ambiguous_sentence(v, buf, size);
        break;
    case REASON_VFS_NOT_OURS:
        snprintf(buf, size,
                 "it already has %u virtual function%s, which vfio-bindd did not create and leaves "
                 "alone: find out what creates them (\"vfio-bindctl check\" may know), stop that, "
                 "write 0 to its sriov_numvfs, then run \"systemctl reload vfio-bindd\"",
                 v->there, plural(v->there));
        break;
    case REASON_IN_USE:
        if (pci_addr_cmp(v->user, (struct pci_addr){0}) != 0)
            snprintf(buf, size,
                     "its virtual function %s is in use by the host: end this use, then run "
                     "\"systemctl reload vfio-bindd\"",
                     pci_addr_text(v->user).s);
        else
            snprintf(buf, size, "%s: end this use, then run \"systemctl reload vfio-bindd\"",
                     r && r->holder ? r->holder : "one of them is in use, or its driver is busy");
        break;
    default:
        snprintf(buf, size,
                 "its %s could not be read (%s), so it is left as it is; vfio-bindd keeps trying",
                 fact_words(d->unknown.fact), strerror(d->unknown.error));
    }
}

static void pending_vfs_sentence(const struct vfs_verdict *v, const struct device *d, char *buf,
                                 size_t size)
{
    if (v->reason == REASON_NATIVE_AWAITED && !d->driver)
        snprintf(buf, size,
                 "its native driver, which creates them, is not loaded yet; they are created once "
                 "the driver has bound the device");
    else if (v->reason == REASON_NATIVE_AWAITED)
        snprintf(buf, size,
                 "it is on %s, and only its native driver can create virtual functions: hand it "
                 "back (vfio-bindctl release, or driverctl unset-override)",
                 d->driver);
    else if (v->there > 0 && v->wanted == 0)
        snprintf(buf, size, "to be removed, of %u", v->there);
    else if (v->there > 0)
        snprintf(buf, size, "to be changed from %u", v->there);
    else
        snprintf(buf, size, "to be created");
}

void vfs_sentence(const struct vfs_verdict *v, const struct snapshot *s,
                  const struct records *records, char buf[static SENTENCE_MAX])
{
    const struct device *d = snapshot_find(s, v->addr);
    const struct record *r = records_find(records, v->addr);
    char why[SENTENCE_MAX - 200];

    if (!d) {
        snprintf(buf, SENTENCE_MAX, "%s is gone", pci_addr_text(v->addr).s);
        return;
    }
    switch (v->state) {
    case STATE_BOUND:
        snprintf(why, sizeof(why), "present%s",
                 v->ours || v->there == 0 ? "" : ", created by others");
        break;
    case STATE_RELEASED:
        snprintf(why, sizeof(why), "released: vfio-bindd creates no virtual functions");
        break;
    case STATE_STUCK:
        snprintf(why, sizeof(why),
                 "a kernel call for them has not returned: %s is slow or hangs; vfio-bindd "
                 "continues when the driver returns, and until then a reboot may hang, too",
                 d->driver ? d->driver : "its driver");
        break;
    case STATE_FAILED:
        failed_vfs_sentence(v, d, r, why, sizeof(why));
        break;
    case STATE_PENDING:
        pending_vfs_sentence(v, d, why, sizeof(why));
        break;
    default:
        refused_vfs_sentence(v, d, r, why, sizeof(why));
    }
    snprintf(buf, SENTENCE_MAX, "%s (%04x:%04x%s%s), %u virtual function%s: %s%s%s",
             pci_addr_text(d->addr).s, d->vendor, d->device, v->rule ? ", rule " : ", no rule",
             v->rule ? v->rule->name : "", v->wanted, plural(v->wanted),
             v->state == STATE_BOUND || v->state == STATE_PENDING || v->state == STATE_RELEASED
                 ? ""
                 : state_word(v->state),
             v->state == STATE_BOUND || v->state == STATE_PENDING || v->state == STATE_RELEASED
                 ? ""
                 : ": ",
             why);
}

void vfs_write(const struct vfs_verdict *v, FILE *f)
{
    fprintf(f, "  %s rule=%s state=%s", pci_addr_text(v->addr).s,
            v->rule ? v->rule->name : "(none)", state_word(v->state));
    if (v->reason != REASON_NONE)
        fprintf(f, " reason=%s", reason_word(v->reason));
    fprintf(f, " wanted=%u there=%u%s", v->wanted, v->there, v->ours ? " ours" : "");
}
