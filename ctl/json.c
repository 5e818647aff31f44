/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <assert.h>
#include <inttypes.h>

#include "base/printable.h"

static void write_string(FILE *f, const char *s, size_t n)
{
    CLEANUP_FREE char *text = strndup(s, n);
    CLEANUP_FREE char *clean = text ? printable_lines(text) : NULL;

    fputc('"', f);
    for (const char *c = clean ? clean : "out of memory"; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if (*c == '\n' || *c == '\t')
            fprintf(f, "\\%c", *c == '\n' ? 'n' : 't');
        else
            fputc(*c, f);
    }
    fputc('"', f);
}

static void new_line(struct json *j)
{
    if (!j->compact)
        fprintf(j->f, "\n%*s", (int)(3 * j->depth), "");
}

/* Writes a comma, a line break and the key of the next value. */
static void begin_value(struct json *j, const char *key)
{
    if (j->depth == 0)
        return;
    struct json_level *l = &j->levels[j->depth - 1];
    assert(!key == (l->end == ']'));
    if (l->used)
        fputs(j->compact ? ", " : ",", j->f);
    l->used = true;
    new_line(j);
    if (!key)
        return;
    write_string(j->f, key, strlen(key));
    fputs(": ", j->f);
}

static void begin_level(struct json *j, const char *key, char begin, char end)
{
    assert(j->depth < JSON_DEPTH_MAX);
    begin_value(j, key);
    fputc(begin, j->f);
    j->levels[j->depth++] = (struct json_level){.end = end};
}

void json_begin(struct json *j, FILE *f, bool compact)
{
    *j = (struct json){.f = f, .compact = compact};
    begin_level(j, NULL, '{', '}');
}

void json_object(struct json *j, const char *key)
{
    begin_level(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
    begin_level(j, key, '[', ']');
}

void json_end(struct json *j)
{
    assert(j->depth > 0);
    struct json_level l = j->levels[--j->depth];

    if (l.used)
        new_line(j);
    fputc(l.end, j->f);
}

void json_finish(struct json *j)
{
    json_end(j);
    assert(j->depth == 0);
    fputc('\n', j->f);
}

void json_text(struct json *j, const char *key, const char *text)
{
    begin_value(j, key);
    if (text && *text)
        write_string(j->f, text, strlen(text));
    else
        fputs("null", j->f);
}

void json_number(struct json *j, const char *key, uint64_t n)
{
    begin_value(j, key);
    fprintf(j->f, "%" PRIu64, n);
}

void json_bool(struct json *j, const char *key, bool yes)
{
    begin_value(j, key);
    fputs(yes ? "true" : "false", j->f);
}

void json_null(struct json *j, const char *key)
{
    json_text(j, key, NULL);
}

/* Leading zeroes are not allowed in JSON. */
void json_digits(struct json *j, const char *key, const char *text)
{
    const char *digits = text && *text == '-' ? text + 1 : text;
    bool number = digits && *digits && !digits[strspn(digits, "0123456789")] &&
                  (*digits != '0' || !digits[1]);

    begin_value(j, key);
    fputs(number ? text : "null", j->f);
}

void json_words(struct json *j, const char *key, const char *words, const char *separators)
{
    json_array(j, key);
    while (words && *(words += strspn(words, separators))) {
        size_t n = strcspn(words, separators);
        begin_value(j, NULL);
        write_string(j->f, words, n);
        words += n;
    }
    json_end(j);
}
