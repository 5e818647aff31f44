/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of a physical function for the sake of its virtual functions: a part of its
 * record. Only record_apply() (record-event.h) changes it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct record_vfs {
    uint16_t made;      /* we made up to so many, or were about to; 0: none of them is ours */
    bool autoprobe_off; /* we wrote 0 to sriov_drivers_autoprobe, where 1 stood, or were about to */
    bool tried;         /* not tried again until its driver lets go of it, or somebody asks */
    bool restore_failed; /* it could not be written back; tried again as .tried */
    bool released;       /* an administrator wants ours taken away, until reload or bind */
    int error;           /* errno of the last attempt; 0: it did not fail */
};

/* Are there any of which all are ours, if there are n? */
static inline bool record_vfs_are_ours(const struct record_vfs *v, unsigned n)
{
    return n > 0 && n <= v->made;
}

/* Is anything of ours there, so that it must outlive the process? */
static inline bool record_vfs_is_owned(const struct record_vfs *v)
{
    return v->made > 0 || v->autoprobe_off;
}

/* A worker is about to make so many, or (0) to take ours away. `sets_autoprobe`: it writes
 * sriov_drivers_autoprobe. */
void record_vfs_begin(struct record_vfs *v, unsigned number, bool sets_autoprobe);

/* It has ended. `result`: 0, -ESTALE (there are more than the plan knew: nothing was done, and a
 * new plan may try again), or what failed (another negative errno). */
void record_vfs_end(struct record_vfs *v, unsigned number, int result);

/* sriov_drivers_autoprobe was written back, or could not be. */
void record_vfs_autoprobe_restored(struct record_vfs *v, int result);

/* An event says that a driver has bound the device. What failed may be tried again. */
void record_vfs_bound(struct record_vfs *v);

/* The device was read anew while no worker had it, and has n. */
void record_vfs_look(struct record_vfs *v, unsigned n);

/* Ours are to be taken away. */
void record_vfs_release(struct record_vfs *v);

/* What failed may be tried again. */
void record_vfs_retry(struct record_vfs *v);
