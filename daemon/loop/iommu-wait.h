/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests the driver of an IOMMU that the firmware announces, and decides how long devices are
 * kept for it. A kernel event shows that the IOMMU has appeared (hotplug.h); this decides that it
 * will not appear. */
#pragma once

#include <systemd/sd-event.h>

#include "plan/plan.h"

struct iommu_wait;

/* Called from the loop: the modules were requested, but the IOMMU did not appear. */
typedef void iommu_given_up(void *userdata);

/* Returns 0 or -ENOMEM. */
int iommu_wait_new(sd_event *event, int root_fd, iommu_given_up *given_up, void *userdata,
                   struct iommu_wait **ret);
void iommu_wait_free(struct iommu_wait *w);

/* Starts to wait when the plan keeps a device for an IOMMU, and stops when it keeps none any more.
 * Gives up when the boot is over, but not before `usec` have passed. */
void iommu_wait_follow(struct iommu_wait *w, const struct plan *plan, uint64_t usec);

/* Allows the modules to be requested again. */
void iommu_wait_retry(struct iommu_wait *w);
