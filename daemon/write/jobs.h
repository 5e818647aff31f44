/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: workers, what they do, and how long they may take over it. What a job's results mean is for
 * whoever handles them (apply.c). */
#pragma once

#include <systemd/sd-event.h>

#include "write/worker.h"

struct jobs;

struct job {
    struct jobs *jobs;
    struct job *next;
    struct worker *worker;  /* NULL: the worker is of an earlier run, and is only waited for */
    struct pci_addr *addrs; /* room for the devices of all its operations */
    pid_t pid;              /* of a worker of an earlier run */
    sd_event_source *source;
    uint32_t group;    /* the IOMMU group of an isolated job, or NO_GROUP */
    bool waiting;      /* its operations are written down, it will be started */
    bool busy;         /* waiting or running */
    bool isolated;     /* it has a worker of its own, like a rebind or a release */
    bool cancelled;    /* it hangs: it will do nothing after `hanging` */
    bool overdue;      /* it hangs and is past its deadline */
    bool ended;        /* about to be freed: gets no further job */
    struct op hanging; /* the operation at which it hangs; of an earlier run's worker only the
                          device is known */
};

struct jobs_handler {
    void *userdata;
    /* The job is done. `ended`: its worker has ended, or the operation of a cancelled job has
     * returned at last. */
    void (*done)(void *userdata, struct job *j, bool ended);
    /* The operation j->hanging takes too long. The job was cancelled, and does nothing after that
     * operation. */
    void (*hangs)(void *userdata, struct job *j);
    /* The operation j->hanging has now taken longer than the timeout. */
    void (*overdue)(void *userdata, struct job *j);
    /* An earlier run's worker has ended; the job is freed already, this is a copy. */
    void (*old_ended)(void *userdata, const struct job *j);
};

/* Forks the first worker at once, while the process is small. Returns 0 or negative errno. */
int jobs_new(sd_event *event, int root_fd, const struct jobs_handler *handler, struct jobs **ret);
void jobs_free(struct jobs *jobs);

/* How long an operation may take: microseconds. */
void jobs_set_timeout(struct jobs *jobs, uint64_t usec);

/* When to look again at a job that is at an operation since `since_usec`, which may take
 * `patience_usec`: then, but within `timeout_usec` from now, since its next operation may take no
 * longer than that. */
uint64_t jobs_look_usec(uint64_t since_usec, uint64_t patience_usec, uint64_t timeout_usec,
                        uint64_t now);

/* The first job; `next` leads to the others. */
struct job *jobs_list(const struct jobs *jobs);

/* A worker that waits for a job of this many operations, or NULL. Not for isolated jobs. */
struct job *jobs_idle(struct jobs *jobs, size_t capacity);

/* Forks a worker. Returns 0 or negative errno. */
int job_new(struct jobs *jobs, size_t capacity, struct job **ret);

/* Adds an earlier run's worker that hangs: busy, isolated, cancelled and overdue. Returns 0, -ESRCH
 * if it has ended, or another negative errno. */
int job_new_old(struct jobs *jobs, pid_t pid, struct job **ret);

void job_free(struct job *j);

/* Starts the jobs that wait, one in each turn of the loop. Returns 0 or negative errno. */
int jobs_start(struct jobs *jobs);

/* From now on no waiting job is started. */
void jobs_stop(struct jobs *jobs);

/* To be called when jobs have begun: watches their time. */
void jobs_watch(struct jobs *jobs);
