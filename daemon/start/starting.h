/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's end of the socket between it and its supervisor (start/supervisor.h), until it is
 * ready. A daemon without a supervisor has NULL, and everything here takes that. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum starting_kind {
    STARTING_PID,      /* the first message: the value is who it is */
    STARTING_WAITS,    /* for the lock: 1, 0 when it has it */
    STARTING_DEADLINE, /* boot-deadline of the policy */
    STARTING_READY,    /* asks to be the service's main process; the answer is a byte */
    STARTING_ENDED,    /* it exits: 0 or negative errno */
};

/* Between processes of one fork: never on a disk or another host. */
struct starting_message {
    enum starting_kind kind;
    int64_t value;
};

struct starting {
    int fd;
    uint64_t first_usec; /* when the first of all starts began */
};

void starting_tell(const struct starting *s, enum starting_kind kind, int64_t value);

/* Makes sure that no other vfio-bindd works below this root. With a supervisor, waits for one that
 * has not quite ended yet. Returns a descriptor, -EBUSY (and the journal says so), or another
 * negative errno. */
int starting_lock(const struct starting *s, int root_fd);

/* When the boot began to wait: now, without a supervisor. */
uint64_t starting_since(const struct starting *s, uint64_t now);

/* From here on systemd takes this process for the service's main process, and the supervisor ends.
 * Returns 0, or -EPIPE: the supervisor is gone, and somebody else starts the daemon. */
int starting_hand_over(struct starting *s);
