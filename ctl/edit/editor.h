/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Lets the user edit a file with $SUDO_EDITOR, $VISUAL, $EDITOR, or an installed editor. Reports
 * errors; returns 0 or the exit code. */
int editor_run(const char *path);
