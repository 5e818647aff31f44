/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks for the driver of an IOMMU that the firmware announces, and decides how long devices are
 * kept for it. A kernel event tells that the IOMMU has come (hotplug.h); this tells that it does
 * not come. */
#pragma once

#include <systemd/sd-event.h>

#include "plan/plan.h"

struct iommu_wait;

/* Called from the loop: the modules were asked for, and the IOMMU does not come. */
typedef void iommu_given_up(void *userdata);

/* Returns 0 or -ENOMEM. */
int iommu_wait_new(sd_event *event, int root_fd, iommu_given_up *given_up, void *userdata,
                   struct iommu_wait **ret);
void iommu_wait_free(struct iommu_wait *w);

/* Begins to wait when the plan keeps a device for an IOMMU, and stops when no device is kept any
 * more. If the IOMMU does not come, it is given up when the host is up, but not before `usec` have
 * passed. */
void iommu_wait_follow(struct iommu_wait *w, const struct plan *plan, uint64_t usec);

/* Lets the modules be asked for again. */
void iommu_wait_retry(struct iommu_wait *w);
