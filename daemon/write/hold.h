/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps an IOMMU group from virtual machines while its devices are unbound. Used only in worker
 * processes, since opening a device resets it.
 *
 * With the node of the group: opening it fails while anybody has the group or one of its devices,
 * and while we have it open nobody else can use either. This does not block an unbind.
 *
 * If the kernel makes only nodes for devices: each device of the group is opened and bound to an
 * iommufd of ours. That fails while anybody else has it bound, and afterwards nobody else can bind
 * it. But an unbind waits until the device is closed. The kernel asks for that through an eventfd,
 * after it has removed the node, so that nobody can open the device any more. Then a thread closes
 * the device, and the unbind continues. Somebody may have opened the node before, without being
 * able to bind the device (holders.h finds them). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hold;

/* Returns 0, -EBUSY (somebody has it) or another negative errno. */
int hold_new(int root_fd, uint32_t group, struct hold **ret);

/* Is it held through the nodes of its devices? */
bool hold_is_by_devices(const struct hold *h);

/* Closes the devices: no native driver can have a device of the group while another one is bound to
 * an iommufd. When this is called, one device is about to get a native driver, so no virtual
 * machine can use the group in any case. */
void hold_let_go_devices(struct hold *h);

void hold_free(struct hold *h);
