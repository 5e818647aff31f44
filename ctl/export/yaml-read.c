/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading for yaml-doc.h: the parser, and a count of the comments that it skips. */
#include <errno.h>
#include <stdint.h>

#include "export/yaml-doc.h"

/* Real documents are not nested this deeply, and libyaml's time grows with the square of the
 * depth. */
#define DEPTH_MAX 200

/* Inside a scalar '#' does not begin a comment. libyaml counts characters, not bytes. */
struct tree_walk {
    const char *bytes;
    size_t size, at;
    size_t index; /* index of the character at `at` */
    size_t comments;
};

static void take_event(struct tree_walk *w)
{
    do
        w->at++;
    while (w->at < w->size && ((unsigned char)w->bytes[w->at] & 0xc0) == 0x80);
    w->index++;
}

static bool begins_comment(const struct tree_walk *w)
{
    return w->bytes[w->at] == '#' && (w->at == 0 || strchr(" \t\r\n", w->bytes[w->at - 1]));
}

/* Counts comments up to the character with this index. */
static void walk_to(struct tree_walk *w, size_t index)
{
    while (w->at < w->size && w->index < index) {
        if (begins_comment(w)) {
            w->comments++;
            while (w->at < w->size && w->index < index && w->bytes[w->at] != '\n')
                take_event(w);
        } else {
            take_event(w);
        }
    }
}

/* The first line of a block scalar ("|- # so") may end in a comment; its text begins after that. */
static void walk_over(struct tree_walk *w, const yaml_event_t *e)
{
    walk_to(w, e->start_mark.index);
    if (e->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
        e->data.scalar.style == YAML_FOLDED_SCALAR_STYLE) {
        size_t header = w->index;
        for (size_t at = w->at; at < w->size && w->bytes[at] != '\n'; at++)
            header++;
        walk_to(w, header);
    }
    while (w->at < w->size && w->index < e->end_mark.index)
        take_event(w);
}

static void say_error(const yaml_parser_t *p, char *buf, size_t size)
{
    size_t line = p->error == YAML_READER_ERROR ? 0 : p->problem_mark.line + 1;

    if (line > 0)
        snprintf(buf, size, "line %zu: %s", line, p->problem ? p->problem : "not understood");
    else
        snprintf(buf, size, "byte %zu: %s", p->problem_offset,
                 p->problem ? p->problem : "not understood");
}

/* Takes ownership of the event. Returns 0 or -ENOMEM. */
static int keep(struct doc *d, const struct doc_facts *facts, yaml_event_t *e)
{
    bool stream = e->type == YAML_STREAM_START_EVENT || e->type == YAML_STREAM_END_EVENT;

    if (!stream && facts->documents <= 1) {
        if (!grow(&d->v, &d->allocated, d->n, sizeof(*d->v))) {
            yaml_event_delete(e);
            return -ENOMEM;
        }
        d->v[d->n++] = *e;
        return 0;
    }
    yaml_event_delete(e);
    return 0;
}

static int depth_change(yaml_event_type_t type)
{
    switch (type) {
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return 1;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return -1;
    default:
        return 0;
    }
}

static int read_events(yaml_parser_t *parser, struct tree_walk *w, struct doc *d,
                       struct doc_facts *facts)
{
    yaml_event_type_t type;
    int depth = 0;

    do {
        yaml_event_t e;
        if (!yaml_parser_parse(parser, &e)) {
            say_error(parser, facts->error, sizeof(facts->error));
            return parser->error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL;
        }
        type = e.type;
        depth += depth_change(type);
        if (depth > DEPTH_MAX) {
            snprintf(facts->error, sizeof(facts->error), "line %zu: nested deeper than %d",
                     e.start_mark.line + 1, DEPTH_MAX);
            yaml_event_delete(&e);
            return -EINVAL;
        }
        facts->documents += type == YAML_DOCUMENT_START_EVENT;
        if (type == YAML_SCALAR_EVENT)
            walk_over(w, &e);
        if (keep(d, facts, &e) < 0)
            return -ENOMEM;
    } while (type != YAML_STREAM_END_EVENT);
    walk_to(w, SIZE_MAX);
    facts->comments = w->comments;
    return 0;
}

static bool begins(const char *bytes, size_t size, const char *mark)
{
    return size >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0;
}

int doc_read(const char *bytes, size_t size, struct doc *ret, struct doc_facts *ret_facts)
{
    yaml_parser_t parser;

    *ret = (struct doc){0};
    *ret_facts = (struct doc_facts){0};
    if (begins(bytes, size, "\xff\xfe") || begins(bytes, size, "\xfe\xff")) {
        snprintf(ret_facts->error, sizeof(ret_facts->error),
                 "this is UTF-16, and UTF-8 is expected: iconv -f utf-16 -t utf-8 converts it");
        return -EINVAL;
    }
    if (begins(bytes, size, "\xef\xbb\xbf")) { /* a byte order mark, which libyaml does not count */
        bytes += 3;
        size -= 3;
    }
    struct tree_walk w = {.bytes = bytes, .size = size};
    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);
    int r = read_events(&parser, &w, ret, ret_facts);
    yaml_parser_delete(&parser);
    if (r < 0)
        doc_done(ret);
    return r;
}
