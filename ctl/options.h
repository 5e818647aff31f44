/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options: one table says what each is called, what it does, and which verbs take it. */
#pragma once

#include "ctl.h"

/* What is wrong with the command line, and where to read on. Returns EXIT_USAGE. */
int options_usage(const char *what, const char *word);

/* Reads all options; *ret_first is the index of the first word that is none. Returns 0, or
 * EXIT_USAGE after saying why. --help and --version end up in *c. */
int options_read(struct ctl *c, int argc, char **argv, int *ret_first);

/* An option that the verb would silently ignore is an error of the user's. Returns 0 or EXIT_USAGE.
 */
int options_check(const struct ctl *c);

/* Prints a line for each option that the verb takes; NULL: for all options but export's. */
void options_print(const char *verb);

/* The same for what only export takes. */
void options_print_export(void);
