/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks vfio-bindd-helper from the event loop. Never blocks; each call is one attempt. */
#pragma once

#include <systemd/sd-event.h>

#include "channel/helper-message.h"

struct helper_question;

/* Called once from the loop, before the object is freed. If r is 0, there is an answer. Otherwise r
 * is a negative errno (possibly -ETIMEDOUT), `reply` is NULL, and `text` describes the error:
 * "vfio-bindd-x.socket: no answer in time". */
typedef void ask_helper_done(void *userdata, const struct helper_request *q,
                             const struct helper_reply *reply, int r, const char *text);

/* Sends a copy of the request. Returns 0 and the object in *ret, which can be cancelled until the
 * callback; or negative errno, and then the callback is never called. */
int ask_helper(sd_event *event, int root_fd, const struct helper_request *q, uint64_t timeout_usec,
               ask_helper_done *done, void *userdata, struct helper_question **ret);

/* Cancels the question: the callback will not be called. NULL is allowed. */
void ask_helper_cancel(struct helper_question *h);
