/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/vfio-bindd/features (for Node Feature Discovery) and /run/vfio-bindd/metrics.prom (for
 * Prometheus' node exporter), kept current while the policy asks for them. From there
 * vfio-bindd-features.path publishes them (publish.h).
 *
 * Each is replaced as a whole, when its contents change, and every few minutes: then the
 * features get a new time of expiry, and the age of the metrics shows that we live. What cannot be
 * written any more is removed rather than left to mislead. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct feature_files;

/* They are written at most once in interval_usec, since readers start a service for every change.
 * Returns 0 or negative errno. */
int feature_files_new(sd_event *event, int root_fd, uint64_t interval_usec,
                      struct feature_files **ret);

/* The view is settled: writes what is news about it; removes a file that the policy does not ask
 * for. Failures are logged, once until it succeeds again. */
void feature_files_update(struct feature_files *f, const struct view *view);

/* Removes the files, since nobody keeps them current any more. NULL is allowed. */
void feature_files_free(struct feature_files *f);
