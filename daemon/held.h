/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must outlive the process, in /run/vfio-bindd/state: what each device was before us, which
 * entries of the fence are in the kernel's table, and which workers may still hang in the kernel.
 * Written atomically. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "model/records.h"

/* A worker of an earlier run that is still alive. */
struct held_worker {
    struct pci_addr addr; /* what it works on */
    bool fence;           /* it does not work on a device, but on an entry of the fence */
    pid_t pid;
    unsigned long long start; /* field 22 of /proc/PID/stat: with the PID it names one process */
};

struct held_workers {
    struct held_worker *v;
    size_t n, allocated;
    char *saved; /* the file's text as held_save() left it; NULL: not yet */
};

void held_workers_done(struct held_workers *w);

/* Notes a worker that is about to do what may block; `a` is NULL for the fence. Returns 0 or
 * negative errno. */
int held_workers_add(struct held_workers *w, const struct pci_addr *a, pid_t pid);
void held_workers_drop(struct held_workers *w, pid_t pid);

/* Opens our folder in /run, which is made if necessary. Returns a descriptor (O_PATH) or negative
 * errno. */
int held_folder(int root_fd);

/* Makes sure that no other vfio-bindd works below this root. Returns a descriptor to be kept open,
 * -EWOULDBLOCK if there is another, or another negative errno. */
int held_lock(int root_fd);

/* Reads the state from its text, which is modified; workers that have ended are left out. Lines
 * that are not understood are skipped: losing the past is better than not starting. Returns 0 or
 * -ENOMEM. */
int held_read(char *text, struct records *r, struct held_workers *w);

/* Writes what held_read() reads. */
void held_write(FILE *f, const struct records *r, const struct held_workers *w);

/* Reads the file below root_fd. Returns 0 (also where there is none) or negative errno. */
int held_load(int root_fd, struct records *r, struct held_workers *w);

/* Replaces the file, unless nothing has changed since it was last written here. Returns 0 or
 * negative errno. */
int held_save(int root_fd, const struct records *r, struct held_workers *w);
