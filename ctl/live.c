/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live.h"

#include <errno.h>
#include <inttypes.h>

#include "bus.h"
#include "model/state.h"

void props_done(struct props *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->v[i].name);
        free(p->v[i].text);
    }
    free(p->v);
    *p = (struct props){0};
}

void live_done(struct live *l)
{
    props_done(&l->manager);
    for (size_t i = 0; i < l->n; i++)
        props_done(&l->devices[i].props);
    free(l->devices);
    *l = (struct live){0};
}

const char *props_get(const struct props *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (streq(p->v[i].name, name))
            return p->v[i].text;
    return "";
}

int props_set(struct props *p, const char *name, char type, const char *text)
{
    struct prop new = {strdup(name), type, strdup(text)};

    if (!new.name || !new.text || !grow(&p->v, &p->allocated, p->n, sizeof(*p->v))) {
        free(new.name);
        free(new.text);
        return -ENOMEM;
    }
    p->v[p->n++] = new;
    return 0;
}

const struct live_device *live_find(const struct live *l, struct pci_addr a)
{
    for (size_t i = 0; i < l->n; i++)
        if (pci_addr_cmp(l->devices[i].addr, a) == 0)
            return &l->devices[i];
    return NULL;
}

struct live_device *live_get(struct live *l, struct pci_addr a)
{
    for (size_t i = 0; i < l->n; i++)
        if (pci_addr_cmp(l->devices[i].addr, a) == 0)
            return &l->devices[i];
    if (!grow(&l->devices, &l->allocated, l->n, sizeof(*l->devices)))
        return NULL;
    l->devices[l->n] = (struct live_device){.addr = a};
    return &l->devices[l->n++];
}

const char *live_reason_word(const char *reason)
{
    for (enum reason r = REASON_NONE + 1; r < REASON_MAX; r++) {
        const char *after = after_prefix(reason, reason_word(r));
        if (after && after[0] == ':' && after[1] == ' ')
            return reason_word(r);
    }
    return NULL;
}

/* -- values as text -- */

static int read_number(sd_bus_message *m, char type, FILE *f)
{
    union {
        uint8_t y;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
    } v = {0};
    int r = sd_bus_message_read_basic(m, type, &v);

    if (r < 0)
        return r;
    switch (type) {
    case 'y':
        return fprintf(f, "%u", v.y);
    case 'n':
        return fprintf(f, "%d", v.n);
    case 'q':
        return fprintf(f, "%u", v.q);
    case 'i':
        return fprintf(f, "%" PRIi32, v.i);
    case 'u':
        return fprintf(f, "%" PRIu32, v.u);
    case 'x':
        return fprintf(f, "%" PRIi64, v.x);
    case 't':
        return fprintf(f, "%" PRIu64, v.t);
    default:
        return fprintf(f, "%g", v.d);
    }
}

static int read_value(sd_bus_message *m, FILE *f);

static int read_members(sd_bus_message *m, char type, const char *contents, const char *separator,
                        FILE *f)
{
    int r = sd_bus_message_enter_container(m, type, contents);

    for (bool first = true; r > 0; first = false) {
        if (sd_bus_message_at_end(m, 0) > 0)
            break;
        fputs(first ? "" : separator, f);
        r = read_value(m, f);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Skips values of other types. Returns > 0 if there was a value. */
static int read_value(sd_bus_message *m, FILE *f)
{
    const char *contents, *text;
    char type;
    int flag, r = sd_bus_message_peek_type(m, &type, &contents);

    if (r <= 0)
        return r;
    switch (type) {
    case 's':
    case 'o':
    case 'g':
        r = sd_bus_message_read_basic(m, type, &text);
        return r < 0 ? r : (fputs(text, f), 1);
    case 'b':
        r = sd_bus_message_read_basic(m, type, &flag);
        return r < 0 ? r : (fputs(flag ? "yes" : "no", f), 1);
    case 'a':
        if (strlen(contents) != 1 && *contents != '(') /* dictionaries, arrays of arrays */
            return sd_bus_message_skip(m, NULL);
        return read_members(m, type, contents, "\n", f);
    case 'r':
        return read_members(m, type, contents, "\t", f);
    default:
        return strchr("ynqiuxtd", type) ? read_number(m, type, f) : sd_bus_message_skip(m, NULL);
    }
}

static int read_prop(sd_bus_message *m, struct props *p)
{
    CLEANUP_FREE char *text = NULL;
    const char *name, *contents;
    size_t size;
    int r = sd_bus_message_read_basic(m, 's', &name);

    if (r >= 0)
        r = sd_bus_message_peek_type(m, NULL, &contents);
    if (r >= 0)
        r = sd_bus_message_enter_container(m, 'v', contents);
    if (r < 0)
        return r;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return -ENOMEM;
    r = read_value(m, f);
    if (fclose(f) != 0)
        return -ENOMEM;
    if (r >= 0)
        r = props_set(p, name, *contents, text);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int props_read(sd_bus_message *m, struct props *p)
{
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = read_prop(m, p);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* -- objects -- */

/* Reads the interfaces of one object; for a device only its own interface is needed. */
static int read_object(sd_bus_message *m, struct live *l)
{
    const char *path, *interface;
    int r = sd_bus_message_read_basic(m, 'o', &path);
    CLEANUP_FREE char *id = NULL;
    struct pci_addr a;

    if (r < 0)
        return r;
    if (sd_bus_path_decode(path, BUS_DEVICE_PREFIX, &id) <= 0 || pci_addr_parse(id, &a) < 0)
        return sd_bus_message_skip(m, "a{sa{sv}}");
    r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
        struct live_device *d = NULL;
        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r >= 0 && !streq(interface, BUS_DEVICE_INTERFACE))
            r = sd_bus_message_skip(m, "a{sv}");
        else if (r >= 0)
            r = (d = live_get(l, a)) ? props_read(m, &d->props) : -ENOMEM;
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, struct live *l)
{
    int r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
        r = read_object(m, l);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int live_read(sd_bus *bus, struct live *ret, sd_bus_error *error)
{
    CLEANUP_MESSAGE sd_bus_message *manager = NULL, *objects = NULL;
    int r = bus_call(bus, BUS_PATH, "org.freedesktop.DBus.Properties", "GetAll", BUS_READ_USEC,
                     error, &manager, "s", BUS_MANAGER_INTERFACE);

    if (r >= 0)
        r = props_read(manager, &ret->manager);
    if (r >= 0)
        r = bus_call(bus, BUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                     BUS_READ_USEC, error, &objects, NULL);
    if (r >= 0)
        r = read_objects(objects, ret);
    ret->running = r >= 0;
    return r < 0 ? r : 0;
}
