/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs every request for a change with its caller, whether it came over the bus or as a signal,
 * from root or not, and was carried out or not. */
#pragma once

#include <sys/signalfd.h>

#include "channel/request.h"

/* The request is permitted and about to be carried out. */
void request_allowed(const struct request *r);

/* The same for a signal. */
void request_by_signal(enum verb verb, const struct signalfd_siginfo *si);

/* The request failed: `why` is the sentence for the caller. */
void request_failed(const struct request *r, const char *why);

/* The request was denied. Anybody can cause this, so only a limited number is logged. */
void request_denied(const struct request *r);
