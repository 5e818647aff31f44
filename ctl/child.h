/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Runs a program, without a shell, and waits for it. Returns its exit status; 128 if it was killed;
 * or negative errno. */
int spawn_and_wait(const char *path, const char *const words[]);
