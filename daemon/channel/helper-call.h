/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to vfio-bindd-helper: systemd listens on a socket for each kind of question, and starts a
 * helper for each connection. */
#pragma once

#include "channel/helper-message.h"

/* The unit of the socket, for messages to people. */
const char *helper_socket_unit(enum helper_kind kind);

/* Connects. `flags` are those of socket(): with SOCK_NONBLOCK it never waits (-EAGAIN: too many
 * wait already). Returns a descriptor or negative errno. */
int helper_connect(int root_fd, enum helper_kind kind, int flags);

/* Sends the request. Returns 0 or negative errno. That the helper has ended already shows when its
 * answer is received. */
int helper_send(int fd, const struct helper_request *q);

/* Receives the answer, which must be there. Returns 0, -ECONNRESET (the helper ended without one),
 * -EBADMSG (it is none) or another negative errno. */
int helper_receive(int fd, const struct helper_request *q, struct helper_reply *ret);

/* All of it, with a deadline. Returns what these do, or -ETIMEDOUT. */
int helper_ask(int root_fd, const struct helper_request *q, uint64_t timeout_usec,
               struct helper_reply *ret);

/* What such an error means, as the end of a sentence. */
const char *helper_error_text(int error);
