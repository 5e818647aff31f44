/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front's copy of how things are: the entries that the daemon told it of (channel/message.h).
 * All that callers read is answered from here, and from what everybody may read in /sys. */
#pragma once

#include "channel/message.h"

struct entry {
    struct message m; /* its texts point into the bytes */
    char *bytes;
    uint32_t hash; /* of all that it says */
};

struct copy {
    int root_fd;
    struct entry *v; /* in the order of kinds and ids */
    size_t n, allocated;
    struct entry *news; /* what has been told since the copy was whole, as it came */
    size_t n_news, news_allocated;
};

/* Takes an entry, or that one has gone. It does not show before the copy is whole again. Returns 0,
 * -ENOMEM or -EBADMSG. */
int copy_take(struct copy *c, const char *bytes, size_t size);

/* That was all that has changed: now it shows. Returns 0 or -ENOMEM. */
int copy_whole(struct copy *c);
void copy_done(struct copy *c);

/* The entry, or NULL. Pointers are good until the next one is taken. */
const struct message *copy_find(const struct copy *c, enum message_kind kind, uint64_t id);

/* The manager's: never NULL; empty before the daemon has told of it. */
const struct message *copy_manager(const struct copy *c);

/* How many entries of a kind there are; *ret_first is the first of them. */
size_t copy_of_kind(const struct copy *c, enum message_kind kind, const struct entry **ret_first);

/* Shows a log level at once that the daemon is being told. */
void copy_set_log_level(struct copy *c, int level);

/* The address of the device that an entry is about. */
static inline struct pci_addr_text entry_address(const struct message *m)
{
    struct pci_addr a = {0};

    (void)message_address(m->id, &a);
    return pci_addr_text(a);
}
