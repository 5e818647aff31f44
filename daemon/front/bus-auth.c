/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-auth.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "base/util.h"
#include "front/bus-text.h"
#include "offer/bus-names.h"

#define POLKIT_TIMEOUT_USEC (120 * 1000000ULL) /* somebody may have to type a password */
/* Anything above these limits is an attack. The bus answers questions at once; polkit may have to
 * wait for a password. */
#define CREDENTIALS_MAX 1024
#define POLKIT_MAX 64
#define POLKIT_USER_MAX 8 /* per user, so that no user can take all of them */

struct question {
    sd_bus_message *call;
    struct request request; /* has the caller once the bus has identified it */
    bus_judged judged;
    void *userdata;
    bool polkit; /* polkit is being asked, not the bus */
    struct question *next;
};

static const char *polkit_action(const struct question *q)
{
    return verb_has_device(q->request.verb) ? POLKIT_MANAGE_DEVICES : POLKIT_RELOAD;
}

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

static struct question *question_new(const struct question *template)
{
    struct question *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    *q = *template;
    sd_bus_message_ref(q->call);
    q->next = questions;
    questions = q;
    return q;
}

/* Would one more question be too many? */
static bool too_many(bool polkit, uint32_t uid)
{
    unsigned same = 0, user = 0;

    for (const struct question *q = questions; q; q = q->next) {
        same += q->polkit == polkit;
        user += polkit && q->polkit && q->request.caller.uid == uid;
    }
    return same >= (polkit ? POLKIT_MAX : CREDENTIALS_MAX) || user >= POLKIT_USER_MAX;
}

/* Sends a question to another service. The question is freed when its answer has been handled or
 * the call has failed. */
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

static int deny(struct question *q, bool interactive)
{
    CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

    if (sd_bus_is_open(sd_bus_message_get_bus(q->call)) <= 0)
        return 0; /* the connection is gone and took the question with it: this is no denial */
    q->request.denied = 1;
    (void)q->judged(q->call, &q->request, q->userdata, &error);
    if (interactive)
        return bus_reply_error(
            q->call, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
            "this needs an administrator's password: allow interactive authorization in the call");
    return bus_reply_error(q->call, SD_BUS_ERROR_ACCESS_DENIED,
                           "only root may do this, or users that polkit permits %s",
                           polkit_action(q));
}

static int allow(struct question *q)
{
    CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = q->judged(q->call, &q->request, q->userdata, &error);

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
        return deny(q, false);
    int r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
    if (r >= 0)
        r = sd_bus_message_read(m, "bb", &authorized, &challenge);
    if (r < 0 || !authorized)
        return deny(q, r >= 0 && challenge);
    return allow(q);
}

/* The details that polkit's rules can use and its dialogue shows. */
static int append_details(sd_bus_message *m, const struct question *q)
{
    const char *verb = verb_word(q->request.verb);

    if (!verb_has_device(q->request.verb))
        return sd_bus_message_append(m, "a{ss}", 1, "verb", verb);
    return sd_bus_message_append(m, "a{ss}", 3, "verb", verb, "device",
                                 pci_addr_text(q->request.device).s, "polkit.message",
                                 "Authentication is required to $(verb) the PCI device $(device).");
}

static int ask_polkit(const struct question *old)
{
    sd_bus *bus = sd_bus_message_get_bus(old->call);
    sd_bus_message *m = NULL;

    if (too_many(true, old->request.caller.uid))
        return bus_reply_error(old->call, SD_BUS_ERROR_LIMITS_EXCEEDED,
                               "too many calls are waiting for authorization: try again later");
    struct question *q = question_new(old);
    if (!q)
        return -ENOMEM;
    q->polkit = true;
    int r = sd_bus_message_new_method_call(
        bus, &m, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(q->call), polkit_action(q));
    if (r >= 0)
        r = append_details(m, q);
    if (r >= 0)
        r = sd_bus_message_append(
            m, "us", (uint32_t)(sd_bus_message_get_allow_interactive_authorization(q->call) > 0),
            "");
    if (r >= 0)
        r = send_question(q, m, on_polkit, POLKIT_TIMEOUT_USEC);
    sd_bus_message_unref(m);
    if (r < 0)
        question_free(q);
    return r;
}

/* Reads the caller from the answer of GetConnectionCredentials. Missing fields are unknown. */
static struct caller read_caller(sd_bus_message *m)
{
    uint32_t uid = UINT32_MAX, pid = 0;

    if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
        return caller_make(uid, 0);
    while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
        const char *key;
        if (sd_bus_message_read(m, "s", &key) < 0)
            break;
        if (streq(key, "UnixUserID"))
            (void)sd_bus_message_read(m, "v", "u", &uid);
        else if (streq(key, "ProcessID"))
            (void)sd_bus_message_read(m, "v", "u", &pid);
        else
            (void)sd_bus_message_skip(m, "v");
        sd_bus_message_exit_container(m);
    }
    return caller_make(uid, pid <= INT_MAX ? (pid_t)pid : 0);
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct question *q = userdata;

    (void)error;
    if (sd_bus_message_is_method_error(m, NULL)) /* the caller is gone */
        return deny(q, false);
    q->request.caller = read_caller(m);
    if (q->request.caller.uid == 0)
        return allow(q);
    return ask_polkit(q) < 0 ? deny(q, false) : 1;
}

int bus_check_caller(sd_bus_message *call, const struct request *r, bus_judged judged,
                     void *userdata, sd_bus_error *error)
{
    struct question template = {
        .call = call, .request = *r, .judged = judged, .userdata = userdata};
    sd_bus_message *m = NULL;

    template.request.caller.uid = UINT32_MAX;
    if (too_many(false, 0))
        return bus_error(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                         "too many calls are waiting for authorization: try again later");
    struct question *q = question_new(&template);
    if (!q)
        return -ENOMEM;
    int e = sd_bus_message_new_method_call(sd_bus_message_get_bus(call), &m, "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "GetConnectionCredentials");
    if (e >= 0)
        e = sd_bus_message_append(m, "s", sd_bus_message_get_sender(call));
    if (e >= 0)
        e = send_question(q, m, on_credentials, 0);
    sd_bus_message_unref(m);
    if (e < 0)
        question_free(q);
    return e < 0 ? e : 1;
}
