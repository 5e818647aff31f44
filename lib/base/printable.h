/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of any origin (files, /sys, the bus, the command line) as text that can be shown: valid
 * UTF-8 without control characters. Whatever leaves a process is made so where it leaves: on the
 * bus (daemon/tell/bus-text.h), in the journal, on standard output and standard error
 * (printable-stream.h), in JSON.
 *
 * A byte that is no part of a printable character becomes "\xNN". Not printable are, beside what is
 * not UTF-8 and the control characters, those that turn or hide the text around them (U+202E and
 * the like), line separators, and what D-Bus does not take as text. What is printable already stays
 * as it is, so doing it twice does no harm. */
#pragma once

#include <stddef.h>

#include "base/util.h"

/* How many bytes the printable character has with which these n begin; 0: they begin with none. */
size_t printable_char(const char *bytes, size_t n);

/* Could more bytes behind these n, all of them, make a printable character? */
bool printable_is_begun(const char *bytes, size_t n);

/* Writes a printable text of at most size - 1 bytes and NUL. What does not fit is left out, never a
 * part of a character. Returns the length written. */
size_t printable(char *to, size_t size, const char *bytes, size_t n);

/* The same of a string, malloc'ed and whole; NULL when out of memory. */
char *printable_copy(const char *text);

/* The same, but line ends and tabs stay. */
char *printable_lines(const char *text);

/* A word to be quoted in a message: printable, and not longer than this; "..." where it was cut. */
#define QUOTED_MAX 40
struct quoted {
    char s[QUOTED_MAX + sizeof("...")];
};
struct quoted quoted(const char *text);
