/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl.h"

/* Asks the question, followed by " (y/n)?", unless --yes was given. Without a terminal it prints an
 * error, and the answer is no. */
bool question_is_granted(const struct ctl *c, const char *question);
