/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered about a device beyond what /sys shows now: what was done to it, its earlier
 * state, and requests about it. Only record_apply() (record-event.h) changes it. Pure. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/record-vfs.h"
#include "model/snapshot.h"
#include "model/state.h"

/* The state of a device with regard to the policy. The states exclude each other: a device cannot
 * be both released and contested, for example. */
enum __attribute__((packed)) record_state {
    RECORD_OPEN,         /* nothing prevents what the policy wants */
    RECORD_FAILED,       /* the kernel refused, or somebody uses it: .error, .failed_at */
    RECORD_UNVERIFIED,   /* every write succeeded, but the driver link does not show it (yet) */
    RECORD_CONTESTED,    /* somebody else unbound it too often, so we stopped binding it */
    RECORD_HANDING_BACK, /* no rule names it, or its rule refuses it; it is being handed back */
    RECORD_HANDED_BACK_UNSEEN, /* offered to its native driver; not read again since */
    RECORD_HANDED_BACK,        /* offered to its native driver, and read again since */
    RECORD_RELEASING,          /* an administrator wants it handed back, until reload or bind */
    RECORD_RELEASE_FAILED,     /* to be released, but the kernel refused: .error, .failed_at */
    RECORD_RELEASED,           /* released and completely handed back */
    RECORD_GONE,               /* unplugged; the record is kept for its return, or for a worker */
};

/* Whether a worker has the device. FOR_ANOTHER: the worker is still working on a device that was
 * unplugged meanwhile. Its results say nothing about the device that is at this address now, but no
 * other worker may get that device until this one has returned. */
enum __attribute__((packed)) record_work {
    WORK_NONE,
    WORK_RUNNING,
    WORK_STUCK, /* past its deadline */
    WORK_RUNNING_FOR_ANOTHER,
    WORK_STUCK_FOR_ANOTHER,
};

/* When the device appeared. */
enum __attribute__((packed)) record_arrival {
    ARRIVAL_THERE,   /* it was there before the daemon, as far as is known */
    ARRIVAL_PLUGGED, /* plugged in later; the host may use it by now */
    ARRIVAL_UNUSED,  /* plugged in after the boot, and never left to a native driver */
};

/* Who wrote its driver_override. */
enum __attribute__((packed)) record_override {
    OVERRIDE_NOT_OURS, /* nobody, or somebody else */
    OVERRIDE_MAYBE,    /* we wrote it or were about to; somebody may have changed it since */
    OVERRIDE_OURS,     /* we wrote .override_text, and nothing has changed it since */
};

/* Who bound it, and whether its driver's probe() is known to have ended. That is known if our bind
 * has returned, if a bind event has come, or if the device was bound when it was first read. */
enum __attribute__((packed)) record_binding {
    BINDING_UNKNOWN,
    BINDING_FOUND,   /* probe() has ended; not bound by us, as far as is known */
    BINDING_CLAIMED, /* bound by us, in an earlier run or by a dynamic ID; probe() may still be
                        running */
    BINDING_OURS,    /* bound by us, and probe() has ended */
};

/* Whether the device still answers. */
enum __attribute__((packed)) record_health {
    HEALTH_UNTESTED, /* no reason to doubt it */
    HEALTH_SUSPECT,  /* it was closed, or the kernel could not recover it, and it was not tested
                        since */
    HEALTH_DEAD,     /* it does not answer, or answers as another device */
};

/* Must it be offered to native drivers again, because one may have skipped it (record-offer.h)? */
enum __attribute__((packed)) record_offer {
    OFFER_NONE,
    OFFER_OWED, /* perhaps: a driver may be in the middle of its registration */
    OFFER_DUE,  /* yes, now: no driver is being registered any more */
};

/* What matters when a device comes back to this address, and the IDs by which it is recognised. */
struct record_past {
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class_code;
    bool refused;    /* refused because the host may need it. It stays refused while its driver is
                      * away, for example because its module is reloaded */
    bool had_driver; /* it had a native driver when it was refused, or later */
    bool released;   /* an administrator released it */
};

/* How long a device is left alone after it has lost its driver, or while it is still being added.
 * Some milliseconds pass in the kernel between the event that a driver let a device go and the
 * event that the device is gone, and between the event of a new device and the moment when drivers
 * may match it. */
#define RECORD_MOMENT_USEC (100 * 1000)

/* There may be thousands of records, one for each device that was ever selected. Small fields are
 * grouped, to avoid padding. */
