/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to vfio-bindd-helper: systemd listens on one socket for each kind of question, and
 * starts a helper for each connection. */
#pragma once

#include "channel/helper-message.h"

/* The unit of the socket, for messages. */
const char *helper_socket_unit(enum helper_kind kind);

/* Connects. `flags` are those of socket(): with SOCK_NONBLOCK it never waits (-EAGAIN: too many
 * connections are waiting). Returns a descriptor or negative errno. */
int helper_connect(int root_fd, enum helper_kind kind, int flags);

/* Sends the request. Returns 0 or negative errno. If the helper has already exited, that shows only
 * when the answer is received. */
int helper_send(int fd, const struct helper_request *q);

/* Receives the answer, which must have arrived. Returns 0, -ECONNRESET (the helper exited without
 * an answer), -EBADMSG (it is not a valid answer) or another negative errno. */
int helper_receive(int fd, const struct helper_request *q, struct helper_reply *ret);

/* Connects, sends and receives, with a deadline. Returns their results, or -ETIMEDOUT. */
int helper_ask(int root_fd, const struct helper_request *q, uint64_t timeout_usec,
               struct helper_reply *ret);

/* A description of such an error, as the end of a sentence. */
const char *helper_error_text(int error);
