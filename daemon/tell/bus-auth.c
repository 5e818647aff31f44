/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/bus-auth.h"

#include <errno.h>
#include <stdint.h>

#include "base/util.h"

#define POLKIT_ACTION "org.vfio.Bindd1.manage"
#define POLKIT_TIMEOUT_USEC (120 * 1000000ULL) /* somebody may have to type a password */
/* More unanswered questions than these are an attack. Questions to the bus are answered at once;
 * those to polkit may wait for a password. */
#define CREDENTIALS_MAX 1024
#define POLKIT_MAX 64
#define POLKIT_USER_MAX 8 /* of one user, so that nobody keeps others out */

struct question {
    sd_bus_message *call;
    bus_allowed allowed;
    void *userdata;
    uint32_t uid; /* the caller about whom polkit is asked */
    bool polkit;
    struct question *next;
};

static struct question *questions;

static void question_free(void *p)
{
    struct question *q = p;

    for (struct question **at = &questions; *at; at = &(*at)->next)
        if (*at == q) {
            *at = q->next;
            break;
        }
    sd_bus_message_unref(q->call);
    free(q);
}

static struct question *question_new(sd_bus_message *call, bus_allowed allowed, void *userdata)
{
    struct question *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    *q = (struct question){.call = sd_bus_message_ref(call),
                           .allowed = allowed,
                           .userdata = userdata,
                           .next = questions};
    questions = q;
    return q;
}

/* Would one more question be too many? */
static bool too_many(bool polkit, uint32_t uid)
{
    unsigned same = 0, user = 0;

    for (const struct question *q = questions; q; q = q->next) {
        same += q->polkit == polkit;
        user += polkit && q->polkit && q->uid == uid;
    }
    return same >= (polkit ? POLKIT_MAX : CREDENTIALS_MAX) || user >= POLKIT_USER_MAX;
}

/* Asks another service; the question is freed when the answer has been handled, or never comes. */
static int send_question(struct question *q, sd_bus_message *m, sd_bus_message_handler_t answer,
                         uint64_t usec)
{
    sd_bus_slot *slot = NULL;
    int r = sd_bus_call_async(sd_bus_message_get_bus(q->call), &slot, m, answer, q, usec);

    if (r < 0)
        return r;
    sd_bus_slot_set_destroy_callback(slot, question_free);
    sd_bus_slot_set_floating(slot, true);
    sd_bus_slot_unref(slot);
    return 0;
}

static int deny(sd_bus_message *call, bool interactive)
{
    if (interactive)
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                          "this needs an administrator's password: call it with "
                                          "interactive authorization allowed");
    return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_ACCESS_DENIED,
                                      "only root may do this, or whom polkit allows %s",
                                      POLKIT_ACTION);
}

static int carry_out(struct question *q)
{
    CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = q->allowed(q->call, q->userdata, &error);

    if (sd_bus_error_is_set(&error))
        r = sd_bus_reply_method_error(q->call, &error);
    else if (r < 0)
        r = sd_bus_reply_method_errno(q->call, r, NULL);
    return r < 0 ? r : 1;
}

static int on_polkit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct question *q = userdata;
    int authorized = 0, challenge = 0;

    (void)error;
    if (sd_bus_message_is_method_error(m, NULL)) /* no polkit, or it does not answer: root only */
        return deny(q->call, false);
    int r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
    if (r >= 0)
        r = sd_bus_message_read(m, "bb", &authorized, &challenge);
    if (r < 0 || !authorized)
        return deny(q->call, r >= 0 && challenge);
    return carry_out(q);
}

static int ask_polkit(const struct question *old, uint32_t uid)
{
    sd_bus *bus = sd_bus_message_get_bus(old->call);
    sd_bus_message *m = NULL;

    if (too_many(true, uid))
        return sd_bus_reply_method_errorf(old->call, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                          "too many calls wait to be authorized: try again later");
    struct question *q = question_new(old->call, old->allowed, old->userdata);
    if (!q)
        return -ENOMEM;
    q->polkit = true;
    q->uid = uid;
    int r = sd_bus_message_new_method_call(
        bus, &m, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_append(
            m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
            sd_bus_message_get_sender(q->call), POLKIT_ACTION, 0,
            (uint32_t)(sd_bus_message_get_allow_interactive_authorization(q->call) > 0), "");
    if (r >= 0)
        r = send_question(q, m, on_polkit, POLKIT_TIMEOUT_USEC);
    sd_bus_message_unref(m);
    if (r < 0)
        question_free(q);
    return r;
}

/* The user's number out of GetConnectionCredentials' answer, UINT32_MAX if it is not there. */
static uint32_t read_uid(sd_bus_message *m)
{
    uint32_t uid = UINT32_MAX;

    if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
        return uid;
    while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
        const char *key;
        if (sd_bus_message_read(m, "s", &key) < 0)
            return uid;
        if (streq(key, "UnixUserID"))
            (void)sd_bus_message_read(m, "v", "u", &uid);
        else
            (void)sd_bus_message_skip(m, "v");
        sd_bus_message_exit_container(m);
    }
    return uid;
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct question *q = userdata;

    (void)error;
    if (sd_bus_message_is_method_error(m, NULL))
        return deny(q->call, false);
    uint32_t uid = read_uid(m);
    if (uid == 0)
        return carry_out(q);
    return ask_polkit(q, uid) < 0 ? deny(q->call, false) : 1;
}

int bus_check_caller(sd_bus_message *call, bus_allowed allowed, void *userdata, sd_bus_error *error)
{
    struct question *q;
    sd_bus_message *m = NULL;

    if (too_many(false, 0))
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "too many calls wait to be authorized: try again later");
    q = question_new(call, allowed, userdata);
    if (!q)
        return -ENOMEM;
    int r = sd_bus_message_new_method_call(sd_bus_message_get_bus(call), &m, "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "GetConnectionCredentials");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", sd_bus_message_get_sender(call));
    if (r >= 0)
        r = send_question(q, m, on_credentials, 0);
    sd_bus_message_unref(m);
    if (r < 0)
        question_free(q);
    return r < 0 ? r : 1;
}
