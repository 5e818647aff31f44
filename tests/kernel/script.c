/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE 256

struct play {
    const struct backend *b;
    const struct inventory *inventory;
    struct condition shown[KERNEL_DEVICES_MAX];
};

/* -- printing -- */

static const char *name_of(const struct inventory *inventory, const char *address)
{
    const struct item *item = inventory_at(inventory, address);

    return item && *item->name != '-' ? item->name : address;
}

static void print_condition(const struct item *item, const struct condition *c)
{
    if (!c->there) {
        printf("  %s: not there\n", item->name);
        return;
    }
    printf("  %s: %s override=", item->name, *c->driver ? c->driver : "-");
    for (const char *p = c->override; *p; p++)
        if (*p == '\n')
            fputs(p[1] ? "\\n" : "", stdout);
        else
            fputs(*p == ' ' ? "\\s" : (char[]){*p, '\0'}, stdout);
    if (c->group != NO_IOMMU)
        printf(" group=%d", c->group);
    puts(c->node ? " node" : "");
}

static bool is_same(const struct condition *a, const struct condition *b)
{
    return a->there == b->there && a->node == b->node && a->group == b->group &&
           strcmp(a->driver, b->driver) == 0 && strcmp(a->override, b->override) == 0;
}

static void show(struct play *p, bool all)
{
    for (size_t i = 0; i < p->inventory->n; i++) {
        const struct item *item = &p->inventory->v[i];
        struct condition now = {.group = NO_IOMMU};
        if (*item->name == '-')
            continue;
        p->b->look(item->address, &now);
        if (all || !is_same(&now, &p->shown[i]))
            print_condition(item, &now);
        p->shown[i] = now;
    }
}

static void print_events(const struct play *p)
{
    struct happening h;

    while (p->b->next_event(&h))
        printf("  ! %s %s%s%s\n", kernel_event_word(h.event), name_of(p->inventory, h.address),
               *h.driver ? " " : "", h.driver);
}

static void print_result(int r)
{
    printf("= %s\n", r < 0 ? strerrorname_np(-r) : "ok");
}

/* -- operations -- */

static const char *address_of(const struct play *p, const char *name)
{
    const struct item *item = inventory_named(p->inventory, name);

    return item ? item->address : name;
}

static size_t unescape(const char *text, char buf[static LINE_MAX_SIZE])
{
    size_t n = 0;

    for (; *text; text++) {
        if (*text == '\\' && text[1]) {
            text++;
            buf[n++] = (char)(*text == 'n'   ? '\n'
                              : *text == '0' ? '\0'
                              : *text == 's' ? ' '
                                             : *text);
        } else {
            buf[n++] = *text;
        }
    }
    buf[n] = '\0';
    return n;
}

static int write_override(const struct play *p, const char *device, const char *text)
{
    char buf[LINE_MAX_SIZE];
    size_t n = unescape(text, buf);

    return p->b->override(address_of(p, device), buf, n);
}

/* The operations with a driver and something else. */
static bool do_driver(const struct play *p, const char *word, const char *driver, const char *rest,
                      int *ret)
{
    if (strcmp(word, "bind") == 0)
        *ret = p->b->bind(driver, address_of(p, rest));
    else if (strcmp(word, "unbind") == 0)
        *ret = p->b->unbind(driver, address_of(p, rest));
    else if (strcmp(word, "new_id") == 0)
        *ret = p->b->new_id(driver, rest);
    else if (strcmp(word, "remove_id") == 0)
        *ret = p->b->remove_id(driver, rest);
    else
        return false;
    return true;
}

static bool do_single(const struct play *p, const char *word, const char *what, int *ret)
{
    if (strcmp(word, "probe") == 0)
        *ret = p->b->probe(address_of(p, what));
    else if (strcmp(word, "load") == 0)
        *ret = p->b->load(what);
    else if (strcmp(word, "unload") == 0)
        *ret = p->b->unload(what);
    else if (strcmp(word, "plug") == 0)
        *ret = p->b->plug(atoi(what));
    else if (strcmp(word, "unplug") == 0)
        *ret = p->b->unplug(atoi(what));
    else if (strcmp(word, "claim") == 0)
        *ret = p->b->claim(address_of(p, what));
    else
        return false;
    return true;
}

static bool do_line(struct play *p, char *line)
{
    char *rest = line, *word = strsep(&rest, " "),
         *what = rest ? strsep(&rest, " ") : line + strlen(line);
    int r = 0;

    if (strcmp(word, "show") == 0) {
        show(p, true);
        return true;
    }
    if (strcmp(word, "viable") == 0) {
        r = p->b->viable(address_of(p, what));
        printf("= %s\n", r < 0 ? strerrorname_np(-r) : r > 0 ? "viable" : "not viable");
        return true;
    }
    if (strcmp(word, "unclaim") == 0)
        p->b->unclaim();
    else if (strcmp(word, "override") == 0)
        r = write_override(p, what, rest ? rest : "");
    else if (!do_driver(p, word, what, rest ? rest : "", &r) && !do_single(p, word, what, &r))
        return false;
    print_result(r);
    print_events(p);
    show(p, false);
    return true;
}

bool script_run(FILE *script, const struct backend *b, const struct inventory *inventory)
{
    struct play p = {.b = b, .inventory = inventory};
    char line[LINE_MAX_SIZE], copy[LINE_MAX_SIZE];

    b->reset(inventory);
    show(&p, true);
    while (fgets(line, sizeof(line), script)) {
        line[strcspn(line, "\n")] = '\0';
        if (!*line || *line == '#')
            continue;
        printf("> %s\n", line);
        strcpy(copy, line);
        if (!do_line(&p, copy)) {
            fprintf(stderr, "no such operation: %s\n", line);
            return false;
        }
    }
    b->unclaim();
    return true;
}
