/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered about a physical function because of its virtual functions; part of its
 * record. Only record_apply() (record-event.h) changes it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct record_vfs {
    uint16_t made; /* we created up to this many, or were about to; 0: none of them is ours */
    uint16_t made_before; /* .made when the worker began */
    bool exact;           /* exactly .made were seen after the last operation; not in the file */
    bool autoprobe_off; /* sriov_drivers_autoprobe was 1, and we wrote 0 to it, or were about to */
    bool tried; /* no further attempt until its driver is unbound, or somebody asks for one */
    bool restore_failed; /* restoring sriov_drivers_autoprobe failed; tried again when .tried is
                            cleared */
    bool released;       /* an administrator asked to remove ours; lasts until reload or bind */
    int error;           /* errno of the last attempt; 0: it did not fail */
};

/* If there are n, is n not 0, and are all of them ours? */
static inline bool record_vfs_are_ours(const struct record_vfs *v, unsigned n)
{
    return n > 0 && n <= v->made;
}

/* Does anything of ours exist, so that this must outlive the process? */
static inline bool record_vfs_is_owned(const struct record_vfs *v)
{
    return v->made > 0 || v->autoprobe_off;
}

/* A worker is about to create this many, or (0) to remove ours. `sets_autoprobe`: it also writes
 * sriov_drivers_autoprobe. */
void record_vfs_begin(struct record_vfs *v, unsigned number, bool sets_autoprobe);

/* The operation has ended. `result`: 0, or negative errno. With -ESTALE (there are more than the
 * plan knew: nothing was done) and -EEXIST (those that are there are somebody else's) a new plan
 * decides. */
void record_vfs_end(struct record_vfs *v, unsigned number, int result);

/* sriov_drivers_autoprobe was restored, or could not be. */
void record_vfs_autoprobe_restored(struct record_vfs *v, int result);

/* A driver has bound the device. Failed operations may be tried again. */
void record_vfs_bound(struct record_vfs *v);

/* The device was read while no worker had it, and has n virtual functions. The kernel changes the
 * number only by way of 0. So once the number that an operation made is known, any other number is
 * somebody else's. */
void record_vfs_look(struct record_vfs *v, unsigned n);

/* Our virtual functions are to be removed. */
void record_vfs_release(struct record_vfs *v);

/* Failed operations may be tried again. */
void record_vfs_retry(struct record_vfs *v);
