/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bus of its own with the real daemon and its front on it, on a made-up host, and a polkit that
 * is none. */
#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "../unit/tree.h"

#define PRIVATE_BUS_FRONT                                                  \
    1 /* its user, where the tests run as root: the bus wants one it knows \
       */

struct private_bus {
    struct tree tree;
    pid_t bus, polkit, daemon, front;
    char daemon_log[96], polkit_log[96]; /* files */
};

/* Starts the bus and polkit. The host has /sys/bus/pci; more may be added before the daemon
 * starts. */
void private_bus_start(struct private_bus *p);

#define GPU "0000:06:00.0"

/* The same with a GPU that a rule selects and that is on vfio-pci already. */
void private_bus_start_with_gpu(struct private_bus *p);

/* Starts the daemon, and its front, and waits until that is on the bus. */
void private_bus_start_daemon(struct private_bus *p);

/* Starts the front of a daemon that runs. */
void private_bus_start_front(struct private_bus *p);

/* Ends the bus and starts another one; polkit does not come to that. */
void private_bus_restart_bus(struct private_bus *p);

/* Waits until the front is on the bus. */
void private_bus_wait(const struct private_bus *p);

/* Ends one of the processes. */
void private_bus_end(pid_t *process);

void private_bus_done(struct private_bus *p);

/* A new connection, of a user (root or others) who sees the bus. */
sd_bus *private_bus_connect(const struct private_bus *p);

/* Calls a method of an object. Returns the error's name, "" for none; the message goes to
 * *ret_message, the answer to *ret_reply, if those are wanted. No answer is a failure of the
 * test. */
const char *private_bus_call_at(sd_bus *bus, const char *path, const char *interface,
                                const char *member, char **ret_message, sd_bus_message **ret_reply,
                                const char *types, ...);

/* The same of the manager object. */
#define private_bus_call(bus, ...) private_bus_call_at(bus, BUS_PATH, __VA_ARGS__)

/* What was logged so far, or what polkit was asked: malloc'ed. */
char *private_bus_log(const char *path);
