/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to a yaml-doc.h document: inserting and removing nodes, and finding nodes by keys. */
#include <errno.h>

#include "ctl.h"
#include "export/yaml-doc.h"

void doc_splice(struct doc *d, size_t i, size_t n, struct doc *other)
{
    d->failed = d->failed || other->failed;
    for (size_t room = d->n; room < d->n + other->n; room++)
        if (!grow(&d->v, &d->allocated, room, sizeof(*d->v))) {
            d->failed = true;
            doc_done(other);
            return;
        }
    for (size_t j = i; j < i + n; j++)
        yaml_event_delete(&d->v[j]);
    memmove(&d->v[i + other->n], &d->v[i + n], (d->n - i - n) * sizeof(*d->v));
    if (other->n > 0)
        memcpy(&d->v[i], other->v, other->n * sizeof(*d->v));
    d->n += other->n - n;
    other->n = 0; /* the events are now owned by d */
    doc_done(other);
}

/* A copy of the event, without its place in a text. */
static int copy_event(const yaml_event_t *from, yaml_event_t *ret)
{
    switch (from->type) {
    case YAML_SCALAR_EVENT:
        return yaml_scalar_event_initialize(
            ret, from->data.scalar.anchor, from->data.scalar.tag, from->data.scalar.value,
            (int)from->data.scalar.length, from->data.scalar.plain_implicit,
            from->data.scalar.quoted_implicit, from->data.scalar.style);
    case YAML_MAPPING_START_EVENT:
        return yaml_mapping_start_event_initialize(
            ret, from->data.mapping_start.anchor, from->data.mapping_start.tag,
            from->data.mapping_start.implicit, from->data.mapping_start.style);
    case YAML_SEQUENCE_START_EVENT:
        return yaml_sequence_start_event_initialize(
            ret, from->data.sequence_start.anchor, from->data.sequence_start.tag,
            from->data.sequence_start.implicit, from->data.sequence_start.style);
    case YAML_MAPPING_END_EVENT:
        return yaml_mapping_end_event_initialize(ret);
    case YAML_SEQUENCE_END_EVENT:
        return yaml_sequence_end_event_initialize(ret);
    default: /* the anchor of an alias would be missing */
        return 0;
    }
}

void doc_copy(struct doc *d, const struct doc *from, size_t i)
{
    for (size_t end = doc_next(from, i); i < end; i++) {
        yaml_event_t e;
        if (!copy_event(&from->v[i], &e)) {
            d->failed = true;
            return;
        }
        if (!grow(&d->v, &d->allocated, d->n, sizeof(*d->v))) {
            yaml_event_delete(&e);
            d->failed = true;
            return;
        }
        d->v[d->n++] = e;
    }
}

static int not_there(const struct doc *d, size_t at, const char *key)
{
    if (doc_get(d, at, "<<") >= 0)
        return ctl_error("line %zu: %s comes in by a merge key (<<): write it out", doc_line(d, at),
                         key);
    return ctl_error("line %zu: there should be the key %s in here", doc_line(d, at), key);
}

int doc_check_own(const struct doc *d, size_t i, const char *key)
{
    if (d->v[i].type == YAML_ALIAS_EVENT)
        return ctl_error("line %zu: %s is an alias (*%s), and a change would show wherever that "
                         "stands: write it out",
                         doc_line(d, i), key, d->v[i].data.alias.anchor);
    if (doc_is_shared(d, i))
        return ctl_error("line %zu: %s has an anchor that an alias points at, and a change would "
                         "show there, too: write it out",
                         doc_line(d, i), key);
    return 0;
}

/* Adds the key with an empty value at the end of the mapping, or replaces a null by that value. */
static int put_empty(struct doc *d, size_t map, ssize_t value, const char *key, bool list)
{
    struct doc piece = {0};

    if (value < 0)
        doc_text(&piece, key);
    (list ? doc_list : doc_map)(&piece);
    (list ? doc_list_end : doc_map_end)(&piece);
    doc_splice(d, value < 0 ? doc_next(d, map) - 1 : (size_t)value, value < 0 ? 0 : 1, &piece);
    return d->failed ? ctl_errno(-ENOMEM) : 0;
}

int doc_enter(struct doc *d, size_t map, const char *key, unsigned flags, size_t *ret)
{
    bool make = flags & DOC_MAKE, list = flags & DOC_LIST;
    ssize_t value = doc_get(d, map, key);

    if (value == -EEXIST)
        return ctl_error("line %zu: %s stands in here twice", doc_line(d, map), key);
    if (value == -ENOENT && (!make || doc_get(d, map, "<<") != -ENOENT))
        return not_there(d, map, key);
    if (value == -ENOENT || (make && doc_is_null(d, (size_t)value))) {
        int r = put_empty(d, map, value, key, list);
        if (r != 0)
            return r;
        value = doc_get(d, map, key);
    }
    int r = doc_check_own(d, (size_t)value, key);
    if (r != 0)
        return r;
    if (d->v[value].type != (list ? YAML_SEQUENCE_START_EVENT : YAML_MAPPING_START_EVENT))
        return ctl_error("line %zu: %s should be a %s", doc_line(d, (size_t)value), key,
                         list ? "list" : "mapping");
    *ret = (size_t)value;
    return 0;
}
