/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-calls.h"

#include <errno.h>

#include "base/util.h"
#include "front/bus-auth.h"
#include "front/bus-text.h"
#include "offer/bus-names.h"

/* A denied request goes to the daemon for the journal only. The daemon reads a limited number of
 * messages a second, so few denials are passed on: permitted requests must not wait behind them. */
static int tell_denied(struct bus_calls *c, const struct request *request)
{
    struct request told = *request;

    c->n_denied += c->n_denied < UINT32_MAX;
    if (!request_denial_fits(&c->denials))
        return 0;
    told.denied = c->n_denied;
    int r = daemon_link_request(c->link, 0, &told);
    if (r >= 0)
        c->n_denied = 0;
    return r;
}

static bool has_room(const struct bus_calls *c, uint32_t uid)
{
    size_t users = 0;

    for (size_t i = 0; i < c->n_pending; i++)
        users += c->pending[i].uid != 0;
    return c->n_pending < PENDING_MAX && (uid == 0 || users < PENDING_USER_MAX);
}

static int pass_on(sd_bus_message *call, const struct request *request, void *userdata,
                   sd_bus_error *error)
{
    struct bus_calls *c = userdata;

    if (request->denied)
        return tell_denied(c, request);
    const uint32_t uid = request->caller.uid;
    int r = has_room(c, uid) ? daemon_link_request(c->link, c->last_id + 1, request) : -EAGAIN;
    if (r == -EAGAIN)
        return bus_error(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                         "too many calls are waiting for their devices: try again later");
    if (r < 0)
        return r;
    c->pending[c->n_pending++] = (struct pending_call){++c->last_id, uid, sd_bus_message_ref(call)};
    return 1;
}

void bus_calls_answer(struct bus_calls *c, uint64_t id, enum refusal_kind kind,
                      const char *sentence)
{
    static const char *const names[REFUSAL_KINDS] = {
        [REFUSAL_FAILED] = SD_BUS_ERROR_FAILED,
        [REFUSAL_REFUSED] = BUS_ERROR_REFUSED,
        [REFUSAL_BUSY] = BUS_ERROR_BUSY,
        [REFUSAL_NO_SUCH_DEVICE] = BUS_ERROR_NO_SUCH_DEVICE,
        [REFUSAL_POLICY_INVALID] = BUS_ERROR_POLICY_INVALID};

    for (size_t i = 0; i < c->n_pending; i++) {
        sd_bus_message *call = c->pending[i].call;
        if (c->pending[i].id != id)
            continue;
        c->pending[i] = c->pending[--c->n_pending];
        if (kind == REFUSAL_NONE)
            (void)sd_bus_reply_method_return(call, NULL);
        else
            (void)bus_reply_error(call, names[kind], "%s", sentence);
        sd_bus_message_unref(call);
        return;
    }
}

int bus_calls_begin(struct bus_calls *c, sd_bus_message *call, const struct request *request,
                    uint64_t flags, sd_bus_error *error)
{
    if (flags != 0)
        return bus_error(error, SD_BUS_ERROR_INVALID_ARGS, "flags must be 0 today");
    return bus_check_caller(call, request, pass_on, c, error);
}

void bus_calls_forget(struct bus_calls *c)
{
    for (size_t i = 0; i < c->n_pending; i++)
        sd_bus_message_unref(c->pending[i].call);
    c->n_pending = 0;
}
