/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front's end of the link to the daemon (the other end: tell/front-link.h). */
#pragma once

#include <systemd/sd-event.h>

#include "channel/refusal.h"
#include "channel/request.h"
#include "front/copy.h"

struct daemon_link_handler {
    /* The copy has changed and is complete. */
    void (*changed)(void *userdata);
    /* The daemon has answered a request. */
    void (*reply)(void *userdata, uint64_t id, enum refusal_kind kind, const char *sentence);
    /* The daemon is gone or broke the protocol: the copy is out of date. */
    void (*lost)(void *userdata, int error);
    void *userdata;
};

struct daemon_link;

/* Connects. Returns 0 or negative errno. */
int daemon_link_new(sd_event *event, int root_fd, struct copy *copy,
                    const struct daemon_link_handler *handler, struct daemon_link **ret);
void daemon_link_free(struct daemon_link *l);

/* Send a request, whose answer will have this id, or a log level. Return 0 or negative errno;
 * -EAGAIN: the daemon is not reading. */
int daemon_link_request(struct daemon_link *l, uint64_t id, const struct request *r);
int daemon_link_log_level(struct daemon_link *l, int level);
