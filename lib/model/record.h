/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of a device beyond what /sys shows now: what was done to it, what was there
 * before, what somebody asked for. The one memory: whoever learns something of a device makes an
 * event of it, and record_apply() alone says what that changes. Pure: no clock, no logging;
 * daemon/held.h keeps the lasting part in /run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/fence.h"
#include "model/snapshot.h"
#include "model/state.h"

/* How it stands between the device and the policy. One of these at a time: a device cannot be
 * released and fought for, say. */
enum record_state {
    RECORD_OPEN,           /* nothing stands in the way of what the policy wants */
    RECORD_FAILED,         /* the kernel said no, or somebody has it: .error, .failed_at */
    RECORD_UNVERIFIED,     /* every write succeeded, the driver link does not show it (yet) */
    RECORD_CONTESTED,      /* too many foreign unbinds: we stopped fighting */
    RECORD_HANDING_BACK,   /* no rule names it, and its native driver is to be asked yet */
    RECORD_HANDED_BACK,    /* likewise, and that was done */
    RECORD_RELEASING,      /* an administrator wants it handed back, until reload or bind */
    RECORD_RELEASE_FAILED, /* likewise, and the kernel said no: .error, .failed_at */
    RECORD_RELEASED,       /* likewise, and that was carried out to its end */
    RECORD_GONE,           /* it is not there; what is remembered concerns its coming back */
};

/* Whether a worker has it. What a worker does to a device that was unplugged meanwhile says nothing
 * of the one that is there now; but no other worker may get that until it is back. */
enum record_work {
    WORK_NONE,
    WORK_RUNNING,
    WORK_STUCK, /* past its deadline */
    WORK_RUNNING_FOR_ANOTHER,
    WORK_STUCK_FOR_ANOTHER,
};

/* How it came. */
enum record_arrival {
    ARRIVAL_THERE,           /* before us, as far as is known */
    ARRIVAL_PLUGGED_AT_BOOT, /* while we ran, but the host was still coming up */
    ARRIVAL_PLUGGED,         /* and after the host had come up: nothing can have used it before */
};

/* Whose its driver_override is. */
enum record_override {
    OVERRIDE_NOT_OURS, /* if it has one, somebody else wrote it */
    OVERRIDE_MAYBE,    /* we wrote it or were about to; somebody may have changed it since */
    OVERRIDE_OURS,     /* we wrote .override_text, and nothing has happened since */
};

/* Whose its binding is, and whether its driver's probe() is known to be over: a bind of ours
 * returned, a bind event came, or it was bound when we looked for the first time. */
enum record_binding {
    BINDING_UNKNOWN,
    BINDING_FOUND,   /* probe() is over; not known to be by us */
    BINDING_CLAIMED, /* by us, in an earlier run; whether probe() is over is not known */
    BINDING_OURS,    /* by us, and probe() is over */
};

/* Which device was refused, since the host may need it. The same in the same place stays refused
 * when it comes back. */
struct record_refusal {
    bool is_set;
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class_code;
};

struct record {
    struct pci_addr addr;
    enum record_state state;
    enum record_work work;
    enum record_arrival arrival;
    enum record_override override;
    enum record_binding binding;
    struct record_refusal refused;
    char *override_text;   /* of OVERRIDE_MAYBE and OVERRIDE_OURS, where known */
    char *previous_driver; /* the native driver it was taken from, or NULL */
    char *holder;          /* who was found to have it open, in words, or NULL */
    bool parked;           /* its override may be the parking one */
    uint64_t parked_order; /* the newest driver when it was parked (snapshot.h); 0: not known yet */
    bool fresh;            /* nobody has had it since it was plugged in, but perhaps the fence */
    bool touched;          /* a native driver was seen on it */
    bool unnamed;          /* no rule names it: the failures of taking it count no more */
    int error;             /* errno, of RECORD_FAILED and RECORD_RELEASE_FAILED; else 0 */
    enum action_kind failed_at;
    unsigned attempts;  /* that came to nothing in a row, by nobody's fault */
    unsigned flaps;     /* foreign unbinds in a row, each less than a minute after the first */
    uint64_t flap_usec; /* when the first of them came */
    uint64_t not_before_usec; /* nothing is to be done until then; 0: at once */
    uint64_t seen_usec;       /* CLOCK_MONOTONIC, when it was first seen */
    uint64_t bound_usec;      /* how long from then until it was verified; 0: not yet */
    struct {
        bool any;
        enum device_state state;
        enum reason reason;
    } told; /* what the journal was told last */
};

/* -- what happens -- */

