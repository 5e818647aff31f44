/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/outlook.h"

#include "plan/assume.h"
#include "plan/text.h"

#define RULES_FILE "import"

/* -- now -- */

/* Parses the host's policy with the new rules as its last drop-in. */
static int parse_together(struct source *s, const char *text, size_t size, struct policy *ret)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP_FREE char *copy = malloc(size + 1);
    bool off;

    if (!copy)
        return -ENOMEM;
    memcpy(copy, text, size);
    copy[size] = '\0';
    int r = texts_add(&s->texts, RULES_FILE, copy, size);
    if (r < 0)
        return r;
    copy = NULL;
    return texts_parse(&s->texts, ret, &d, &off);
}

static bool is_taken(const struct verdict *v)
{
    return v->state == STATE_BOUND || v->state == STATE_PENDING;
}

/* -- in words -- */

static int add_sentence(const struct source *s, const struct verdict *v, const struct plan *boot,
                        struct list *ret)
{
    const struct verdict *later = plan_find(boot, v->addr);
    char sentence[SENTENCE_MAX];
    CLEANUP_FREE char *text = NULL;

    verdict_sentence(v, &s->snapshot, &s->records, sentence);
    if (asprintf(&text, "%s%s", sentence,
                 later && is_taken(later)
                     ? ". At the next boot it is not in use yet, and vfio-bindd takes the device"
                     : "") < 0)
        text = NULL;
    return text && list_add(ret, text) ? 0 : -ENOMEM;
}

int import_outlook(struct source *s, const char *text, size_t size, struct list *ret)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(plan_done) struct plan now = {0}, boot = {0};

    policy_init(&p);
    int r = parse_together(s, text, size, &p);
    if (r >= 0)
        r = source_plan(s, &p, &now);
    if (r >= 0)
        r = plan_next_boot(&p, &s->snapshot, &boot);
    for (size_t i = 0; r >= 0 && i < now.n_verdicts; i++) {
        const struct verdict *v = &now.verdicts[i];
        if (!is_taken(v) && streq(policy_file(&p, v->rule->section), RULES_FILE) &&
            ret->n < FOUND_REMARKS_MAX)
            r = add_sentence(s, v, &boot, ret);
    }
    return r < 0 ? r : 0;
}
