/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl.h"

/* Calls a method of the daemon that changes something, with an address and no flags, or (address
 * NULL) without arguments. Says what went wrong; returns the exit code. */
int change_call(const struct ctl *c, const char *method, const char *address);
