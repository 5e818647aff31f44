/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/vfio-bindd/features (for Node Feature Discovery) and /run/vfio-bindd/metrics.prom (for
 * Prometheus' node exporter), kept current while the policy asks for them. vfio-bindd-features.path
 * publishes them from there (publish.h).
 *
 * Each is replaced as a whole when its contents change, and every few minutes: the features then
 * get a new time of expiry, and the age of the metrics shows that the daemon is alive. A file that
 * cannot be updated is removed, since it would mislead. */
#pragma once

#include <systemd/sd-event.h>

#include "view.h"

struct feature_files;

/* The files are written at most once in interval_usec, since each change starts a service. Returns
 * 0 or negative errno. */
int feature_files_new(sd_event *event, int root_fd, uint64_t interval_usec,
                      struct feature_files **ret);

/* Writes the changes of a settled view, and removes a file that the policy does not ask for. A
 * failure is logged once, until a write succeeds again. */
void feature_files_update(struct feature_files *f, const struct view *view);

/* Removes the files, since nobody keeps them current any longer. NULL is allowed. */
void feature_files_free(struct feature_files *f);
