/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The single operations of a plan, as kernel calls: the only writer to /sys. Called in worker
 * processes alone, since each may block for ever. */
#pragma once

#include <stdbool.h>

#include "model/address.h"
#include "model/state.h"
#include "write/users.h"

#define DRIVER_NAME_MAX 56 /* with NUL; MODULE_NAME_LEN of the kernel */

/* This override keeps every driver from the device for a moment: no driver has this name. */
#define PLACEHOLDER_NAME "vfio-bindd-placeholder"

struct op {
    struct pci_addr addr; /* unused by ACTION_NEW_ID and ACTION_REMOVE_ID */
    const char *driver;   /* as in struct action. ACTION_HOLD: the group's number. ACTION_NEW_ID,
                           * ACTION_REMOVE_ID: the entry (dynid_text()). At an address that daemon
                           * and worker share (worker_text()) */
    uint64_t order;       /* ACTION_OFFER: to drivers that are newer than this order (snapshot.h).
                           * Others: for the record */
    int result;           /* 0, negative errno, or OP_NOT_DONE */
    enum action_kind kind;
    bool learned, narrowed; /* of the entry */
    bool asked;             /* set by ACTION_NATIVE and ACTION_OFFER: a native driver was asked */
    bool sets_autoprobe;    /* ACTION_SET_VFS: as in struct action; the next two as well */
    unsigned vfs, vfs_there;
};

#define OP_NOT_DONE 1
/* An earlier operation that this one depends on failed in this job. */
#define OP_SKIPPED (-ECANCELED)

/* What a job keeps from one operation to the next. */
struct perform_state {
    char *found; /* FOUND_MAX bytes, empty for ACTION_CHECK, ACTION_HOLD and ACTION_SET_VFS: if they
                  * return -EBUSY, they may write who has the device, in words */
    bool asked;  /* ACTION_NATIVE, ACTION_OFFER: a native driver has had the device in its probe(),
                  * or may have */
    struct hold *hold; /* the group that ACTION_HOLD keeps; NULL: none */
    int bind_fd; /* file "bind" of .bind_driver, opened once for all devices of a job; -1: none */
    char bind_driver[DRIVER_NAME_MAX];
};

#define PERFORM_STATE_NONE ((struct perform_state){.bind_fd = -1})

void perform_state_done(struct perform_state *s);

/* Does one operation; returns 0 or negative errno. */
int perform(int root_fd, const struct op *op, struct perform_state *s);
