/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the containers that run on this node, from containerd's files for the runtime. */
#pragma once

#include "check/findings.h"

/* Calls `each` with the description (OCI's config.json: image, environment, arguments) of every
 * container of a pod. With another runtime none are found. */
typedef void (*check_container)(const char *description, void *data);
void check_containers(struct check *c, check_container each, void *data);
