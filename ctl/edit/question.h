/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl.h"

/* May it be done? Asks, unless --yes answers. With nobody to ask it says so, and that is a no. */
bool question_is_granted(const struct ctl *c, const char *question);
