/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacements of stdout and stderr that write only printable text, whatever is printed. Newlines
 * and tabs are kept. */
#pragma once

#include <stdio.h>

/* Replace stdout and stderr. Out of memory, they stay as they are. */
void printable_stdout(void);
void printable_stderr(void);

/* Writes our own bytes (colours, tables coloured by libsmartcols) unchanged, after everything that
 * was printed before. Returns 0 or negative errno. */
int printable_bypass(FILE *f, const char *bytes);
