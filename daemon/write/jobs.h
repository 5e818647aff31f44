/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: workers, their operations, and how long these may take. The caller (apply.c) handles the
 * results. */
#pragma once

#include <systemd/sd-event.h>

#include "write/worker.h"

struct jobs;

struct job {
    struct jobs *jobs;
    struct job *next;
    struct worker *worker;  /* NULL: a worker of an earlier run, which is only waited for */
    struct pci_addr *addrs; /* room for the devices of all its operations */
    pid_t pid;              /* PID of a worker of an earlier run */
    sd_event_source *source;
    uint32_t group;    /* the IOMMU group of an isolated job, or NO_GROUP */
    bool waiting;      /* its operations are set, and it will be started */
    bool busy;         /* waiting or running */
    bool isolated;     /* it has a worker of its own, like a rebind or a release */
    bool cancelled;    /* it hangs: it will do nothing after `hanging` */
    bool overdue;      /* it hangs and is past its deadline */
    bool ended;        /* about to be freed: gets no further operations */
    struct op hanging; /* the operation at which it hangs; for a worker of an earlier run only the
                          device is known */
};

struct jobs_handler {
    void *userdata;
    /* The job is done. `ended`: its worker has exited, or the operation of a cancelled job has
     * finally returned. */
    void (*done)(void *userdata, struct job *j, bool ended);
    /* The operation j->hanging takes too long. The job was cancelled, and does nothing after that
     * operation. */
    void (*hangs)(void *userdata, struct job *j);
    /* The operation j->hanging has now taken longer than the timeout. */
    void (*overdue)(void *userdata, struct job *j);
    /* A worker of an earlier run has exited. The job has been freed; this is a copy. */
    void (*old_ended)(void *userdata, const struct job *j);
};

/* Forks the first worker at once, while the process is small. Returns 0 or negative errno. */
int jobs_new(sd_event *event, int root_fd, const struct jobs_handler *handler, struct jobs **ret);
void jobs_free(struct jobs *jobs);

/* Sets the time that an operation may take, in microseconds. */
void jobs_set_timeout(struct jobs *jobs, uint64_t usec);

/* When to check a job again whose operation began at `since_usec` and may take `patience_usec`: at
 * the end of that time, but at the latest `timeout_usec` from now, since its next operation may not
 * take longer than that. */
uint64_t jobs_look_usec(uint64_t since_usec, uint64_t patience_usec, uint64_t timeout_usec,
                        uint64_t now);

/* The first job; `next` points to the following one. */
struct job *jobs_list(const struct jobs *jobs);

/* An idle worker with room for this many operations, or NULL. Not for isolated jobs. */
struct job *jobs_idle(struct jobs *jobs, size_t capacity);

/* Forks a worker. Returns 0 or negative errno. */
int job_new(struct jobs *jobs, size_t capacity, struct job **ret);

/* Adds a worker of an earlier run that hangs: busy, isolated, cancelled and overdue. Returns 0,
 * -ESRCH if it has exited, or another negative errno. */
int job_new_old(struct jobs *jobs, pid_t pid, struct job **ret);

void job_free(struct job *j);

/* Starts the waiting jobs, one in each turn of the loop. Returns 0 or negative errno. */
int jobs_start(struct jobs *jobs);

/* Stops starting waiting jobs. */
void jobs_stop(struct jobs *jobs);

/* Call this when jobs have begun: watches their time. */
void jobs_watch(struct jobs *jobs);
