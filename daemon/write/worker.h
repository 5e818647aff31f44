/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worker processes: only they write to /sys (perform.h). Such a write can block for ever and cannot
 * be killed (an in-use driver's remove()); then one worker is left behind, and everything else goes
 * on.
 *
 * A worker is forked without exec. Operations and results lie in memory that both share, so that
 * results cost no system call and the daemon sees at which operation a worker hangs. It dies with
 * the daemon (parent-death signal), unless it hangs in the kernel or has begun to unbind. Then it
 * ends the job first, since no device may stay without a driver because we were stopped. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "write/perform.h"

struct worker;

/* Forks a worker with room for `capacity` operations a job. Returns 0 or negative errno. */
int worker_new(int root_fd, size_t capacity, struct worker **ret);

/* Forgets the worker, which ends by itself after its job. NULL is allowed. */
void worker_free(struct worker *w);

/* The worker stops after the operation that it is doing now; its descriptor becomes readable then.
 * Returns true and that operation, or false if the job is over already. */
bool worker_cancel(struct worker *w, struct op *ret);

size_t worker_capacity(const struct worker *w);
pid_t worker_pid(const struct worker *w);

/* Becomes readable when the job is done or the worker has ended. */
int worker_fd(const struct worker *w);

/* Room for the n operations of the next job, each to be filled in with the result OP_NOT_DONE. The
 * worker must be idle. NULL: more than its capacity. */
struct op *worker_room(struct worker *w, size_t n);

/* Copies a text for the job's operations into the shared memory; equal texts are stored once. The
 * worker is forked without exec, so it finds the text at the same address. A text that is longer
 * than a driver's name can be is cut off. */
const char *worker_text(struct worker *w, const char *text);

/* Starts the job. Returns 0 or negative errno (the worker is gone). */
int worker_submit(struct worker *w);

/* To be called when the descriptor is readable. Returns 1 if the job is done, 0 if nothing has
 * happened, -EPIPE if the worker has ended. */
int worker_check(struct worker *w);

/* The job's operations with their results so far. */
const struct op *worker_ops(const struct worker *w, size_t *ret_n);

/* Who has the device, in words, where the i-th operation said so (struct perform_state); else "".
 */
const char *worker_found(const struct worker *w, size_t i);

/* The operation that is being done and since when (CLOCK_MONOTONIC); NULL between operations. */
const struct op *worker_current(const struct worker *w, uint64_t *ret_since_usec);
