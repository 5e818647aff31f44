/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's calls into the model of the kernel. */
#pragma once

#include "host.h"

/* Lets the model wait, hang and tell as this host does. */
void calls_init(void);
