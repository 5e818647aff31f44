/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one sequence: policy + snapshot -> plan -> apply -> rescan -> plan again -> tell. Start,
 * hot-plug, reload and lost events all take it. */
#pragma once

enum manager_mode {
    MANAGER_DAEMON,    /* listens for hot-plug events until it is told to stop */
    MANAGER_ONCE,      /* one pass */
    MANAGER_EARLY,     /* one pass in the initramfs (loop/early.h) */
    MANAGER_GIVE_BACK, /* the same, to hand back what the host may boot from: the initramfs waits in
                        * vain for the root file system */
};

struct starting;

struct manager_options {
    int root_fd;
    enum manager_mode mode;
    struct starting *starting; /* NULL: nobody supervises the start */
};

/* Runs until told to stop, or until the one pass is done. Returns 0; 1 if after the one pass not
 * everything selected is bound and usable; or negative errno. */
int manager_run(const struct manager_options *options);
