/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon of a run: started, restarted after a kill that belongs to the run, and waited for. */
#pragma once

#include "checks.h"

#define LOOK_USEC 1000
#define PATIENCE_USEC (60 * 1000000ULL) /* then a run has failed; machines are slow at times */
#define DEADLINE_MSEC 150               /* boot-deadline */

struct asked_for {
    enum request_kind kind;
    const char *address;
    unsigned number;
};

struct run {
    struct fault fault;
    const struct reference *reference; /* NULL: this run makes the reference */
    struct outcome *outcome;
    pid_t daemon;
    uint64_t start_usec, ready_usec; /* of the daemon that runs; 0: not ready yet */
    int notify_fd;
    bool restarted;
    bool fresh[CARDS_MAX];   /* plugged in, and the daemon has not come to rest since then */
    bool unsaved[CARDS_MAX]; /* ... and was killed before it was in /run */
    struct asked_for requests[REQUESTS_MAX];
    size_t n_requests;
    const struct step *later[REQUESTS_MAX]; /* steps that could not happen while a call hung */
    size_t n_later;
    struct display display;
};

/* Notes what is wrong, unless something was noted before. Returns false. */
bool failed(struct run *r, const char *format, ...) PRINTF(2, 3);

/* The socket on which READY comes; -1 with errno. */
int open_notify(void);
void take_notifications(struct run *r);

bool start_daemon(struct run *r);

/* If the daemon has died, and that belongs to the run, starts it again. False: the run has
 * failed. */
bool look_after_daemon(struct run *r);

/* Waits until the daemon has done all that it can do. False: the run has failed. */
bool wait_until_quiet(struct run *r, const char *when);

/* Was READY sent by the boot-deadline? */
bool check_ready(struct run *r, const char *when);
