/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks for a change, and for which; and how the front passes that to the daemon. */
#pragma once

#include "base/budget.h"
#include "channel/message.h"
#include "host/process.h"

enum verb { VERB_BIND, VERB_RELEASE, VERB_RELOAD, VERB_RESCAN, VERBS };

const char *verb_word(enum verb v);

/* Is it asked of one device? */
static inline bool verb_has_device(enum verb v)
{
    return v == VERB_BIND || v == VERB_RELEASE;
}

struct caller {
    uint32_t uid; /* UINT32_MAX: not known */
    pid_t pid;    /* 0: not known */
    char unit[PROCESS_UNIT_MAX];
    bool told; /* by the front, who may lie; else the kernel says so */
};

struct request {
    enum verb verb;
    struct pci_addr device; /* if it has one */
    struct caller caller;
    uint32_t denied; /* 0: allowed. Else only for the journal: so many may not, and the caller is
                        the last of them */
};

/* May one more denial be told? Anybody can cause them: ten at once, and ten a minute. */
bool request_denial_fits(struct budget *b);

/* The uid is somebody's word that can be relied on (the bus's, the kernel's). The process may have
 * ended since: a unit is only looked up of one that runs as this user. */
struct caller caller_make(uint32_t uid, pid_t pid);

/* The message for a request. Its text is the request's. */
struct message request_message(const struct request *r, uint64_t id);

/* Reads a message of the front. Returns 0 or -EBADMSG. */
int request_read(const struct message *m, struct request *ret);
