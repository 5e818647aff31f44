/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process has a device open. This must be known before its driver is taken away, since a
 * driver's remove() may wait until the last user closes.
 *
 * One pass over /proc/PID/fd: 7 system calls for each process and one for each descriptor, and
 * another one for descriptors below /dev. Their device numbers are compared, so neither names nor
 * mount namespaces matter. Other descriptors are not followed: that may ask a dead NFS server. The
 * pass does not see a descriptor that was passed over a socket and not received yet, one of a
 * thread with a table of its own, a node outside /dev, and a mapping whose descriptor is closed.
 * /proc/PID/maps would show the mapping, but reading it waits for a lock of the process, for ever
 * if the process hangs with it: one sick process would keep us from every device.
 *
 * Needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, and takes milliseconds to some 100 ms; and
 * nodes_of() may wait for a driver: for vfio-bindd-helper, or a worker. */
#pragma once

#include <sys/types.h>

#include "host/process.h"
#include "model/address.h"

#define HOLDER_TEXT_MAX PROCESS_UNIT_MAX

/* Texts are printable (base/printable.h): what a process is called is its own choice. */
struct holder {
    struct pci_addr addr; /* which of the devices */
    pid_t pid;
    char command[64];           /* as ps has it */
    char unit[HOLDER_TEXT_MAX]; /* "x.service", "y.scope", or from "kubepods" on; empty: none */
    char node[HOLDER_TEXT_MAX]; /* what it has open: "/dev/dri/card0" */
};

/* The process that wants to know, and its parent: neither it nor the parent's other children, its
 * fellow workers, count. NULL in what follows: this process. */
struct asker {
    pid_t pid, parent;
};

/* Looks for one process other than the asker that has any of these devices open. Returns 1 with
 * *ret filled; 0: none seen; or a negative errno if none was seen and not everything could be
 * looked at (-EACCES: processes that we may not look at): not seen is not free. Devices without any
 * node cannot be open: then nobody is looked for. */
int holders_find(int root_fd, const struct asker *asker, const struct pci_addr *addrs, size_t n,
                 struct holder *ret);

/* The same for a device that a VFIO driver has: whoever has its IOMMU group open holds it too. On
 * older kernels (6.1, 6.12) a descriptor of a VFIO device does not tell which device it is. A
 * process that has one, and no open group that would explain it, is reported as well, with the node
 * "a VFIO device". */
int holders_vfio(int root_fd, const struct asker *asker, uint32_t group, struct pci_addr a,
                 struct holder *ret);
