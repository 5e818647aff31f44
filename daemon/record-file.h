/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must outlive the process, in /run/vfio-bindd/state: what each device was before us, which
 * dynamic IDs are in the kernel's table, and which workers may still hang in the kernel. Written
 * atomically. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "model/records.h"

/* A worker that may hang in the kernel, perhaps since an earlier run. */
struct recorded_worker {
    struct pci_addr addr; /* the device that it works on */
    bool dynid;           /* it does not work on a device, but on a dynamic ID */
    pid_t pid;
    unsigned long long start; /* field 22 of /proc/PID/stat: with the PID it names one process */
};

/* Of the file. It grows when an older program would take a line for something else. What it only
 * does not know it passes over. */
#define RECORD_FILE_FORMAT 1

struct recorded_workers {
    struct recorded_worker *v;
    size_t n, allocated;
    unsigned format;     /* of the file that was read; 0: it says none */
    size_t saved_size;   /* size of the file as record_file_save() left it */
    uint32_t saved_hash; /* hash of its contents; both are 0 until then */
};

void recorded_workers_done(struct recorded_workers *w);

/* Records a worker that is about to do what may block; `a` is NULL for a dynamic ID. Returns 0 or
 * negative errno. */
int recorded_workers_add(struct recorded_workers *w, const struct pci_addr *a, pid_t pid);
void recorded_workers_drop(struct recorded_workers *w, pid_t pid);

/* It is at this device now, or at a dynamic ID (NULL). False: it is not recorded. */
bool recorded_workers_move(struct recorded_workers *w, pid_t pid, const struct pci_addr *a);

/* Opens our folder in /run, which is made if necessary. Returns a descriptor (O_PATH) or negative
 * errno. */
int record_file_folder(int root_fd);

/* Makes sure that no other vfio-bindd works below this root. Returns a descriptor to be kept open,
 * -EWOULDBLOCK if there is another and it is not waited for, or another negative errno. */
int record_file_lock(int root_fd, bool wait);

/* Reads the state from its text, which is modified; workers that have ended are left out. Lines
 * that are not understood are skipped: losing the past is better than not starting. Returns 0 or
 * -ENOMEM. */
int record_file_read(char *text, struct records *r, struct recorded_workers *w);

/* Writes what record_file_read() reads. */
void record_file_write(FILE *f, const struct records *r, const struct recorded_workers *w);

/* Reads the file below root_fd. Returns 0 (also where there is none), -EPERM (others than root can
 * change it) or another negative errno. */
int record_file_load(int root_fd, struct records *r, struct recorded_workers *w);

/* Replaces the file, unless nothing has changed since it was last written here. Returns 0 or
 * negative errno. */
int record_file_save(int root_fd, const struct records *r, struct recorded_workers *w);
