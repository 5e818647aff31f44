/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/request-log.h"

#include "tell/journal.h"

#define TEXT_MAX 512

static void request_text(const struct request *r, char to[static TEXT_MAX])
{
    const struct caller *c = &r->caller;
    const bool one = verb_has_device(r->verb);
    char user[32] = "an unknown user", process[PROCESS_UNIT_MAX + 32] = "";

    if (c->uid != UINT32_MAX)
        snprintf(user, sizeof(user), "uid %u", c->uid);
    if (c->pid > 0)
        snprintf(process, sizeof(process), " (PID %d%s%s)", (int)c->pid, *c->unit ? ", " : "",
                 c->unit);
    snprintf(to, TEXT_MAX, "%s%s%s: requested by %s%s %s", verb_word(r->verb), one ? " " : "",
             one ? pci_addr_text(r->device).s : "", user, process,
             c->told ? "over D-Bus, according to vfio-bindd-front" : "by a signal");
}

void request_allowed(const struct request *r)
{
    char text[TEXT_MAX];

    request_text(r, text);
    journal_request(EVENT_REQUEST, r, text);
}

void request_by_signal(enum verb verb, const struct signalfd_siginfo *si)
{
    const struct request r = {.verb = verb, .caller = caller_make(si->ssi_uid, (pid_t)si->ssi_pid)};

    request_allowed(&r);
}

static void tell_refused(const struct request *r, const char *why, const char *more)
{
    char text[TEXT_MAX], whole[TEXT_MAX + 1024];

    request_text(r, text);
    snprintf(whole, sizeof(whole), "%s: %s%s", text, why, more);
    journal_request(EVENT_REQUEST_REFUSED, r, whole);
}

void request_failed(const struct request *r, const char *why)
{
    tell_refused(r, why, "");
}

void request_denied(const struct request *r)
{
    static struct budget budget;
    static unsigned long left_out;
    char more[64] = "";

    left_out += r->denied;
    if (!request_denial_fits(&budget))
        return;
    left_out--;
    if (left_out > 0)
        snprintf(more, sizeof(more), " (nor were %lu before it)", left_out);
    tell_refused(r, "not permitted", more);
    left_out = 0;
}
