/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows the script of a run without a fault. Nothing is compared with the reference here:
 * the same daemon makes it, so it would agree with whatever the daemon leaves undone. */
#pragma once

#include "daemon.h"

/* Reading fails, the daemon starts in trouble, events are lost; then a reload finds a policy
 * without any rule. False: the run has failed. */
bool epilogue(struct run *r);