struct record {
    struct pci_addr addr;
    enum record_state state;
    enum record_work work;
    enum record_arrival arrival;
    enum record_override override;
    enum record_binding binding;
    enum record_health health;
    enum action_kind failed_at; /* the failed operation, if the state is a failure */
    enum record_offer offer;    /* whether it must be offered to drivers again */
    bool placeholder;           /* its override may be the placeholder */
    bool override_new; /* the override that is being written is our first one for this device */
    bool fresh;        /* since it was plugged in, no driver has had it except by a dynamic ID */
    bool touched;      /* a native driver was seen on it */
    bool unnamed;      /* no rule names it: failures to bind it no longer matter */
    struct {
        bool any;
        enum device_state state;
        enum reason reason;
        bool unusable; /* although it is bound, for a reason that was given */
    } told;            /* what was logged last */
    uint8_t attempts;  /* failures in a row that were nobody's fault: lost races, dead workers */
    uint8_t unseen;    /* failures in a row to see who uses it, or which drivers fit */
    uint8_t flaps; /* number of unbinds by somebody else, each less than a minute after the first */
    struct record_past past;
    struct record_vfs vfs;    /* state of its virtual functions, if it is a physical function */
    char *override_text;      /* what we wrote, if known; for OVERRIDE_MAYBE and OVERRIDE_OURS */
    char *previous_driver;    /* the native driver it was taken from, or NULL */
    char *reset_method;       /* the reset-method of its rule that was written; NULL: none yet */
    int reset_error;          /* errno of that write */
    char *holder;             /* a description of the process that has it open, or NULL */
    uint64_t offered_to;      /* drivers up to this order (snapshot.h) have been offered the device;
                                 valid with .placeholder or .offer; 0: perhaps none */
    int error;                /* errno of the failure; 0 if the state is not a failure */
    int hold_error;           /* errno of opening its group, which prevented its release; or 0 */
    uint64_t flap_usec;       /* when the first of .flaps happened */
    uint64_t not_before_usec; /* the device is left alone until then; 0: no need to wait */
    uint64_t seen_usec;       /* CLOCK_MONOTONIC, when it was first seen */
    uint64_t bound_usec;      /* how long from .seen_usec until it was verified; 0: not yet */
};

static inline bool record_is_in_hand(const struct record *r)
{
    return r->work != WORK_NONE;
}

static inline bool record_is_stuck(const struct record *r)
{
    return r->work == WORK_STUCK || r->work == WORK_STUCK_FOR_ANOTHER;
}

static inline bool record_is_replaced(const struct record *r)
{
    return r->work == WORK_RUNNING_FOR_ANOTHER || r->work == WORK_STUCK_FOR_ANOTHER;
}

/* Does an administrator want it handed back? */
static inline bool record_is_released(const struct record *r)
{
    return r->state == RECORD_RELEASING || r->state == RECORD_RELEASE_FAILED ||
           r->state == RECORD_RELEASED;
}

static inline bool record_is_handed_back(const struct record *r)
{
    return r->state == RECORD_HANDED_BACK_UNSEEN || r->state == RECORD_HANDED_BACK ||
           r->state == RECORD_RELEASED;
}

/* Is it being handed back without a release, because no rule names it or its rule refuses it? */
static inline bool record_is_going_back(const struct record *r)
{
    return r->state == RECORD_HANDING_BACK;
}

static inline bool record_is_contested(const struct record *r)
{
    return r->state == RECORD_CONTESTED;
}

static inline bool record_is_unverified(const struct record *r)
{
    return r->state == RECORD_UNVERIFIED;
}

/* Is it known that its driver's probe() has ended? */
static inline bool record_is_confirmed(const struct record *r)
{
    return r->binding == BINDING_FOUND || r->binding == BINDING_OURS;
}

static inline bool record_is_plugged(const struct record *r)
{
    return r->arrival != ARRIVAL_THERE;
}

/* Does it stay refused even without a driver? It does if it has come back since it was refused, or
 * if a native driver had it when it was refused. */
static inline bool record_stays_refused(const struct record *r)
{
    return r->past.refused && (record_is_plugged(r) || r->past.had_driver);
}

/* Is it certain that nothing has used it yet? */
static inline bool record_is_unused(const struct record *r)
{
    return r->arrival == ARRIVAL_UNUSED && !record_stays_refused(r);
}

/* Does it stay with its driver only because nobody could see who uses it? That is tried again. */
static inline bool record_is_unseen(const struct record *r)
{
    return (r->state == RECORD_FAILED || r->state == RECORD_RELEASE_FAILED) &&
           r->failed_at == ACTION_CHECK && r->error == EAGAIN;
}

/* Must it be left alone for a moment? */
static inline bool record_is_waiting(const struct record *r)
{
    return r->not_before_usec != 0;
}

static inline bool record_is_overridden(const struct record *r)
{
    return r->override == OVERRIDE_OURS;
}

static inline bool record_may_be_overridden(const struct record *r)
{
    return r->override != OVERRIDE_NOT_OURS;
}

/* Is it known that its override is this driver, and that we wrote it? */
bool record_has_override(const struct record *r, const char *driver);

/* Did we write this driver to its override, as far as is known? Somebody may have changed it
 * since. */
bool record_is_overridden_to(const struct record *r, const char *driver);

/* Did we bind it to this driver, which is not one of VFIO's, for this rule or an earlier one? Its
 * override may name another driver by now. BINDING_CLAIMED does not count: a device that an earlier
 * run bound may have gone back since. */
bool record_has_bound_to(const struct record *r, const char *driver);

static inline bool record_is_bound_by_us(const struct record *r)
{
    return r->binding == BINDING_CLAIMED || r->binding == BINDING_OURS;
}

/* Is its override or binding ours, so that the device must be handed back when no rule names it? */
static inline bool record_is_owned(const struct record *r)
{
    return record_may_be_overridden(r) || record_is_bound_by_us(r);
}

/* Is anything remembered in case it comes back? */
static inline bool record_has_past(const struct record *r)
{
    return r->past.refused || r->past.released;
}

/* The device as it was, with only the fields of the modalias. */
struct device record_past_device(const struct record *r);

void record_done(struct record *r);
