/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose.h"

#include <errno.h>

#include "policy/keys.h"
#include "policy/select.h"

void chosen_done(struct chosen *c)
{
    free(c->v);
    *c = (struct chosen){0};
}

static int choose_address(const struct source *s, struct pci_addr a, bool *marks)
{
    const struct device *d = snapshot_find(&s->snapshot, a);

    if (d) {
        marks[d - s->snapshot.devices] = true;
        return 0;
    }
    /* Is it the short form of an address in another domain? */
    for (size_t i = 0; i < s->snapshot.n; i++) {
        struct pci_addr other = s->snapshot.devices[i].addr;
        if (other.bus == a.bus && other.dev == a.dev && other.fn == a.fn)
            return ctl_error("there is no PCI device %s here; did you mean %s?", pci_addr_text(a).s,
                             pci_addr_text(other).s);
    }
    return s->remote ? ctl_error("no rule selects a device %s: \"vfio-bindctl list\" shows the "
                                 "addresses, and \"vfio-bindctl add\" adds a rule",
                                 pci_addr_text(a).s)
                     : ctl_error("there is no PCI device %s here: \"vfio-bindctl list\" shows all",
                                 pci_addr_text(a).s);
}

static int choose_id(const struct source *s, struct id_pattern id, const char *word, bool *marks)
{
    size_t n = 0;

    for (size_t i = 0; i < s->snapshot.n; i++) {
        const struct device *d = &s->snapshot.devices[i];
        if (d->vendor != id.vendor || (!id.any_device && d->device != id.device))
            continue;
        marks[i] = true;
        n++;
    }
    return n > 0 ? 0
                 : ctl_error("there is no device %s here%s: \"vfio-bindctl list\" shows all", word,
                             s->remote ? " that a rule selects" : "");
}

/* The rule that decides about the device, as the column RULE of "list" has it. */
static const char *deciding_rule(const struct row *row)
{
    return row->native ? row->native->name : row->rule;
}

/* The word is not an address, an ID or a rule. */
static int unknown_word(const struct source *s, const char *word)
{
    const char *names[64] = {NULL};
    size_t n = 0;

    for (; n < s->policy.n_rules && n < ELEMENTS(names); n++)
        names[n] = s->policy.rules[n].name;
    int i = nearest_word(word, names, n);
    ctl_error("%s is not an address (0000:06:00.0 or 06:00.0), an ID (10de:20f1 or 10de:*) or a "
              "rule%s%s%s",
              word, i < 0 ? "" : ": did you mean the rule ", i < 0 ? "" : names[i],
              i < 0 ? "" : "?");
    return EXIT_USAGE;
}

static int choose_rule(const struct source *s, const char *word, bool *marks)
{
    bool known = false;
    size_t n = 0;

    for (size_t i = 0; i < s->policy.n_rules; i++)
        known = known || streq(s->policy.rules[i].name, word);
    for (size_t i = 0; i < s->snapshot.n; i++) {
        if (!streq(deciding_rule(&s->rows[i]), word))
            continue;
        marks[i] = true;
        n++;
    }
    return n > 0   ? 0
           : known ? ctl_error("[device %s] matches no device of this host", word)
                   : unknown_word(s, word);
}

static int choose_word(const struct source *s, const char *word, bool *marks)
{
    struct id_pattern id;
    struct pci_addr a;

    if (pci_addr_parse(word, &a) == 0)
        return choose_address(s, a, marks);
    return policy_parse_id(word, &id) ? choose_id(s, id, word, marks)
           : *word                    ? choose_rule(s, word, marks)
                                      : unknown_word(s, "\"\"");
}

int choose(const struct source *s, struct chosen *ret)
{
    CLEANUP_FREE bool *marks = calloc(s->snapshot.n + 1, sizeof(*marks));
    const struct row **v = calloc(s->snapshot.n + 1, sizeof(*v));
    int r = marks && v ? 0 : ctl_errno(-ENOMEM);

    for (int i = 0; r == 0 && i < s->ctl->n_args; i++)
        r = choose_word(s, s->ctl->args[i], marks);
    for (size_t i = 0; r == 0 && i < s->snapshot.n; i++)
        if (marks[i] || (s->ctl->all && s->rows[i].selected))
            v[ret->n++] = &s->rows[i];
    if (r != 0) {
        free(v);
        return r;
    }
    ret->v = v;
    return ret->n > 0 ? 0 : ctl_error("no rule selects any device");
}

int choose_everything(const struct source *s, struct chosen *ret)
{
    const struct row **v = calloc(s->snapshot.n + 1, sizeof(*v));

    if (!v)
        return ctl_errno(-ENOMEM);
    for (size_t i = 0; i < s->snapshot.n; i++)
        v[i] = &s->rows[i];
    *ret = (struct chosen){v, s->snapshot.n};
    return 0;
}
