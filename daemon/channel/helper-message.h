/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to vfio-bindd-helper and its answers. Each is one datagram with a fixed layout and an
 * array at its end. Both sides validate what they read as if anybody could have sent it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/modules.h"
#include "host/serials.h"
#include "model/address.h"

#define HELPER_FOLDER "run/vfio-bindd-helper" /* a socket for each kind, named after it */
#define HELPER_DEVICES_MAX 1024
#define HELPER_TEXT_MAX 192

enum helper_kind {
    HELPER_MODULE,  /* load a module */
    HELPER_SERIALS, /* read serial numbers */
    HELPER_HOLDERS, /* find the users of these devices */
    HELPER_KINDS
};

const char *helper_word(enum helper_kind kind);

/* Returns HELPER_KINDS if there is no such kind. */
enum helper_kind helper_kind_of(const char *word);

/* Fields that a kind does not use are zero. */
struct helper_request {
    uint32_t kind;
    uint32_t n_devices;
    uint32_t group; /* HELPER_HOLDERS: NO_GROUP, or the group of the one device, which is on a VFIO
                       driver */
    uint32_t zero;
    char module[MODULE_NAME_MAX];         /* HELPER_MODULE */
    uint64_t devices[HELPER_DEVICES_MAX]; /* the other kinds: pci_addr_number(), ascending */
};

struct helper_serial {
    uint64_t device, inode;
    char text[SERIAL_MAX]; /* empty: the device has no serial number */
};

struct helper_reply {
    uint32_t kind;
    int32_t result; /* negative errno: nothing was done, and the text says why */
    uint32_t n_serials;
    uint32_t zero;
    char text[HELPER_TEXT_MAX]; /* HELPER_HOLDERS: also the user of a device; empty: none */
    struct helper_serial serials[HELPER_DEVICES_MAX]; /* without those that could not be read */
};

/* Adds up to HELPER_DEVICES_MAX devices to a request that has none; the order is kept. */
void helper_request_add(struct helper_request *q, const struct pci_addr *addrs, size_t n);

/* The sizes of the datagrams. */
size_t helper_request_size(const struct helper_request *q);
size_t helper_reply_size(const struct helper_reply *a);

/* Are these bytes a valid request of this kind, or a valid answer to this request? Return 0 or
 * -EBADMSG. */
int helper_request_check(enum helper_kind kind, const struct helper_request *q, size_t size);
int helper_reply_check(const struct helper_request *q, const struct helper_reply *a, size_t size);
