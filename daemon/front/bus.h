/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system bus: org.vfio.Bindd1. The bus may go and come again: we connect when it is there and
 * never wait for it. */
#pragma once

#include <systemd/sd-bus.h>

#include "front/daemon-link.h"

struct bus;

/* Returns 0 or negative errno (out of memory only). The copy, of which the log level is changed,
 * and the link must outlive it. */
int bus_new(sd_event *event, struct copy *copy, struct daemon_link *link, struct bus **ret);
void bus_free(struct bus *b);

/* The copy may have changed: signals what has. */
void bus_update(struct bus *b);

/* The daemon has answered this request. */
void bus_answer(struct bus *b, uint64_t id, enum refusal_kind kind, const char *sentence);
