/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events about a device, and their effect on its record. Code that learns something about a device
 * makes an event of it, and only record_apply() decides what the event changes. Pure: no clock, no
 * logging. */
#pragma once

#include "model/record-operation.h"

/* Each comment ends with the fields of struct record_event that the event needs, besides
 * .now_usec. */
enum record_event_kind {
    RECORD_EVENT_APPEARED,  /* plugged in while this daemon, or none, was running: device, unused */
    RECORD_EVENT_CAME_LATE, /* plugged in after the boot, during an earlier run: unused */
    RECORD_EVENT_DISAPPEARED, /* known to be gone, or another device is at its address */
    RECORD_EVENT_LOOKED,      /* it was read again into the snapshot: device, has_dynid */
    RECORD_EVENT_BOUND,       /* the kernel reports that a driver was bound: device, has_dynid */
    RECORD_EVENT_UNBOUND,     /* the kernel reports that its driver was unbound: device */
    RECORD_EVENT_CLOSED,      /* its user has closed it, or it had an error: device */
    RECORD_EVENT_JUDGED,      /* a plan has a verdict for it: device, has_dynid, verdict */
    RECORD_EVENT_UNNAMED,     /* no rule selects it, or would if it came back: device, has_dynid */
    RECORD_EVENT_BEGINS,      /* a worker is about to do an operation: op */
    RECORD_EVENT_CLAIMED,     /* a worker has it from now on */
    RECORD_EVENT_DONE,        /* an operation has a result: op */
    RECORD_EVENT_GROUP_KEPT,  /* its group could not be held, so nothing was done: op */
    RECORD_EVENT_DIED,        /* the worker died before it did an operation: op */
    RECORD_EVENT_HANGS,       /* its worker is past the deadline, or hangs since an earlier run */
    RECORD_EVENT_RETURNED,    /* no worker has it any more */
    RECORD_EVENT_BIND,        /* a caller asks to bind it */
    RECORD_EVENT_RELEASE,     /* a caller asks to release it */
    RECORD_EVENT_RELEASE_VFS, /* a caller asks to remove its virtual functions */
    RECORD_EVENT_KEPT_BACK,   /* a virtual function without a driver since autoprobe is off; no rule
                                 selects it */
    RECORD_EVENT_RELOAD,      /* a new policy */
    RECORD_EVENT_RESCAN,      /* failed operations are to be tried again */
    RECORD_EVENT_TIME,        /* only time has passed */
    RECORD_EVENT_DRIVERS,     /* the list of drivers was read: drivers */
    RECORD_EVENT_TOLD,        /* the verdict was logged: verdict */
    RECORD_EVENT_MAX,
};

struct record_event {
    enum record_event_kind kind;
    uint64_t now_usec;
    const struct device *device;
    bool unused;    /* it is certain that nothing has used it yet */
    bool has_dynid; /* one of our entries in vfio-pci's table matches it */
    struct {
        enum device_state state;
        enum reason reason;
        const char *driver; /* the target */
        bool unusable;      /* bound, but not usable, and it is known why */
    } verdict;
    struct record_operation op;
    struct {
        uint64_t newest;  /* the highest order of a driver whose registration is over */
        bool registering; /* another one may still take devices */
    } drivers;
};

/* Applies the event to the record. All changes of records are made here. */
void record_apply(struct record *r, const struct record_event *e);
