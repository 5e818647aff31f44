/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The single operations of a plan, as kernel calls: the only writer to /sys. Used only in worker
 * processes, since each call may block for ever. */
#pragma once

#include <stdbool.h>

#include "model/address.h"
#include "model/state.h"
#include "write/users.h"

#define DRIVER_NAME_MAX 56 /* with NUL; MODULE_NAME_LEN of the kernel */

/* An override with this name keeps every driver from the device for a moment: no driver has this
 * name. */
#define PLACEHOLDER_NAME "vfio-bindd-placeholder"

struct op {
    struct pci_addr addr; /* unused by ACTION_NEW_ID and ACTION_REMOVE_ID */
    const char *driver;   /* as in struct action. ACTION_HOLD: the group's number. ACTION_NEW_ID,
                           * ACTION_REMOVE_ID: the entry (dynid_text()). At an address that daemon
                           * and worker share (worker_text()) */
    uint64_t order;       /* ACTION_OFFER: only drivers that are newer than this order are asked
                             (snapshot.h). Other kinds: for the record */
    int result;           /* 0, negative errno, or OP_NOT_DONE */
    enum action_kind kind;
    bool learned, narrowed; /* of the entry */
    bool asked;             /* set by ACTION_NATIVE and ACTION_OFFER: a native driver was asked */
    bool sets_autoprobe;    /* ACTION_SET_VFS: as in struct action; the next two as well */
    unsigned vfs, vfs_there;
};

#define OP_NOT_DONE 1
/* Not done, because an earlier operation of this job on which it depends has failed. */
#define OP_SKIPPED (-ECANCELED)

/* State that a job keeps between operations. */
struct perform_state {
    char *found; /* FOUND_MAX bytes, empty before ACTION_CHECK, ACTION_HOLD and ACTION_SET_VFS; if
                    these return -EBUSY, they may write a description of who has the device */
    bool asked;  /* ACTION_NATIVE, ACTION_OFFER: a native driver may have probed the device */
    struct hold *hold; /* the group held by ACTION_HOLD; NULL: none */
    int bind_fd; /* file "bind" of .bind_driver, opened once for all devices of a job; -1: none */
    char bind_driver[DRIVER_NAME_MAX];
};

#define PERFORM_STATE_NONE ((struct perform_state){.bind_fd = -1})

void perform_state_done(struct perform_state *s);

/* Does one operation; returns 0 or negative errno. */
int perform(int root_fd, const struct op *op, struct perform_state *s);
