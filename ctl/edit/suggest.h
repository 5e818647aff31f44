/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy made from the devices that are present. */
#pragma once

#include "source.h"

/* Writes it as text that vfio-bindd accepts as it is. `commented`: every rule with a '#' before its
 * lines, for a file that is to be edited. */
void suggest_write(const struct source *s, bool commented, FILE *f);
