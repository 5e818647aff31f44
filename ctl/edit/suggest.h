/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy made from the devices that are present. */
#pragma once

#include "source.h"

/* Writes a policy that is valid as it is. `commented`: every line of a rule begins with '#', for a
 * file that will be edited. */
void suggest_write(const struct source *s, bool commented, FILE *f);
