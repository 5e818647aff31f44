/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's loop, and the single pass: what makes the sequence (loop/sequence.h) begin, and
 * begin again: the start, hot-plug, reload, lost events, requests. */
#pragma once

enum manager_mode {
    MANAGER_DAEMON,    /* listens for hot-plug events until it is stopped */
    MANAGER_ONCE,      /* one pass */
    MANAGER_EARLY,     /* one pass in the initramfs (loop/early.h) */
    MANAGER_GIVE_BACK, /* the same, but hands back what the host may boot from, because the root
                          file system did not appear in the initramfs */
};

struct starting;

struct manager_options {
    int root_fd;
    enum manager_mode mode;
    struct starting *starting; /* NULL: there is no supervisor */
};

/* Runs until it is stopped, or until the single pass is done. Returns 0; 1 if after the single pass
 * not all selected devices are bound and usable; or negative errno. */
int manager_run(const struct manager_options *options);
