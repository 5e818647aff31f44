/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "export/yaml-doc.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

void doc_done(struct doc *d)
{
    for (size_t i = 0; i < d->n; i++)
        yaml_event_delete(&d->v[i]);
    free(d->v);
    *d = (struct doc){0};
}

/* -- making one -- */

static void add_event(struct doc *d, int made, yaml_event_t *e)
{
    if (made && grow(&d->v, &d->allocated, d->n, sizeof(*d->v))) {
        d->v[d->n++] = *e;
        return;
    }
    if (made)
        yaml_event_delete(e);
    d->failed = true;
}

void doc_begin(struct doc *d)
{
    yaml_event_t e;
    add_event(d, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1), &e);
}

void doc_end(struct doc *d)
{
    yaml_event_t e;
    add_event(d, yaml_document_end_event_initialize(&e, 1), &e);
}

void doc_map(struct doc *d)
{
    yaml_event_t e;
    add_event(d, yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE),
              &e);
}

void doc_map_end(struct doc *d)
{
    yaml_event_t e;
    add_event(d, yaml_mapping_end_event_initialize(&e), &e);
}

void doc_list(struct doc *d)
{
    yaml_event_t e;
    add_event(d, yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_ANY_SEQUENCE_STYLE),
              &e);
}

void doc_list_end(struct doc *d)
{
    yaml_event_t e;
    add_event(d, yaml_sequence_end_event_initialize(&e), &e);
}

static void scalar(struct doc *d, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t e;
    add_event(d,
              yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text,
                                           (int)strlen(text), style == YAML_PLAIN_SCALAR_STYLE, 1,
                                           style),
              &e);
}

/* Is it safe without quotes? Not safe are words that a reader of YAML 1.1 may take for a boolean or
 * null, and everything that does not begin like a word (numbers, times like 10:20). */
static bool is_safe(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    for (const char *s = text; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("-_./", *s))
            return false;
    return isalpha((unsigned char)text[0]) || text[0] == '/';
}

void doc_text(struct doc *d, const char *text)
{
    scalar(d, text, is_safe(text) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

void doc_block(struct doc *d, const char *text)
{
    scalar(d, text, YAML_LITERAL_SCALAR_STYLE);
}

void doc_plain(struct doc *d, const char *word)
{
    scalar(d, word, YAML_PLAIN_SCALAR_STYLE);
}

void doc_pair(struct doc *d, const char *key, const char *text)
{
    doc_text(d, key);
    doc_text(d, text);
}

/* -- finding the way -- */

size_t doc_root(const struct doc *d)
{
    return d->n > 1 && d->v[1].type != YAML_DOCUMENT_END_EVENT ? 1 : 0;
}

size_t doc_next(const struct doc *d, size_t i)
{
    size_t depth = 0;

    do {
        switch (d->v[i++].type) {
        case YAML_MAPPING_START_EVENT:
        case YAML_SEQUENCE_START_EVENT:
            depth++;
            break;
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
            depth--;
            break;
        default:
            break;
        }
    } while (depth > 0 && i < d->n);
    return i;
}

static const char *text_at(const struct doc *d, size_t i)
{
    return d->v[i].type == YAML_SCALAR_EVENT ? (const char *)d->v[i].data.scalar.value : NULL;
}

ssize_t doc_get(const struct doc *d, size_t i, const char *key)
{
    ssize_t found = -ENOENT;

    if (d->v[i].type != YAML_MAPPING_START_EVENT)
        return -EINVAL;
    for (i++; d->v[i].type != YAML_MAPPING_END_EVENT;) {
        size_t value = doc_next(d, i);
        const char *text = text_at(d, i);
        if (text && streq(text, key)) {
            if (found >= 0)
                return -EEXIST;
            found = (ssize_t)value;
        }
        i = doc_next(d, value);
    }
    return found;
}

const char *doc_get_text(const struct doc *d, size_t i, const char *key)
{
    ssize_t value = doc_get(d, i, key);
    return value < 0 ? NULL : text_at(d, (size_t)value);
}

bool doc_is_null(const struct doc *d, size_t i)
{
    const char *text = text_at(d, i);

    return text && d->v[i].data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || streq(text, "~") || strcasecmp(text, "null") == 0);
}

size_t doc_line(const struct doc *d, size_t i)
{
    return d->v[i].start_mark.line + 1;
}

static const char *anchor_of(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)e->data.scalar.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)e->data.mapping_start.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)e->data.sequence_start.anchor;
    default:
        return NULL;
    }
}

bool doc_is_shared(const struct doc *d, size_t i)
{
    const char *anchor = anchor_of(&d->v[i]);

    for (size_t j = i; anchor && j < d->n; j++)
        if (d->v[j].type == YAML_ALIAS_EVENT && streq((char *)d->v[j].data.alias.anchor, anchor))
            return true;
    return false;
}

/* -- writing -- */

static int write_some(void *stream, unsigned char *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stream) == size;
}

static int emit(yaml_emitter_t *emitter, yaml_event_t *e)
{
    if (yaml_emitter_emit(emitter, e)) /* takes ownership of the event, also on failure */
        return 0;
    return emitter->error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL;
}

/* "---" separates documents; a document that began with it keeps it. */
static int emit_doc(yaml_emitter_t *emitter, struct doc *d, bool first)
{
    int r = 0;

    if (!first && d->n > 0 && d->v[0].type == YAML_DOCUMENT_START_EVENT)
        d->v[0].data.document_start.implicit = 0;
    for (size_t i = 0; i < d->n && r == 0; i++) {
        yaml_event_t e = d->v[i];
        d->v[i] = (yaml_event_t){0};
        r = emit(emitter, &e);
    }
    return r;
}

int doc_write(struct doc *docs, size_t n, FILE *f)
{
    yaml_emitter_t emitter;
    yaml_event_t e;
    int r = 0;

    for (size_t i = 0; i < n; i++)
        if (docs[i].failed)
            return -EINVAL;
    if (!yaml_emitter_initialize(&emitter))
        return -ENOMEM;
    yaml_emitter_set_output(&emitter, write_some, f);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1); /* do not break lines */
    if (!yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING))
        r = -ENOMEM;
    if (r == 0)
        r = emit(&emitter, &e);
    for (size_t i = 0; i < n && r == 0; i++)
        r = emit_doc(&emitter, &docs[i], i == 0);
    if (r == 0)
        r = yaml_stream_end_event_initialize(&e) ? emit(&emitter, &e) : -ENOMEM;
    if (r == 0 && !yaml_emitter_flush(&emitter))
        r = -EIO;
    yaml_emitter_delete(&emitter);
    return ferror(f) ? -EIO : r;
}
