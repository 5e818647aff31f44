/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standard output and standard error that carry nothing but printable text, whatever is printed.
 * Line ends and tabs go through as well. */
#pragma once

#include <stdio.h>

/* Puts streams of this kind in the place of stdout and stderr. Where there is no memory for that
 * they stay as they are. */
void printable_stdout(void);
void printable_stderr(void);

/* Writes bytes of our own (colours, tables that libsmartcols has coloured) as they are, in order
 * with what was printed before. Returns 0 or negative errno. */
int printable_bypass(FILE *f, const char *bytes);
