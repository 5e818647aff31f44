/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.vfio.Bindd1 on the system bus. The bus may vanish and return: we connect when it is there and
 * never wait for it. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/daemon-link.h"

struct bus;

/* Returns 0 or negative errno (out of memory only). The copy and the link must outlive it. Of the
 * copy, only the log level is changed. */
int bus_new(sd_event *event, struct copy *copy, struct daemon_link *link, struct bus **ret);
void bus_free(struct bus *b);

/* Signals what has changed in the copy. */
void bus_update(struct bus *b);

/* Passes the daemon's answer to this request on to the caller. */
void bus_answer(struct bus *b, uint64_t id, enum refusal_kind kind, const char *sentence);
