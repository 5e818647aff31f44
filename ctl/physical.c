/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "physical.h"

#include <errno.h>

#include "plan/vfs-text.h"

static void physical_done(struct physical *p)
{
    free(p->address);
    free(p->rule);
    free(p->state);
    free(p->reason);
    free(p->sentence);
}

void physicals_done(struct physicals *p)
{
    for (size_t i = 0; i < p->n; i++)
        physical_done(&p->v[i]);
    free(p->v);
    *p = (struct physicals){0};
}

static int add_physical(struct physicals *p, const char *const texts[static 5], unsigned wanted,
                        unsigned there, bool ours)
{
    struct physical new = {.address = strdup(texts[0]),
                           .rule = strdup(texts[1]),
                           .state = strdup(texts[2]),
                           .reason = strdup(texts[3]),
                           .sentence = strdup(texts[4]),
                           .wanted = wanted,
                           .there = there,
                           .ours = ours};

    if (!new.address || !new.rule || !new.state || !new.reason || !new.sentence ||
        !grow(&p->v, &p->allocated, p->n, sizeof(*p->v))) {
        physical_done(&new);
        return -ENOMEM;
    }
    p->v[p->n++] = new;
    return 0;
}

int physicals_parse(const char *text, struct physicals *ret)
{
    enum { MEMBERS = 8 };
    CLEANUP_FREE char *copy = strdup(text);
    char *rest = copy, *line;
    int r = copy ? 0 : -ENOMEM;

    while (r == 0 && rest && (line = strsep(&rest, "\n"))) {
        char *members[MEMBERS];
        size_t n = 0;
        while (n < MEMBERS && (members[n] = strsep(&line, "\t")))
            n++;
        if (n < MEMBERS) /* from another version, or malformed */
            continue;
        r = add_physical(
            ret, (const char *const[]){members[0], members[1], members[2], members[3], members[7]},
            (unsigned)strtoul(members[4], NULL, 10), (unsigned)strtoul(members[5], NULL, 10),
            streq(members[6], "yes"));
    }
    return r;
}

int physicals_of_plan(const struct source *s, const struct plan *plan, struct physicals *ret)
{
    char sentence[SENTENCE_MAX];
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->n_vfs; i++) {
        const struct vfs_verdict *v = &plan->vfs[i];
        const struct pci_addr_text address = pci_addr_text(v->addr);
        vfs_sentence(v, &s->snapshot, &s->records, sentence);
        r = add_physical(ret,
                         (const char *const[]){address.s, v->rule ? v->rule->name : "",
                                               state_word(v->state), reason_word(v->reason),
                                               sentence},
                         v->wanted, v->there, v->ours);
    }
    return r;
}

int physicals_read(const struct source *s, struct physicals *ret)
{
    return s->live.running ? physicals_parse(props_get(&s->live.manager, "VirtualFunctions"), ret)
                           : physicals_of_plan(s, &s->plan, ret);
}

const struct physical *physicals_find(const struct physicals *p, struct pci_addr a)
{
    for (size_t i = 0; i < p->n; i++)
        if (streq(p->v[i].address, pci_addr_text(a).s))
            return &p->v[i];
    return NULL;
}

void physicals_json(struct json *j, const struct physicals *p)
{
    json_array(j, "virtual_functions");
    for (size_t i = 0; i < p->n; i++) {
        json_object(j, NULL);
        json_text(j, "address", p->v[i].address);
        json_text(j, "rule", p->v[i].rule);
        json_text(j, "state", p->v[i].state);
        json_text(j, "reason", p->v[i].reason);
        json_number(j, "wanted", p->v[i].wanted);
        json_number(j, "there", p->v[i].there);
        json_bool(j, "ours", p->v[i].ours);
        json_text(j, "sentence", p->v[i].sentence);
        json_end(j);
    }
    json_end(j);
}
