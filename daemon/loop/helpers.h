/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to vfio-bindd-helper, which has privileges that the daemon lacks: it loads modules of
 * variant drivers and of a virtual IOMMU, and reads serial numbers. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct helpers;

struct helpers_handler {
    /* More serial numbers are known, or no more will be. */
    void (*serials)(void *userdata);
    /* The module of a variant driver is loaded, or cannot be: see variants.h. */
    void (*variant)(void *userdata, const char *module);
    /* The IOMMU for which devices were kept will not appear. */
    void (*iommu_given_up)(void *userdata);
    void *userdata;
};

/* Returns 0 or -ENOMEM. All other functions accept NULL, for a run without helpers. */
int helpers_new(sd_event *event, const struct view *view, const struct helpers_handler *handler,
                struct helpers **ret);
void helpers_free(struct helpers *h);

/* Sends the requests that the plan makes necessary. */
void helpers_ask(struct helpers *h);

/* Allow failed requests to be sent again: all of them, or one kind. */
void helpers_retry(struct helpers *h);
void helpers_retry_serials(struct helpers *h);
void helpers_retry_iommu(struct helpers *h);

/* Is there a pending answer that the first pass must wait for? */
bool helpers_are_awaited(const struct helpers *h);
