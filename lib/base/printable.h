/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns bytes of any origin (files, /sys, the bus, the command line) into text that can be shown:
 * valid UTF-8 without control characters. All text is converted where it leaves the process: on the
 * bus (daemon/front/bus-text.h), in the journal, on stdout and stderr (printable-stream.h), in
 * JSON.
 *
 * A byte that is not part of a printable character becomes "\xNN". Besides invalid UTF-8 and
 * control characters, the following are not printable: characters that reorder or hide the text
 * around them (U+202E and the like), line separators, and what D-Bus does not accept as text.
 * Printable text stays unchanged, so a second conversion is harmless. */
#pragma once

#include <stddef.h>

#include "base/util.h"

/* The length of the printable character at the beginning of these n bytes; 0 if there is none. */
size_t printable_char(const char *bytes, size_t n);

/* Could these n bytes be the beginning of a printable character whose other bytes follow? */
bool printable_is_begun(const char *bytes, size_t n);

/* Writes printable text of at most size - 1 bytes and a NUL. Text that does not fit is cut, but
 * never within a character. Returns the length written. */
size_t printable(char *to, size_t size, const char *bytes, size_t n);

/* The same for a string, malloc'ed and never cut; NULL when out of memory. */
char *printable_copy(const char *text);

/* The same, but newlines and tabs are kept. */
char *printable_lines(const char *text);

/* Makes a word printable so that a message can quote it. A longer word is cut and ends in "...". */
#define QUOTED_MAX 40
struct quoted {
    char s[QUOTED_MAX + sizeof("...")];
};
struct quoted quoted(const char *text);
