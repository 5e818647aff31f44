/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the kernel's events that cannot be about PCI devices from waking the daemon: libudev looks
 * at the subsystem of the kernel's own events only when it has received them, and a host that
 * starts containers has thousands for network interfaces. */
#pragma once

/* Attaches the filter to a socket for kernel events, in place of any that it has. Returns 0 or
 * negative errno. */
int uevent_filter(int fd);
