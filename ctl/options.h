/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options: one table with their names, descriptions, and the verbs that take them. */
#pragma once

#include "ctl.h"

/* Prints what is wrong with the command line, and where to read more. Returns EXIT_USAGE. */
int options_usage(const char *what, const char *word);

/* Reads all options; *ret_first is the index of the first other word. Returns 0, or EXIT_USAGE
 * after printing the error. --help and --version are set in *c. */
int options_read(struct ctl *c, int argc, char **argv, int *ret_first);

/* It is an error to give an option that the verb does not take. Returns 0 or EXIT_USAGE. */
int options_check(const struct ctl *c);

/* Prints a line for each option of the verb; NULL: for all options except those of export. */
void options_print(const char *verb);

/* The same for the options of export. */
void options_print_export(void);
