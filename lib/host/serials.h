/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCIe device serial numbers, as lspci writes them.
 *
 * They are in the configuration space beyond its first 64 bytes; reading that takes CAP_SYS_ADMIN.
 * The daemon does not have it: it asks vfio-bindd-helper, and keeps what it was told in
 * /run/vfio-bindd/serials, which only root can read, and nobody else may have written. In that file
 * each address comes with the inode of the device's folder in /sys: another card at the same
 * address has another inode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/snapshot.h"

#define SERIALS_FOLDER "run/vfio-bindd"
#define SERIALS_FILE "serials"
#define SERIAL_MAX 24 /* 48-b0-2d-ff-ff-12-34-56 */

struct serial {
    struct pci_addr addr;
    uint64_t inode;
    char text[SERIAL_MAX]; /* empty: it has none */
};

struct serials {
    struct serial *v;
    size_t n, allocated;
};

void serials_done(struct serials *s);

/* Reads the file, if there is one. Returns 0 or negative errno. */
int serials_load(int root_fd, struct serials *ret);

/* The serial number of a device, malloc'ed: from its configuration space, or from the file. NULL:
 * it has none, or it cannot be read here (*ret_unread). `loaded` is what serials_load() returned.
 * Returns 0, or a negative errno if it is unknown; outputs are untouched then. */
int serials_get(int root_fd, const struct serials *s, int loaded, struct pci_addr a, char **ret,
                bool *ret_unread);

/* Is the text of this form? */
bool serial_is_valid(const char *text);

/* Reads the serial number of a device from its configuration space alone. Returns 0; -EPERM (too
 * little of it is shown), -ESTALE (it was another device meanwhile), or another negative errno. */
int serials_read(int root_fd, struct pci_addr a, struct serial *ret);

/* The file's text for the detailed devices of a snapshot, and for those others that `more` has,
 * malloc'ed; NULL when out of memory. */
char *serials_text(int root_fd, const struct snapshot *s, const struct serials *more);
