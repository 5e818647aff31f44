/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks vfio-bindd-helper from the event loop, for what the daemon may not do itself. Never blocks;
 * one attempt a call. */
#pragma once

#include <systemd/sd-event.h>

#include "channel/helper-message.h"

struct helper_question;

/* Called once from the loop, before the object is freed. r is 0 with an answer; otherwise negative
 * errno, -ETIMEDOUT among them, `reply` is NULL, and `text` says what happened:
 * "vfio-bindd-x.socket: no answer in time". */
typedef void ask_helper_done(void *userdata, const struct helper_request *q,
                             const struct helper_reply *reply, int r, const char *text);

/* Sends the request, which is copied. Returns 0 with the object in *ret, good for
 * ask_helper_cancel() until the callback; or negative errno, and then the callback is never
 * called. */
int ask_helper(sd_event *event, int root_fd, const struct helper_request *q, uint64_t timeout_usec,
               ask_helper_done *done, void *userdata, struct helper_question **ret);

/* Gives up: the callback will not be called. NULL is fine. */
void ask_helper_cancel(struct helper_question *h);
