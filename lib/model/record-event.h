/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to a device, and what that changes of what is remembered of it. The one memory:
 * whoever learns something of a device makes an event of it, and record_apply() alone says what
 * that changes. Pure: no clock, no logging. */
#pragma once

#include "model/record.h"

enum record_event_kind {
    RECORD_EVENT_APPEARED,    /* plugged in while we ran, or while nobody did: device, unused */
    RECORD_EVENT_CAME_LATE,   /* plugged in during an earlier run, after the boot: unused */
    RECORD_EVENT_DISAPPEARED, /* known to be gone, or another is at its address */
    RECORD_EVENT_LOOKED,      /* the snapshot shows it anew: device, has_dynid */
    RECORD_EVENT_BOUND,       /* the kernel says that a driver has it: device, has_dynid */
    RECORD_EVENT_UNBOUND,     /* or has let it go: device */
    RECORD_EVENT_JUDGED,      /* a plan has a verdict for it: device, has_dynid, verdict */
    RECORD_EVENT_UNNAMED,     /* a plan has none, no rule names it, or would if it came back:
                               * device, has_dynid */
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
    bool unused;    /* nothing can have used it before */
    bool has_dynid; /* an entry of ours in vfio-pci's table fits it */
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
        uint64_t order;     /* ACTION_SET_PLACEHOLDER: the newest driver then; ACTION_NATIVE: not 0
                             * if a native driver was asked */
    } op;
};

/* Changes the record as the event demands. Every change of a record is made here. */
void record_apply(struct record *r, const struct record_event *e);

/* How long a device is left alone that lost its driver, or is still being added: some ms pass in
 * the kernel between the news that a driver let go of a device and that of its end, and between the
 * news of a device and its drivers' turn. */
#define RECORD_MOMENT_USEC (100 * 1000)
