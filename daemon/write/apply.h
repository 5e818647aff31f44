/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out plans: passes actions to workers, watches their deadlines, and enters the results
 * into the records. It makes no decisions; the next plan does. */
#pragma once

#include <systemd/sd-event.h>

#include "plan/plan.h"

#define APPLY_REBINDS_MAX 32 /* maximum number of workers at once; others have to wait */

struct apply;

/* Called from the loop when workers have finished with these devices (or were given up): their
 * state in /sys must be read again. */
typedef void (*apply_done)(void *userdata, const struct pci_addr *addrs, size_t n);

/* `records` must outlive it. Forks the first worker at once, while the process is small. Workers of
 * an earlier run that still hang in the kernel, as recorded in /run, are adopted. Returns 0 or
 * negative errno. */
int apply_new(sd_event *event, int root_fd, struct records *records, apply_done done,
              void *userdata, struct apply **ret);
void apply_free(struct apply *a);

void apply_set_timeout(struct apply *a, uint64_t usec);

/* Starts what can be started now: overrides and binds of free devices in one job; once no such job
 * is running, rebinds, each in a worker of its own. Returns 0 or negative errno. */
int apply_plan(struct apply *a, const struct plan *plan);

/* The devices that apply_plan() would now unbind from a native driver, limited by the number of
 * free workers. Returns their number. */
size_t apply_next_rebinds(const struct apply *a, const struct plan *plan,
                          struct pci_addr ret[static APPLY_REBINDS_MAX]);

/* Is there work in progress that is not stuck? */
bool apply_is_busy(const struct apply *a);

/* Are overrides being written, or free devices bound? Rebinds and releases do not count. */
bool apply_batch_is_running(const struct apply *a);

/* The daemon is about to exit: no further rebind is started, and dynamic IDs that also match
 * unselected devices are removed from the kernel's table. Returns 0 or negative errno. -EAGAIN:
 * entries are being written, so this must be called again when that is over. */
int apply_withdraw(struct apply *a);

/* Is there work in progress that a stop should wait for? */
bool apply_is_ending(const struct apply *a);

/* Writes what must survive a restart. Returns 0 or negative errno. */
int apply_save(struct apply *a);
