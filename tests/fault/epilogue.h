/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows the script of a run without a fault. Nothing is compared with a reference here,
 * which is made by the same daemon and would agree with whatever it leaves undone. */
#pragma once

#include "daemon.h"

/* Events are lost; then a reload finds a policy without any rule. False: the run has failed. */
bool epilogue(struct run *r);
