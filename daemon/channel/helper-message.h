/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio-bindd asks vfio-bindd-helper, and the answer: a datagram each, of a fixed layout with
 * an array at its end. Both sides check what they read as if anybody could have sent it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/modules.h"
#include "host/serials.h"
#include "model/address.h"

#define HELPER_FOLDER "run/vfio-bindd-helper" /* a socket for each kind, of that name */
#define HELPER_DEVICES_MAX 1024
#define HELPER_TEXT_MAX 192

enum helper_kind {
    HELPER_MODULE,  /* load a module */
    HELPER_SERIALS, /* read serial numbers */
    HELPER_HOLDERS, /* who uses these devices? */
    HELPER_KINDS
};

const char *helper_word(enum helper_kind kind);

/* Returns HELPER_KINDS if there is no such kind. */
enum helper_kind helper_kind_of(const char *word);

/* What a kind does not need is zero. */
struct helper_request {
    uint32_t kind;
    uint32_t n_devices;
    uint32_t
        group; /* HELPER_HOLDERS: NO_GROUP; or that of the one device, which a VFIO driver has */
    uint32_t zero;
    char module[MODULE_NAME_MAX];         /* HELPER_MODULE */
    uint64_t devices[HELPER_DEVICES_MAX]; /* the others: pci_addr_number(), ascending */
};

struct helper_serial {
    uint64_t device, inode;
    char text[SERIAL_MAX]; /* empty: it has none */
};

struct helper_reply {
    uint32_t kind;
    int32_t result; /* negative errno: nothing was done, and the text says why */
    uint32_t n_serials;
    uint32_t zero;
    char text[HELPER_TEXT_MAX]; /* HELPER_HOLDERS: also who uses one of them; empty: nobody */
    struct helper_serial serials[HELPER_DEVICES_MAX]; /* without those that could not be read */
};

/* Puts devices into a request that has none, in their order; at most HELPER_DEVICES_MAX. */
void helper_request_add(struct helper_request *q, const struct pci_addr *addrs, size_t n);

/* The sizes of the datagrams. */
size_t helper_request_size(const struct helper_request *q);
size_t helper_reply_size(const struct helper_reply *a);

/* Is what was read, so many bytes, a request of this kind? An answer to this request? Return 0 or
 * -EBADMSG. */
int helper_request_check(enum helper_kind kind, const struct helper_request *q, size_t size);
int helper_reply_check(const struct helper_request *q, const struct helper_reply *a, size_t size);
