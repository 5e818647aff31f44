/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts for callers on the bus. The bus takes only valid UTF-8. sd-bus refuses to append anything
 * else, and an error with such a text would never reach the caller. So every text is made printable
 * here (base/printable.h); tests/walls forbids other ways. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/util.h"

/* Appends values: texts (made printable; NULL is ""), object paths, numbers, structures of these.
 * Returns 0 or negative errno. */
int bus_append(sd_bus_message *m, const char *types, ...);

/* Appends one text. */
int bus_append_format(sd_bus_message *m, const char *format, ...) PRINTF(2, 3);

/* Appends the words of a text, separated by blanks, as an array. */
int bus_append_words(sd_bus_message *m, const char *text);

/* Sets an error with a sentence for the caller. Returns its negative errno. */
int bus_error(sd_bus_error *e, const char *name, const char *format, ...) PRINTF(3, 4);

/* Answers a call with an error. Returns 0 or more, or negative errno. */
int bus_reply_error(sd_bus_message *call, const char *name, const char *format, ...) PRINTF(3, 4);
