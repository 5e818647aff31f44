/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cluster knows devices only by vendor:device and the name of a resource. This reduces policy and
 * devices to that. */
#pragma once

#include "export/form.h"

/* Finds the items. Reports what a list of IDs cannot express, what is not ready now, and which
 * names are refused. Returns 0 or an exit code. */
int export_items(struct export *e);
