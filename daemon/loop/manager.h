/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one sequence: policy + snapshot -> plan -> apply -> rescan -> plan again -> tell. Start,
 * hot-plug, reload and lost events all take it. */
#pragma once

#include <stdbool.h>

struct manager_options {
    int root_fd;
    bool once;   /* one pass, then exit */
    bool listen; /* listen for hot-plug events */
};

/* Runs until told to stop, or, with `once`, until the first pass is done. Returns 0; 1 if with
 * `once` not everything selected is bound and usable; or negative errno. */
int manager_run(const struct manager_options *options);