enum record_event_kind {
    RECORD_EVENT_APPEARED,    /* plugged in while we ran, or while nobody did: device, cold_boot */
    RECORD_EVENT_CAME_LATE,   /* plugged in by an earlier run's time, after the host had come up */
    RECORD_EVENT_DISAPPEARED, /* known to be gone, or another is in its place */
    RECORD_EVENT_LOOKED,      /* the snapshot shows it anew: device, fenced */
    RECORD_EVENT_BOUND,       /* the kernel says that a driver has it: device, fenced */
    RECORD_EVENT_UNBOUND,     /* or has let it go: device */
    RECORD_EVENT_JUDGED,      /* a plan has a verdict for it: device, fenced, verdict */
    RECORD_EVENT_UNNAMED,     /* a plan has none, no rule names it, or would if it came back:
                               * device, fenced */
    RECORD_EVENT_BEGINS,      /* a worker is about to do this: op */
    RECORD_EVENT_CLAIMED,     /* it is a worker's business now */
    RECORD_EVENT_DONE,        /* the operation was done: op */
    RECORD_EVENT_GROUP_KEPT,  /* its group could not be had, nothing was done: op */
    RECORD_EVENT_DIED,        /* the worker died before it did this: op */
    RECORD_EVENT_HANGS,       /* past its deadline, or since an earlier run */
    RECORD_EVENT_RETURNED,    /* the worker has no business with it any more */
    RECORD_EVENT_BIND,        /* somebody wants it taken */
    RECORD_EVENT_RELEASE,     /* or handed back */
    RECORD_EVENT_RELOAD,      /* a new policy */
    RECORD_EVENT_RESCAN,      /* what failed is to be tried anew */
    RECORD_EVENT_TIME,        /* only time has passed */
    RECORD_EVENT_TOLD,        /* the journal was told: verdict */
    RECORD_EVENT_MAX,
};

struct record_event {
    enum record_event_kind kind;
    uint64_t now_usec;
    const struct device *device;
    bool cold_boot;
    bool fenced; /* an entry of ours in vfio-pci's table fits it */
    struct {
        enum device_state state;
        enum reason reason;
        const char *driver; /* the target */
    } verdict;
    struct {
        enum action_kind kind;
        int result;         /* 0 or negative errno */
        const char *driver; /* as in struct action; "" for none */
        const char *found;  /* who has the device, in words, or "" */
        uint64_t order;     /* ACTION_PARK: the newest driver then */
    } op;
};

/* Changes the record as the event demands. Every change of a record is made here. */
void record_apply(struct record *r, const struct record_event *e);

/* How long a device is left alone that lost its driver, or is still being added: some ms pass in
 * the kernel between the news that a driver let go of a device and that of its end, and between the
 * news of a device and its drivers' turn. */
#define RECORD_MOMENT_USEC (100 * 1000)

/* -- what that means -- */

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
    return r->state == RECORD_HANDED_BACK || r->state == RECORD_RELEASED;
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

/* Has it come back after it was refused, since the host may need it? */
static inline bool record_stays_refused(const struct record *r)
{
    return r->refused.is_set && record_is_plugged(r);
}

/* Can nothing have used it before? */
static inline bool record_is_unused(const struct record *r)
{
    return r->arrival == ARRIVAL_PLUGGED && !record_stays_refused(r);
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

/* Is anything at it ours, which goes when no rule names it? */
static inline bool record_is_owned(const struct record *r)
{
    return record_may_be_overridden(r) || r->binding == BINDING_CLAIMED ||
           r->binding == BINDING_OURS;
}

/* What a refused device was, as far as a modalias tells. */
struct device record_refused_device(const struct record *r);

/* -- all of them -- */

struct records {
    struct record *v; /* sorted by address */
    size_t n, allocated;
    uint64_t newest; /* the highest order (snapshot.h) of any device known so far; 0: none yet */
    uint64_t newest_at_boot; /* the same when the host had come up: what is higher came later. 0: it
                              * has not, as far as is known */
    struct fence fence;      /* what is in vfio-pci's table by us */
    bool iommu_given_up; /* the IOMMU that the firmware announces did not come, and nobody waits for
                          * it any more. Cleared by reload and rescan. */
};

void records_done(struct records *r);

/* NULL: nothing is known. Valid until one is added or dropped. */
struct record *records_find(const struct records *r, struct pci_addr a);

/* Finds or adds; NULL when out of memory. */
struct record *records_get(struct records *r, struct pci_addr a);

/* Applies an event to the record of a device, where there is one; of one that is gone only what
 * concerns its coming back is kept. */
void records_apply(struct records *r, struct pci_addr a, const struct record_event *e);

/* The same for every record: RECORD_EVENT_RELOAD, _RESCAN, _TIME; and what these mean for the
 * fence. */
void records_apply_all(struct records *r, const struct record_event *e);

/* The earliest time at which something is to be done again; 0: nothing waits. */
uint64_t records_next_usec(const struct records *r);
