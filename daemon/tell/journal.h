/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one sink of log lines: the journal, with structured fields; or standard error where that is
 * not the journal; or /dev/kmsg where there is neither.
 *
 * Never blocks. sd_journal_send() waits for a stopped journald, so the journal's documented
 * datagram protocol is spoken here without waiting: what does not fit into the socket is kept, up
 * to a bound, and sent when journald reads again. */
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
 * kernel keeps what is said for the journal. */
void journal_open(bool early);

/* Lets what could not be sent at once be sent by the loop later. Call it once there is a loop. */
int journal_attach(sd_event *event);

/* Sends what is still waiting, as far as it goes without blocking, and closes. */
void journal_close(void);

/* Lines less important than this syslog level are left out. */
void journal_set_level(int level);
int journal_level(void);

/* EVENT_*: host events. */
void journal_event(enum event_id id, const char *format, ...) PRINTF(2, 3);

/* EVENT_DEVICE_*; v is NULL for a device that no rule names, r if nothing is known about it. */
void journal_device(enum event_id id, const struct device *d, const struct verdict *v,
                    const struct record *r, const char *message);

/* EVENT_REQUEST and EVENT_REQUEST_REFUSED, whatever the level is: a front that lies could set it.
 */
void journal_request(enum event_id id, const struct request *r, const char *message);

/* Sets the level, since the front says so, and tells of that at any level. */
void journal_level_told(int level);

/* EVENT_POLICY_ERROR, for an error or a warning. */
void journal_policy_error(const struct diag *d);

/* Lines about the daemon itself, which need no catalog entry. */
void journal_plain(int priority, const char *format, ...) PRINTF(2, 3);
