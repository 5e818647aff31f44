/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worker processes: only they write to /sys (perform.h). Such a write can block for ever and cannot
 * be killed (the remove() of a driver in use). Then one worker is left behind, and everything else
 * goes on.
 *
 * A worker is forked without exec. Operations and results are in shared memory, so results need no
 * system call, and the daemon sees at which operation a worker hangs. A worker dies with the daemon
 * (parent-death signal), unless it hangs in the kernel or has begun to unbind. In that case it
 * finishes the job first, since no device may be left without a driver because the daemon was
 * stopped. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "write/perform.h"

struct worker;

/* Forks a worker with room for `capacity` operations a job. Returns 0 or negative errno. */
int worker_new(int root_fd, size_t capacity, struct worker **ret);

/* Drops the worker, which exits by itself after its job. NULL is allowed. */
void worker_free(struct worker *w);

/* The worker stops after its current operation; its descriptor becomes readable then. Returns true
 * and that operation, or false if the job is already done. */
bool worker_cancel(struct worker *w, struct op *ret);

size_t worker_capacity(const struct worker *w);
pid_t worker_pid(const struct worker *w);

/* Becomes readable when the job is done or the worker has exited. */
int worker_fd(const struct worker *w);

/* Room for the n operations of the next job; set the result of each to OP_NOT_DONE. The worker must
 * be idle. Returns NULL if n is more than its capacity. */
struct op *worker_room(struct worker *w, size_t n);

/* Copies a text for the job's operations into the shared memory; equal texts are stored once. The
 * worker is forked without exec, so it finds the text at the same address. A text that is too long
 * for the name of a driver is cut. */
const char *worker_text(struct worker *w, const char *text);

/* Starts the job. Returns 0 or negative errno (the worker is gone). */
int worker_submit(struct worker *w);

/* Call this when the descriptor is readable. Returns 1 if the job is done, 0 if nothing has
 * happened, -EPIPE if the worker has exited. */
int worker_check(struct worker *w);

/* The job's operations with their results so far. */
const struct op *worker_ops(const struct worker *w, size_t *ret_n);

/* The user of the device, if the i-th operation has found one (struct perform_state); otherwise
 * "". */
const char *worker_found(const struct worker *w, size_t i);

/* The current operation and when it began (CLOCK_MONOTONIC); NULL between operations. */
const struct op *worker_current(const struct worker *w, uint64_t *ret_since_usec);
