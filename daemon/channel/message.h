/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages between the daemon and its front on the bus: one datagram each. Each kind has a
 * fixed layout: its numbers, then its texts, each terminated by a NUL. Nothing is nested, and there
 * are no length fields that could be wrong.
 *
 * The daemon sends its state as entries, each identified by kind and id. A later message with the
 * same kind and id replaces the entry. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"

#define MESSAGE_SIZE_MAX (64 * 1024)

enum message_kind {
    /* Entries, in the order in which the daemon sends them. */
    MESSAGE_MANAGER, /* one, with the id 0 */
    MESSAGE_FILE,    /* of the policy; by index */
    MESSAGE_ERROR,   /* in the policy; by index */
    MESSAGE_ACTION,  /* of the plan; the last has id 0, so that the others keep theirs */
    MESSAGE_VFS,     /* a physical function; by address */
    MESSAGE_DEVICE,  /* a device with a verdict; by address */
    MESSAGE_ENTRIES, /* the number of kinds of entries */

    /* Also from the daemon. */
    MESSAGE_GONE = MESSAGE_ENTRIES, /* the entry with this kind and id is gone */
    MESSAGE_WHOLE,                  /* end of an update */
    MESSAGE_REPLY,                  /* the answer to the request with this id */

    /* From the front. */
    MESSAGE_REQUEST,   /* its id is in the reply; denied requests get none */
    MESSAGE_LOG_LEVEL, /* the id is a syslog level */
    MESSAGE_KINDS
};

enum {
    MANAGER_RULES,
    MANAGER_MATCHED,
    MANAGER_BOUND,
    MANAGER_USABLE,
    MANAGER_READY_USEC,
    MANAGER_EVENTS,
    MANAGER_OVERFLOWS,
    MANAGER_IOMMUFD,
    MANAGER_LOG_LEVEL,
    MANAGER_NUMBERS
};
enum { MANAGER_VERSION, MANAGER_STATE, MANAGER_PROBLEMS, MANAGER_INITRAMFS, MANAGER_TEXTS };

enum { ACTION_DEVICE, ACTION_WORD, ACTION_SENTENCE, ACTION_TEXTS };

enum { VFS_WANTED, VFS_THERE, VFS_OURS, VFS_SETTLED, VFS_NUMBERS };
enum { VFS_RULE, VFS_STATE, VFS_REASON, VFS_SENTENCE, VFS_TEXTS };

enum { DEVICE_USABLE, DEVICE_GROUP, DEVICE_UNTOUCHED, DEVICE_BOUND_USEC, DEVICE_NUMBERS };
enum {
    DEVICE_ID,
    DEVICE_CLASS,
    DEVICE_SUBSYSTEM,
    DEVICE_MODALIAS,
    DEVICE_DRIVER,
    DEVICE_PREVIOUS_DRIVER,
    DEVICE_RULE,
    DEVICE_COMPANION_OF,
    DEVICE_RESOURCE,
    DEVICE_STATE,
    DEVICE_REASON,
    DEVICE_PROBLEMS,
    DEVICE_MEMBERS,
    DEVICE_GROUP_NODE,
    DEVICE_OWN_NODE,
    DEVICE_INTERFACE,
    DEVICE_PHYSICAL_FUNCTION,
    DEVICE_SENTENCE,
    DEVICE_VIRTUAL_FUNCTIONS, /* last, since a long list may be truncated */
    DEVICE_TEXTS
};

enum { GONE_KIND, GONE_NUMBERS };
enum { REPLY_REFUSAL, REPLY_NUMBERS };
enum { REPLY_SENTENCE, REPLY_TEXTS };

enum { REQUEST_VERB, REQUEST_DEVICE, REQUEST_UID, REQUEST_PID, REQUEST_DENIED, REQUEST_NUMBERS };
enum { REQUEST_UNIT, REQUEST_TEXTS };

#define MESSAGE_NUMBERS_MAX 9
#define MESSAGE_TEXTS_MAX 19

struct message {
    enum message_kind kind;
    uint64_t id;
    uint64_t numbers[MESSAGE_NUMBERS_MAX];
    const char *texts[MESSAGE_TEXTS_MAX]; /* NULL is written as "" */
};

/* Returns the number of bytes. Texts too long for a message are truncated. */
size_t message_write(const struct message *m, char to[static MESSAGE_SIZE_MAX]);

/* Reads a message, sent by the front or to it. Texts point into `bytes`. Returns 0 or -EBADMSG. */
int message_read(const char *bytes, size_t size, bool from_front, struct message *ret);

/* The id of an entry or request about this device. */
static inline uint64_t message_id(struct pci_addr a)
{
    return pci_addr_number(a);
}
