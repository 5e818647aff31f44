/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/signals.h"

#include <signal.h>

int signals_loop_new(sd_event **ret, sd_event_signal_handler_t stop,
                     sd_event_signal_handler_t reload, void *userdata)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_IGN); /* workers need no wait(): their sockets show when they exit */
    signal(SIGPIPE, SIG_IGN);

    int r = sd_event_new(ret);
    if (r >= 0)
        r = sd_event_add_signal(*ret, NULL, SIGTERM, stop, userdata);
    if (r >= 0)
        r = sd_event_add_signal(*ret, NULL, SIGINT, stop, userdata);
    if (r >= 0)
        r = sd_event_add_signal(*ret, NULL, SIGHUP, reload, userdata);
    return r;
}
