/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd --publish: copies files from /run/vfio-bindd to where other programs expect them. It
 * runs in a service and sandbox of its own (vfio-bindd-features.service), since the daemon writes
 * nowhere else. */
#pragma once

#include <stddef.h>

/* Takes pairs of a source and a target. Each target is replaced as a whole with a copy (mode 0644),
 * or removed if the source does not exist. A pair whose target folder does not exist is skipped.
 * Changes are printed. A pair that fails does not stop the others.
 *
 * Metrics that name resources get kubelet's counts of these appended, from its checkpoint; the
 * daemon itself does not read kubelet's files. Without a checkpoint, or with one of an unknown
 * form, nothing is appended.
 *
 * Returns 0 or the first negative errno. */
int publish_files(char *const *paths, size_t n, const char *checkpoint);
