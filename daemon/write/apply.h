/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out plans: hands actions to workers, watches their deadlines, writes the results into the
 * records. Decides nothing: what to do next is for the next plan. */
#pragma once

#include <systemd/sd-event.h>

#include "plan/plan.h"

#define APPLY_REBINDS_MAX 32 /* workers at once; more wait their turn */

struct apply;

/* Called from the loop when workers are done with these devices (or given up on them): their state
 * in /sys must be read anew. */
typedef void (*apply_done)(void *userdata, const struct pci_addr *addrs, size_t n);

/* records must outlive it. Forks the first worker at once, while the process is small. Workers of
 * an earlier run that still hang in the kernel are adopted, as recorded in /run. Returns 0 or
 * negative errno. */
int apply_new(sd_event *event, int root_fd, struct records *records, apply_done done,
              void *userdata, struct apply **ret);
void apply_free(struct apply *a);

void apply_set_timeout(struct apply *a, uint64_t usec);

/* Starts what can be started now: overrides and binds of free devices in one job; rebinds, each in
 * a worker of its own, once no such job runs. Returns 0 or negative errno. */
int apply_plan(struct apply *a, const struct plan *plan);

/* The devices that apply_plan() would take off a native driver now, as far as workers are free.
 * Returns their number. */
size_t apply_next_rebinds(const struct apply *a, const struct plan *plan,
                          struct pci_addr ret[static APPLY_REBINDS_MAX]);

/* Is work under way that is not stuck? */
bool apply_is_busy(const struct apply *a);

/* Are overrides being written, or free devices bound? Rebinds and releases do not count. */
bool apply_batch_is_running(const struct apply *a);

/* The daemon is about to end: no rebind begins any more, and dynamic IDs that also fit unselected
 * devices are removed from the kernel's table. Returns 0 or negative errno. */
int apply_withdraw(struct apply *a);

/* Is work still running that a stop should wait for? */
bool apply_is_ending(const struct apply *a);

/* Writes what must survive a restart. Returns 0 or negative errno. */
int apply_save(struct apply *a);
