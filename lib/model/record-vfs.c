/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/record-vfs.h"

#include <errno.h>

/* The number is always changed by way of 0. Until the change has ended, functions of both the old
 * and the new number are ours. */
void record_vfs_begin(struct record_vfs *v, unsigned number, bool sets_autoprobe)
{
    v->made_before = v->made;
    v->exact = false;
    if (number > v->made)
        v->made = (uint16_t)number;
    if (number > 0)
        v->autoprobe_off = v->autoprobe_off || sets_autoprobe;
    v->tried = true;
    v->error = 0;
}

/* After a failure it is unknown how far the worker came; the next scan shows it. */
void record_vfs_end(struct record_vfs *v, unsigned number, int result)
{
    if (result == -ESTALE || result == -EEXIST) { /* the next scan has the current number */
        v->made = result == -ESTALE ? v->made_before : 0;
        v->tried = false;
        return;
    }
    if (result < 0) {
        v->error = -result;
        return;
    }
    v->made = (uint16_t)number; /* if the next scan shows any after 0, they are somebody else's */
    if (number == 0)
        v->autoprobe_off = false;
}

void record_vfs_autoprobe_restored(struct record_vfs *v, int result)
{
    v->autoprobe_off = result < 0;
    v->restore_failed = result < 0;
}

/* Only after a failure. After a success this event is late: the operation needed a driver, and if
 * another driver was bound since, an unbind came before. The virtual functions may have been
 * removed since. */
void record_vfs_bound(struct record_vfs *v)
{
    v->restore_failed = false;
    if (v->error != 0)
        record_vfs_retry(v);
}

void record_vfs_look(struct record_vfs *v, unsigned n)
{
    const bool succeeded = v->tried && v->error == 0;

    if (n == 0 || (v->exact && n != v->made))
        v->made = 0;
    else if (succeeded && n < v->made) /* the kernel has made fewer */
        v->made = (uint16_t)n;
    v->exact = v->made > 0 && n == v->made;
}

void record_vfs_retry(struct record_vfs *v)
{
    v->tried = v->restore_failed = false;
    v->error = 0;
}

void record_vfs_release(struct record_vfs *v)
{
    record_vfs_retry(v);
    v->released = true;
}
