/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every request for a change is in the journal, with the caller: over the bus or by a signal,
 * root's as well, carried out or not. */
#pragma once

#include <sys/signalfd.h>

#include "channel/request.h"

/* It is allowed, and about to be carried out. */
void request_allowed(const struct request *r);

/* The same of a signal. */
void request_by_signal(enum verb verb, const struct signalfd_siginfo *si);

/* It could not be done: `why` is the sentence that the caller gets. */
void request_failed(const struct request *r, const char *why);

/* The caller may not. Anybody can cause this: only so many are told. */
void request_denied(const struct request *r);
