/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/alike.h"

#include "base/util.h"

struct own_words {
    struct pci_addr_text address;
    char id[12];
};

static struct own_words own_words(const struct device *d)
{
    struct own_words w = {.address = pci_addr_text(d->addr)};

    snprintf(w.id, sizeof(w.id), "%04x:%04x", d->vendor, d->device);
    return w;
}

/* The text after "ADDRESS (ID, rule NAME with ADDRESS) ", or all of it. */
static const char *statement(const char *sentence)
{
    const char *end = strstr(sentence, ") ");
    const char *begin = strchr(sentence, '(');

    return begin && end && begin < end && begin == strchr(sentence, ' ') + 1 ? end + 2 : sentence;
}

bool sentences_are_alike(const char *x, const struct device *dx, const char *y,
                         const struct device *dy)
{
    const struct own_words wx = own_words(dx), wy = own_words(dy);

    x = statement(x);
    y = statement(y);
    while (*x && *y) {
        const char *x2, *y2;
        if (((x2 = after_prefix(x, wx.address.s)) && (y2 = after_prefix(y, wy.address.s))) ||
            ((x2 = after_prefix(x, wx.id)) && (y2 = after_prefix(y, wy.id)))) {
            x = x2;
            y = y2;
        } else if (*x++ != *y++) {
            return false;
        }
    }
    return *x == *y;
}

const struct device *told_before(struct told *t, const struct device *d, const char *sentence)
{
    for (size_t i = 0; i < t->n; i++)
        if (sentences_are_alike(t->v[i].sentence, t->v[i].device, sentence, d))
            return t->v[i].device;
    if (t->n < TOLD_MAX) {
        snprintf(t->v[t->n].sentence, sizeof(t->v[t->n].sentence), "%s", sentence);
        t->v[t->n++].device = d;
    }
    return NULL;
}
