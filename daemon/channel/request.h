/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request for a change and its caller, and the form in which the front passes it to the
 * daemon. */
#pragma once

#include "base/budget.h"
#include "channel/message.h"
#include "host/process.h"

enum verb { VERB_BIND, VERB_RELEASE, VERB_RELOAD, VERB_RESCAN, VERBS };

const char *verb_word(enum verb v);

/* Does this verb concern one device? */
static inline bool verb_has_device(enum verb v)
{
    return v == VERB_BIND || v == VERB_RELEASE;
}

struct caller {
    uint32_t uid; /* UINT32_MAX: not known */
    pid_t pid;    /* 0: not known */
    char unit[PROCESS_UNIT_MAX];
    bool told; /* named by the front, which may lie; otherwise by the kernel */
};

struct request {
    enum verb verb;
    struct pci_addr device; /* if the verb has one */
    struct caller caller;
    uint32_t denied; /* 0: permitted. Otherwise the number of denied requests, for the journal only;
                        the caller is that of the last one */
};

/* May another denial be passed on? Anybody can cause them, so the limit is a burst of ten, and ten
 * a minute. */
bool request_denial_fits(struct budget *b);

/* The uid comes from a trusted source (the bus, the kernel). The process may have exited since, so
 * its unit is looked up only if it runs as this user. */
struct caller caller_make(uint32_t uid, pid_t pid);

/* The message for a request. Its text points into the request. */
struct message request_message(const struct request *r, uint64_t id);

/* Reads a request from a message of the front. Returns 0 or -EBADMSG. */
int request_read(const struct message *m, struct request *ret);
