/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must outlive the process, in /run/vfio-bindd/state: the earlier state of each device, the
 * dynamic IDs in the kernel's table, and workers that may still hang in the kernel. Written
 * atomically. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "model/records.h"

/* A worker that may hang in the kernel, perhaps since an earlier run. */
struct recorded_worker {
    struct pci_addr addr; /* the device that it works on */
    bool dynid;           /* it works on a dynamic ID, not on a device */
    pid_t pid;
    unsigned long long
        start; /* field 22 of /proc/PID/stat: together with the PID it identifies a process */
};

/* The version of the file format. It is increased when an older program would misinterpret a line.
 * Unknown lines are skipped. */
#define RECORD_FILE_FORMAT 1

struct recorded_workers {
    struct recorded_worker *v;
    size_t n, allocated;
    unsigned format;     /* of the file that was read; 0: it has none */
    size_t saved_size;   /* size of the file as last written by record_file_save() */
    uint32_t saved_hash; /* hash of its contents; both are 0 before */
};

void recorded_workers_done(struct recorded_workers *w);

/* Records a worker before it does something that may block; `a` is NULL for a dynamic ID. Returns 0
 * or negative errno. */
int recorded_workers_add(struct recorded_workers *w, const struct pci_addr *a, pid_t pid);
void recorded_workers_drop(struct recorded_workers *w, pid_t pid);

/* The worker has moved on to this device, or to a dynamic ID (NULL). Returns false if it is not
 * recorded. */
bool recorded_workers_move(struct recorded_workers *w, pid_t pid, const struct pci_addr *a);

/* Opens our folder in /run, and creates it if necessary. Returns a descriptor (O_PATH) or negative
 * errno. */
int record_file_folder(int root_fd);

/* Ensures that no other vfio-bindd works below this root. Returns a descriptor, which must be kept
 * open; -EWOULDBLOCK if there is another one and `wait` is false; or another negative errno. */
int record_file_lock(int root_fd, bool wait);

/* Parses the text of the file, and modifies it. Workers that have exited are left out. Unknown
 * lines are skipped: starting without some of the past is better than not starting. Returns 0 or
 * -ENOMEM. */
int record_file_read(char *text, struct records *r, struct recorded_workers *w);

/* Writes the text that record_file_read() parses. */
void record_file_write(FILE *f, const struct records *r, const struct recorded_workers *w);

/* Reads the file below root_fd. Returns 0 (also if there is none), -EPERM (others than root can
 * change it) or another negative errno. */
int record_file_load(int root_fd, struct records *r, struct recorded_workers *w);

/* Replaces the file, unless nothing has changed since it was last written here. Returns 0 or
 * negative errno. */
int record_file_save(int root_fd, const struct records *r, struct recorded_workers *w);
