/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drops kernel events that cannot be about PCI devices, so that they do not wake the daemon.
 * libudev checks the subsystem of the kernel's own events only after it has received them, and a
 * host that starts containers has thousands of events about network interfaces. */
#pragma once

/* Attaches the filter to a socket for kernel events, in place of any existing filter. Returns 0 or
 * negative errno. */
int uevent_filter(int fd);
