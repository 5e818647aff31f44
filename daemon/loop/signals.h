/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signals that systemd and administrators send. */
#pragma once

#include <systemd/sd-event.h>

/* Makes the event loop. Blocks the signals, and calls `stop` for SIGTERM and SIGINT, `reload` for
 * SIGHUP. Returns 0 or negative errno. */
int signals_loop_new(sd_event **ret, sd_event_signal_handler_t stop,
                     sd_event_signal_handler_t reload, void *userdata);
