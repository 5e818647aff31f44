/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of a device beyond what /sys shows now: what was done to it, what was there
 * before, what somebody asked for. Only record-event.h changes it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/snapshot.h"
#include "model/state.h"

/* How it stands between the device and the policy. One of these at a time: a device cannot be
 * released and fought for, say. */
enum __attribute__((packed)) record_state {
    RECORD_OPEN,               /* nothing stands in the way of what the policy wants */
    RECORD_FAILED,             /* the kernel said no, or somebody has it: .error, .failed_at */
    RECORD_UNVERIFIED,         /* every write succeeded, the driver link does not show it (yet) */
    RECORD_CONTESTED,          /* too many foreign unbinds: we stopped fighting */
    RECORD_HANDING_BACK,       /* no rule names it, and its native driver is to be asked yet */
    RECORD_HANDED_BACK_UNSEEN, /* likewise, and that was done; who has it now was not looked at yet
                                */
    RECORD_HANDED_BACK,        /* likewise, and looked at */
    RECORD_RELEASING,          /* an administrator wants it handed back, until reload or bind */
    RECORD_RELEASE_FAILED,     /* likewise, and the kernel said no: .error, .failed_at */
    RECORD_RELEASED,           /* likewise, and that was carried out to its end */
    RECORD_GONE,               /* it is not there; what is remembered concerns its coming back */
};

/* Whether a worker has it. What a worker does to a device that was unplugged meanwhile says nothing
 * of the one that is there now; but no other worker may get that until it is back. */
enum __attribute__((packed)) record_work {
    WORK_NONE,
    WORK_RUNNING,
    WORK_STUCK, /* past its deadline */
    WORK_RUNNING_FOR_ANOTHER,
    WORK_STUCK_FOR_ANOTHER,
};

/* How it came. */
enum __attribute__((packed)) record_arrival {
    ARRIVAL_THERE,   /* before us, as far as is known */
    ARRIVAL_PLUGGED, /* later; the host may have come to use it since */
    ARRIVAL_UNUSED,  /* likewise, but after the boot, and it was not left to a native driver */
};

/* Whose its driver_override is. */
enum __attribute__((packed)) record_override {
    OVERRIDE_NOT_OURS, /* if it has one, somebody else wrote it */
    OVERRIDE_MAYBE,    /* we wrote it or were about to; somebody may have changed it since */
    OVERRIDE_OURS,     /* we wrote .override_text, and nothing has happened since */
};

/* Whose its binding is, and whether its driver's probe() is known to be over: a bind of ours
 * returned, a bind event came, or it was bound when we looked for the first time. */
enum __attribute__((packed)) record_binding {
    BINDING_UNKNOWN,
    BINDING_FOUND,   /* probe() is over; not known to be by us */
    BINDING_CLAIMED, /* by us, in an earlier run; whether probe() is over is not known */
    BINDING_OURS,    /* by us, and probe() is over */
};

/* What counts when the same device comes back to its address, and what it was. */
struct record_past {
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class_code;
    bool refused;    /* since the host may need it: so it stays, also when it loses its driver,
                      * which may be reloaded just now */
    bool had_driver; /* a native one, when it was refused or later */
    bool released;   /* by an administrator */
};

/* There may be thousands, one for each device that was ever selected: so small fields stand
 * together, without holes. */
struct record {
    struct pci_addr addr;
    enum record_state state;
    enum record_work work;
    enum record_arrival arrival;
    enum record_override override;
    enum record_binding binding;
    enum action_kind failed_at; /* of RECORD_FAILED and RECORD_RELEASE_FAILED, with .error */
    bool placeholder;           /* its override may be the placeholder */
    bool fresh;   /* nobody has had it since it was plugged in, unless by a dynamic ID */
    bool touched; /* a native driver was seen on it */
    bool unnamed; /* no rule names it: the failures of taking it count no more */
    struct {
        bool any;
        enum device_state state;
        enum reason reason;
    } told;           /* what the journal was told last */
    uint8_t attempts; /* that came to nothing in a row, by nobody's fault */
    uint8_t flaps;    /* foreign unbinds in a row, each less than a minute after the first */
    struct record_past past;
    char *override_text;        /* of OVERRIDE_MAYBE and OVERRIDE_OURS, where known */
    char *previous_driver;      /* the native driver it was taken from, or NULL */
    char *holder;               /* who was found to have it open, in words, or NULL */
    uint64_t placeholder_order; /* the newest driver then (snapshot.h); 0: not known yet */
    int error;                  /* errno, of the states above; else 0 */
    int hold_error;             /* of opening its group, for which it was not released; else 0 */
    uint64_t flap_usec;         /* when the first of .flaps came */
    uint64_t not_before_usec;   /* nothing is to be done until then; 0: at once */
    uint64_t seen_usec;         /* CLOCK_MONOTONIC, when it was first seen */
    uint64_t bound_usec;        /* how long from then until it was verified; 0: not yet */
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

/* Has handing it back begun, for no rule names it, and not come to its end? */
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

/* Is its driver's probe() known to be over? */
static inline bool record_is_confirmed(const struct record *r)
{
    return r->binding == BINDING_FOUND || r->binding == BINDING_OURS;
}

static inline bool record_is_plugged(const struct record *r)
{
    return r->arrival != ARRIVAL_THERE;
}

/* Does it stay refused without a driver? It came back after it was refused, or had one then. */
static inline bool record_stays_refused(const struct record *r)
{
    return r->past.refused && (record_is_plugged(r) || r->past.had_driver);
}

/* Can nothing have used it before? */
static inline bool record_is_unused(const struct record *r)
{
    return r->arrival == ARRIVAL_UNUSED && !record_stays_refused(r);
}

/* Is it to be left alone for a moment? */
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

/* Is this very driver known to be its override, by us? */
bool record_has_override(const struct record *r, const char *driver);

/* Is this driver its override by us, as far as is known? */
bool record_is_overridden_to(const struct record *r, const char *driver);

/* Have we bound it to this driver, which is not VFIO's, for this rule or an earlier one? Its
 * override may name another one by now. What an earlier run says to have bound may have gone back.
 */
bool record_has_bound_to(const struct record *r, const char *driver);

static inline bool record_is_bound_by_us(const struct record *r)
{
    return r->binding == BINDING_CLAIMED || r->binding == BINDING_OURS;
}

/* Is anything at it ours, which goes when no rule names it? */
static inline bool record_is_owned(const struct record *r)
{
    return record_may_be_overridden(r) || record_is_bound_by_us(r);
}

/* Is anything remembered for its coming back? */
static inline bool record_has_past(const struct record *r)
{
    return r->past.refused || r->past.released;
}

/* What it was, as far as a modalias tells. */
struct device record_past_device(const struct record *r);

void record_done(struct record *r);
