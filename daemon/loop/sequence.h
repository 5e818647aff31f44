/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main sequence: policy + snapshot -> plan -> apply -> rescan -> plan again -> report. Start,
 * hot-plug, reload and lost events all take it; the manager knows when. */
#pragma once

#include <systemd/sd-event.h>

#include "loop/early.h"
#include "loop/helpers.h"
#include "loop/look-again.h"
#include "loop/timer.h"
#include "start/starting.h"
#include "tell/feature-files.h"
#include "tell/front-link.h"
#include "view.h"
#include "write/apply.h"

/* What the sequence works on and with. The manager makes and frees these parts. */
struct sequence {
    struct view view;
    sd_event *event;
    struct starting *starting; /* NULL: nobody supervises the start */
    struct apply *apply;
    struct look_again look_again;
    /* NULL in a single pass: */
    struct front_link *front; /* or it could not listen */
    struct helpers *helpers;
    struct feature_files *feature_files;
    struct timer *bars;             /* when BARs are to be read again, after a hot-plug */
    struct timer *moment;           /* when a device that is left alone may be touched again */
    sd_event_source *boot_deadline; /* or it is ready */
    struct early *early;            /* NULL: not in an initramfs */
    uint64_t start_usec;
    bool is_daemon;   /* false: a single pass */
    bool summary_due; /* a pass over all devices is in progress: log a summary when it is done */
    bool stopping;
    bool withdraw_due; /* while it stops: entries are still to be removed from vfio-pci's table */
    bool unsaved;      /* what must outlive the daemon is not in /run yet: a device appeared, or was
                             requested */
};

/* Makes a plan from what is known now, starts what can be started, and reports when no work is in
 * progress. Returns 0 or negative errno, after which it is tried again. */
int sequence_step(struct sequence *s);

/* Reads everything again first; logs a summary if somebody waits for one. */
int sequence_look_anew(struct sequence *s, bool summary);

/* From when on the boot does not wait any longer for the first pass. */
int sequence_set_deadline(struct sequence *s);

/* Ends the loop once workers have finished what they have begun, and not much later. */
int sequence_stop(struct sequence *s);

/* While it stops: a worker has ended. */
void sequence_stop_if_idle(struct sequence *s);

/* Ends the loop at once: workers that are unbinding continue without the daemon. */
void sequence_stop_late(void *sequence);

/* Tells systemd the status, after these lines. */
void sequence_tell_status(const struct sequence *s, const char *before);
