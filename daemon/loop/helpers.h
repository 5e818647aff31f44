/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio-bindd-helper does for us, since we lack the privileges: it loads modules of variant
 * drivers and of a virtual IOMMU, and reads serial numbers. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct helpers;

struct helpers_handler {
    /* More serial numbers are known, or will not be. */
    void (*serials)(void *userdata);
    /* The module of a variant driver is loaded, or will not be: see variants.h. */
    void (*variant)(void *userdata, const char *module);
    /* The IOMMU that devices are kept for does not come. */
    void (*iommu_given_up)(void *userdata);
    void *userdata;
};

/* Returns 0 or -ENOMEM. All other functions accept NULL, for a run without helpers. */
int helpers_new(sd_event *event, const struct view *view, const struct helpers_handler *handler,
                struct helpers **ret);
void helpers_free(struct helpers *h);

/* Asks for what the plan calls for. */
void helpers_ask(struct helpers *h);

/* Let what was asked for in vain be asked for again: all of it, or a part. */
void helpers_retry(struct helpers *h);
void helpers_retry_serials(struct helpers *h);
void helpers_retry_iommu(struct helpers *h);

/* Is an answer still to come that the first pass must wait for? */
bool helpers_are_awaited(const struct helpers *h);
