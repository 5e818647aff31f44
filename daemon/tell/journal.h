/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only sink of log lines: the journal, with structured fields; standard error if that is not
 * the journal; or /dev/kmsg if there is neither.
 *
 * It never blocks. sd_journal_send() waits for a stopped journald, so this speaks the journal's
 * documented datagram protocol itself: lines that do not fit into the socket are kept, up to a
 * limit, and sent when journald reads again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/diag.h"
#include "channel/request.h"
#include "plan/plan.h"

enum event_id {
#define EVENT(name, id, priority, fields, when) EVENT_##name,
#include "model/events.def"
#undef EVENT
};

/* Chooses the sink. `early`: in an initramfs, where standard error is the screen, and only the
 * kernel's log reaches the journal. */
void journal_open(bool early);

/* Has the event loop send the lines that could not be sent at once. Call it once there is a
 * loop. */
int journal_attach(sd_event *event);

/* Sends the waiting lines as far as possible without blocking, and closes the sink. */
void journal_close(void);

/* Lines below this syslog level are not logged. */
void journal_set_level(int level);
int journal_level(void);

/* EVENT_*: host events. */
void journal_event(enum event_id id, const char *format, ...) PRINTF(2, 3);

/* EVENT_DEVICE_*; v is NULL for a device that no rule selects, r for one without a record. */
void journal_device(enum event_id id, const struct device *d, const struct verdict *v,
                    const struct record *r, const char *message);

/* EVENT_REQUEST and EVENT_REQUEST_REFUSED, at any level, since a front that lies could set the
 * level. */
void journal_request(enum event_id id, const struct request *r, const char *message);

/* Sets the level at the front's request, and logs that at any level. */
void journal_level_told(int level);

/* EVENT_POLICY_ERROR, for an error or a warning. */
void journal_policy_error(const struct diag *d);

/* Lines about the daemon itself, without a catalog entry. */
void journal_plain(int priority, const char *format, ...) PRINTF(2, 3);
