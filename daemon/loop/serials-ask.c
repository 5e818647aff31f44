/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/serials-ask.h"

#include <errno.h>
#include <syslog.h>

#include "loop/start-unit.h"
#include "tell/journal.h"

#define UNIT "vfio-bindd-serials.service"
#define TIMEOUT_USEC (40 * 1000000ULL) /* somewhat longer than the unit allows itself */
#define ATTEMPTS_MAX 3 /* a device that came while the unit was running needs a further one */

struct serials_ask {
    sd_event *event;
    serials_read done;
    void *userdata;
    struct start_unit *start; /* NULL: nothing is under way */
    unsigned attempts;
};

int serials_ask_new(sd_event *event, serials_read done, void *userdata, struct serials_ask **ret)
{
    struct serials_ask *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    *s = (struct serials_ask){.event = event, .done = done, .userdata = userdata};
    *ret = s;
    return 0;
}

void serials_ask_free(struct serials_ask *s)
{
    if (!s)
        return;
    start_unit_cancel(s->start);
    free(s);
}

void serials_ask_retry(struct serials_ask *s)
{
    s->attempts = 0;
}

bool serials_ask_is_waiting(const struct serials_ask *s)
{
    return s->start != NULL;
}

static void on_ended(void *userdata, const char *unit, int r, const char *text)
{
    struct serials_ask *s = userdata;

    (void)unit;
    s->start = NULL;
    if (r < 0)
        journal_plain(LOG_WARNING,
                      "%s; devices that only a serial number could select are left alone", text);
    s->done(s->userdata);
}

void serials_ask(struct serials_ask *s, const struct policy *p, const struct snapshot *snapshot)
{
    bool wanted = false;

    for (size_t i = 0; i < snapshot->n && !wanted; i++)
        wanted = policy_is_undecided(p, &snapshot->devices[i]);
    if (!wanted || s->start || s->attempts >= ATTEMPTS_MAX)
        return;
    s->attempts++;
    int r = start_unit(s->event, START_UNIT_ADDRESS, UNIT, TIMEOUT_USEC, on_ended, s, &s->start);
    if (r < 0)
        journal_plain(LOG_WARNING,
                      "cannot have " UNIT " started: %s; devices that only a serial number could "
                      "select are left alone",
                      strerror(-r));
}
