/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front's copy of the state: the entries that the daemon has sent (channel/message.h). Callers
 * read from this copy and from what everybody may read in /sys. */
#pragma once

#include "channel/message.h"

struct entry {
    struct message m; /* its texts point into `bytes` */
    char *bytes;
    uint32_t hash; /* of the whole entry */
};

struct copy {
    int root_fd;
    struct entry *v; /* sorted by kind and id */
    size_t n, allocated;
    struct entry *news; /* received since the copy was last complete, in order of arrival */
    size_t n_news, news_allocated;
};

/* Takes a message about a new, changed or vanished entry. It takes effect with copy_whole().
 * Returns 0, -ENOMEM or -EBADMSG. */
int copy_take(struct copy *c, const char *bytes, size_t size);

/* Applies all messages taken since the last call: the copy is complete. Returns 0 or -ENOMEM. */
int copy_whole(struct copy *c);
void copy_done(struct copy *c);

/* Finds an entry; NULL if there is none. Pointers are valid until the next copy_whole(). */
const struct message *copy_find(const struct copy *c, enum message_kind kind, uint64_t id);

/* The manager's entry. It is never NULL, and empty until the daemon has sent it. */
const struct message *copy_manager(const struct copy *c);

/* Returns the number of entries of a kind. *ret_first is the first of them. */
size_t copy_of_kind(const struct copy *c, enum message_kind kind, const struct entry **ret_first);

/* Shows a new log level before the daemon has confirmed it. */
void copy_set_log_level(struct copy *c, int level);

/* The address of the device of an entry. */
static inline struct pci_addr_text entry_address(const struct message *m)
{
    struct pci_addr a = {0};

    (void)pci_addr_from_number(m->id, &a);
    return pci_addr_text(a);
}
