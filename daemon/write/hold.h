/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps an IOMMU group from virtual machines while its devices are unbound. In worker processes
 * alone, since opening a device resets it.
 *
 * By the group's node: opening it fails while anybody has the group or a device of it, and while we
 * have it open nobody else can use either. That does not hinder an unbind.
 *
 * Where the kernel makes nodes of devices alone: each device of the group is opened and bound to an
 * iommufd of ours, which fails while anybody else has it bound, and while it is ours nobody else
 * can bind it. But an unbind waits until the device is closed. It asks for that by an eventfd when
 * it has removed the node, so that nobody can open the device any more; a thread closes the device
 * then, and the unbind goes on. Somebody may have opened the node before, without being able to
 * bind the device (holders.h finds them). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hold;

/* Returns 0; -EBUSY: somebody has it; or another negative errno. */
int hold_new(int root_fd, uint32_t group, struct hold **ret);

/* Is it kept by its devices' nodes? */
bool hold_is_by_devices(const struct hold *h);

/* No native driver can have a device of the group while another one is bound to an iommufd. When
 * this is called, no virtual machine can have the group in any case: it has a native driver next.
 */
void hold_let_go_devices(struct hold *h);

void hold_free(struct hold *h);
