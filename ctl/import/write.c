/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/write.h"

#define WIDTH 100

/* -- comments -- */

/* Writes text as comments, broken at blanks. Every line begins with `prefix`, and all but the first
 * are indented. Unprintable bytes are replaced. */
static void write_comment(FILE *f, const char *prefix, const char *indent, const char *text)
{
    CLEANUP_FREE char *plain = strdup(text);
    char next[16];

    for (char *p = plain; p && *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    snprintf(next, sizeof(next), "#%s", indent);
    fputs(prefix, f);
    ctl_wrap_to(f, plain ? plain : "out of memory", (unsigned)strlen(prefix), WIDTH, next);
}

static void write_import_rule(const struct import_rule *r, FILE *f)
{
    for (size_t i = 0; i < r->devices.n; i++)
        write_comment(f, "# ", "   ", r->devices.v[i]);
    for (size_t i = 0; i < r->comments.n; i++)
        write_comment(f, "# ", "   ", r->comments.v[i]);
    for (size_t i = 0; i < r->origins.n; i++) {
        char text[640];
        snprintf(text, sizeof(text), "from %s", r->origins.v[i]);
        write_comment(f, "# ", "   ", text);
    }
    import_rule_write(r, f);
    fputc('\n', f);
}

void import_write_rules(const struct import_rules *r, FILE *f)
{
    for (size_t i = 0; i < r->n; i++)
        if (!r->v[i].dropped)
            import_rule_write(&r->v[i], f);
}

/* -- sections behind the rules -- */

static void write_remarks(const struct import *m, FILE *f)
{
    const struct found *found = m->found;
    char text[640];

    if (found->n_remarks == 0 && !found->tree.unseen && found->left_out == 0)
        return;
    fputs("# -- not carried over, or no longer needed --\n", f);
    for (size_t i = 0; i < found->n_remarks; i++) {
        snprintf(text, sizeof(text), "%s: %s", found->remarks[i].where, found->remarks[i].text);
        write_comment(f, "# ", "   ", text);
    }
    if (found->tree.unseen) {
        fputs("# ", f);
        write_comment(f, "not seen: ", "   ", found->tree.unseen);
    }
    if (found->left_out > 0)
        fprintf(f, "# %zu more of what was found is left out: no real host has that many\n",
                found->left_out);
    fputc('\n', f);
}

static void write_verdicts(const struct import *m, FILE *f)
{
    if (m->verdicts.n == 0)
        return;
    fputs("# -- devices that these rules would not bind in the current state of this host --\n", f);
    for (size_t i = 0; i < m->verdicts.n; i++)
        write_comment(f, "# ", "   ", m->verdicts.v[i]);
    fputc('\n', f);
}

/* -- steps -- */

void import_steps(const struct import *m, import_each_step *each, void *userdata)
{
    static const char *const words[STAGE_MAX] = {"files", "rebuild", "domains"};
    const struct found *found = m->found;

    for (size_t i = 0; i < m->begin.n; i++)
        each(userdata, "policy", m->begin.v[i]);
    for (enum stage s = 0; s < STAGE_MAX; s++)
        for (size_t i = 0; i < found->n_steps; i++)
            if (found->steps[i].stage == s)
                each(userdata, words[s], found->steps[i].text);
    for (size_t i = 0; i < m->end.n; i++)
        each(userdata, "end", m->end.v[i]);
}

struct step_writer {
    FILE *f;
    const char *stage;
};

/* Commands are not broken into lines, so that they can be pasted. */
static void write_step(void *userdata, const char *stage, const char *text)
{
    static const struct {
        const char *stage, *title;
    } titles[] = {{"policy", "first install this policy and start vfio-bindd:"},
                  {"files", "then remove the old configuration:"},
                  {"rebuild", "and what was made of it:"},
                  {"domains", "virtual machines:"},
                  {"end", "finally:"}};
    struct step_writer *w = userdata;

    for (size_t i = 0; !streq(stage, w->stage) && i < ELEMENTS(titles); i++)
        if (streq(titles[i].stage, stage))
            fprintf(w->f, "# %s\n", titles[i].title);
    w->stage = stage;
    if (*text == '#')
        write_comment(w->f, "#   ", "     ", text);
    else
        fprintf(w->f, "#   %s\n", text);
}

void import_write(const struct import *m, FILE *f)
{
    struct step_writer w = {f, ""};

    write_comment(f, "# ", " ", m->sentence);
    if (m->n_rules > 0)
        fputs("# Review them, and check their effect with \"vfio-bindctl plan --policy FILE\". All "
              "keys: vfio-bindd.conf(5).\n",
              f);
    if (m->has_policy && m->n_rules > 0)
        fputs("# This host has a policy already. It stays, and as a drop-in these rules are tried "
              "before it; what it decides is left out.\n",
              f);
    if (m->n_rules > 0 || m->found->n_remarks > 0 || m->found->tree.unseen)
        fputc('\n', f);
    for (size_t i = 0; i < m->rules->n; i++)
        if (!m->rules->v[i].dropped)
            write_import_rule(&m->rules->v[i], f);
    write_remarks(m, f);
    write_verdicts(m, f);
    if (m->n_rules == 0 && m->found->n_steps == 0)
        return;
    fputs("# -- to retire the old tools, in this order --\n", f);
    import_steps(m, write_step, &w);
}
