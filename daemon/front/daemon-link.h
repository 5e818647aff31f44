/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The link to the daemon: tell/front-link.h has its other end. */
#pragma once

#include <systemd/sd-event.h>

#include "channel/refusal.h"
#include "channel/request.h"
#include "front/copy.h"

struct daemon_link_handler {
    /* The copy is whole again, after changes. */
    void (*changed)(void *userdata);
    /* The answer to a request. */
    void (*reply)(void *userdata, uint64_t id, enum refusal_kind kind, const char *sentence);
    /* The daemon has gone, or does not speak as it should: nothing is known any more. */
    void (*lost)(void *userdata, int error);
    void *userdata;
};

struct daemon_link;

/* Connects. Returns 0 or negative errno. */
int daemon_link_new(sd_event *event, int root_fd, struct copy *copy,
                    const struct daemon_link_handler *handler, struct daemon_link **ret);
void daemon_link_free(struct daemon_link *l);

/* Pass on a request, whose answer has this id, or a log level. Return 0 or negative errno; -EAGAIN:
 * the daemon does not read. */
int daemon_link_request(struct daemon_link *l, uint64_t id, const struct request *r);
int daemon_link_log_level(struct daemon_link *l, int level);
