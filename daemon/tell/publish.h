/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-bindd --publish: brings files from /run/vfio-bindd to where others look for them, in a
 * process and a sandbox of its own (vfio-bindd-features.service), since the daemon writes nowhere
 * else. */
#pragma once

#include <stddef.h>

/* Pairs of a source and a target. Each target becomes a copy (mode 0644), replaced as a whole, or
 * is removed where there is no source. Where the target's folder does not exist nothing is done.
 * What is news is printed. A pair that fails does not keep the others from being done.
 *
 * Metrics that name resources get kubelet's counts of these behind them, by its checkpoint; the
 * daemon has no business with kubelet's files. Where there is none, or it is not understood, they
 * go without.
 *
 * Returns 0 or the first negative errno. */
int publish_files(char *const *paths, size_t n, const char *checkpoint);
