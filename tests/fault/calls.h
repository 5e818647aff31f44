/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's calls into the model of the kernel. */
#pragma once

#include "host.h"

/* Gives the model this host's locks, hangs and events. */
void calls_init(void);
