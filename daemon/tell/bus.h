/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system bus: org.vfio.Bindd1. The bus comes long after us and may go and come again: we
 * connect when it is there and never wait for it. */
#pragma once

#include <systemd/sd-bus.h>

#include "tell/bus-manager.h"

struct bus;

/* Returns 0 or negative errno (out of memory only). view must outlive it. */
int bus_new(sd_event *event, const struct view *view, const struct bus_requests *requests,
            struct bus **ret);
void bus_free(struct bus *b);

/* Something may have changed: signals what has, and answers waiting callers. */
void bus_update(struct bus *b);
