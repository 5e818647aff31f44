/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON, as every verb prints it (docs/json.md). json_end() ends an object or array that was begun;
 * commas, line breaks and quotes are added automatically. A member of an object has a key; for an
 * item of an array it is NULL. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/util.h"

#define JSON_DEPTH_MAX 8

struct json {
    FILE *f;
    bool compact; /* all on one line */
    unsigned depth;
    struct json_level {
        char end; /* '}' or ']' */
        bool used;
    } levels[JSON_DEPTH_MAX];
};

/* The document is an object. */
void json_begin(struct json *j, FILE *f, bool compact);

/* Ends the document. Write errors are in the stream. */
void json_finish(struct json *j);

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);

void json_text(struct json *j, const char *key, const char *text); /* NULL and "" become null */
void json_number(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool yes);
void json_null(struct json *j, const char *key);

/* A number that is available as text; anything but a whole number becomes null. */
void json_digits(struct json *j, const char *key, const char *text);

/* An array of words, which are separated by one of these characters. */
void json_words(struct json *j, const char *key, const char *words, const char *separators);
