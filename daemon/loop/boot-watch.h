/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detects the end of the boot (scan_boot()) by inotify, without polling. */
#pragma once

#include <systemd/sd-event.h>

struct boot_watch;

typedef void boot_watch_over(void *userdata);

/* Calls `over` when the file that marks the end of the boot appears. Returns 0 or negative
 * errno. */
int boot_watch_new(sd_event *event, int root_fd, boot_watch_over *over, void *userdata,
                   struct boot_watch **ret);
void boot_watch_free(struct boot_watch *w);
