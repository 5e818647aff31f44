/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the containers that run on this node, as containerd describes them to the runtime. */
#pragma once

#include "check/findings.h"

/* Calls `each` with the description (config.json of the OCI: image, environment, arguments) of
 * every container of a pod. There are none where another runtime is used. */
typedef void (*check_container)(const char *description, void *data);
void check_containers(struct check *c, check_container each, void *data);
