/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/request.h"

#include <errno.h>
#include <limits.h>

#include "base/clock.h"
#include "base/printable.h"
#include "base/rootfs.h"
#include "base/util.h"

const char *verb_word(enum verb v)
{
    static const char *const words[VERBS] = {[VERB_BIND] = "bind",
                                             [VERB_RELEASE] = "release",
                                             [VERB_RELOAD] = "reload",
                                             [VERB_RESCAN] = "rescan"};
    return words[v];
}

bool request_denial_fits(struct budget *b)
{
    static const struct budget_limits limits = {.most = 60, .per_second = 1};

    return budget_take(b, &limits, 6, now_usec());
}

struct caller caller_make(uint32_t uid, pid_t pid)
{
    struct caller c = {.uid = uid, .pid = pid};
    CLEANUP_CLOSE int root_fd = rootfs_open_root("/"); /* always the real /proc, even with --root */

    if (root_fd < 0 || pid <= 0 || process_unit(root_fd, pid, c.unit) < 0 ||
        process_is_of_user(root_fd, pid, uid) <= 0)
        c.unit[0] = '\0';
    return c;
}

struct message request_message(const struct request *r, uint64_t id)
{
    return (struct message){
        .kind = MESSAGE_REQUEST,
        .id = id,
        .numbers = {[REQUEST_VERB] = r->verb,
                    [REQUEST_DEVICE] = verb_has_device(r->verb) ? message_id(r->device) : 0,
                    [REQUEST_UID] = r->caller.uid,
                    [REQUEST_PID] = (uint64_t)r->caller.pid,
                    [REQUEST_DENIED] = r->denied},
        .texts = {[REQUEST_UNIT] = r->caller.unit}};
}

/* Accepts only printable names, as process_unit() returns them. Escapes would make the name longer,
 * and could push other fields out of the journal entry. */
static bool is_clean(const char *unit)
{
    char clean[PROCESS_UNIT_MAX];

    printable(clean, sizeof(clean), unit, strlen(unit));
    return streq(clean, unit);
}

int request_read(const struct message *m, struct request *ret)
{
    const uint64_t *n = m->numbers;
    const char *unit = m->texts[REQUEST_UNIT];
    struct request r = {.caller.told = true};

    if (m->kind != MESSAGE_REQUEST || n[REQUEST_VERB] >= VERBS || n[REQUEST_UID] > UINT32_MAX ||
        n[REQUEST_PID] > INT_MAX || n[REQUEST_DENIED] > UINT32_MAX ||
        !pci_addr_from_number(n[REQUEST_DEVICE], &r.device) ||
        strlen(unit) >= sizeof(r.caller.unit) || !is_clean(unit))
        return -EBADMSG;
    r.verb = (enum verb)n[REQUEST_VERB];
    if (!verb_has_device(r.verb) && n[REQUEST_DEVICE] != 0)
        return -EBADMSG;
    r.caller.uid = (uint32_t)n[REQUEST_UID];
    r.caller.pid = (pid_t)n[REQUEST_PID];
    r.denied = (uint32_t)n[REQUEST_DENIED];
    strcpy(r.caller.unit, unit);
    *ret = r;
    return 0;
}
