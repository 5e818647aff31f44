/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's end of the socket to its supervisor (start/supervisor.h), which is used until the
 * daemon is ready. A daemon without a supervisor passes NULL to all functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum starting_kind {
    STARTING_PID,      /* the first message: the value is its PID */
    STARTING_WAITS,    /* 1: it waits for the lock; 0: it has the lock */
    STARTING_DEADLINE, /* boot-deadline of the policy */
    STARTING_READY,    /* asks to become the service's main process; the answer is one byte */
    STARTING_ENDED,    /* it exits: 0 or negative errno */
};

/* Sent only between processes of one fork, never stored or sent to another host. */
struct starting_message {
    enum starting_kind kind;
    int64_t value;
};

struct starting {
    int fd;
    uint64_t first_usec; /* time at which the first of all starts began */
};

void starting_tell(const struct starting *s, enum starting_kind kind, int64_t value);

/* Ensures that no other vfio-bindd works below this root. With a supervisor, waits for one that is
 * still exiting. Returns a descriptor, -EBUSY (which is logged), or another negative errno. */
int starting_lock(const struct starting *s, int root_fd);

/* The time since which the boot has been waiting; without a supervisor it is now. */
uint64_t starting_since(const struct starting *s, uint64_t now);

/* Makes this process the service's main process for systemd; the supervisor exits. Returns 0, or
 * -EPIPE: the supervisor is gone, and somebody else starts the daemon. */
int starting_hand_over(struct starting *s);
