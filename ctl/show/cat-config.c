/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cat-config: prints the merged policy of all files and the kernel command line, each line with its
 * source. The output is a policy as well: sources are in comments. */
#include "json.h"
#include "open.h"

/* The line that was printed last: consecutive lines of a file share one comment. */
struct printer {
    const struct source *s;
    struct json *j; /* NULL: text */
    char section[RULE_NAME_MAX + 16];
};

static void print_line(struct printer *p, struct origin where, const char *key, const char *value)
{
    const char *file = policy_file(&p->s->policy, where);

    if (!p->j) {
        const char *hidden = streq(p->section, "device " RULE_CMDLINE) ? "#" : "";
        printf("# %s:%u\n%s", file, where.line, hidden); /* no file can have a rule of that name */
        printf(key ? "%s = %s\n" : "[%s]\n", key ? key : p->section, value);
        return;
    }
    if (!key)
        return;
    json_object(p->j, NULL);
    json_text(p->j, "section", p->section);
    json_text(p->j, "key", key);
    json_text(p->j, "value", value);
    json_text(p->j, "file", file);
    json_number(p->j, "line", where.line);
    json_end(p->j);
}

/* The value as written in the file, malloc'ed. */
static char *raw_value(const struct source *s, const char *file, unsigned number)
{
    CLEANUP_FREE char *line = texts_line(&s->texts, file, number);
    const char *equals = line ? strchr(line, '=') : NULL;

    if (!equals)
        return NULL;
    equals += 1 + strspn(equals + 1, " \t");
    size_t n = strlen(equals);
    while (n > 0 && is_blank(equals[n - 1]))
        n--;
    return strndup(equals, n);
}

/* vfio_bindd.ids= is the only key that is not in a file. */
static char *cmdline_value(const struct rule *r)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (size_t i = 0; i < r->n_ids; i++)
        fprintf(f, r->ids[i].any_device ? "%s%04x:*" : "%s%04x:%04x", i ? "," : "",
                r->ids[i].vendor, r->ids[i].device);
    return fclose(f) == 0 ? text : NULL;
}

static void print_rule(struct printer *p, const struct rule *r)
{
    snprintf(p->section, sizeof(p->section), "device %s", r->name);
    print_line(p, r->where, NULL, NULL);
    if (r->broken && !p->j)
        puts("# this rule has an error: all devices of its id are left alone");
    for (enum rule_key k = 0; k < KEY_MAX; k++) {
        if (r->keys[k].line == 0)
            continue;
        CLEANUP_FREE char *value =
            streq(r->name, RULE_CMDLINE)
                ? cmdline_value(r)
                : raw_value(p->s, policy_file(&p->s->policy, r->keys[k]), r->keys[k].line);
        print_line(p, r->keys[k], rule_key_name(k), value ? value : "");
    }
    if (!p->j)
        putchar('\n');
}

/* -- [daemon] and [kubernetes], of which the policy keeps values only -- */

static bool has_error(const struct source *s, const char *file, unsigned line)
{
    for (size_t i = 0; i < s->diags.n; i++) {
        const struct diag *d = &s->diags.v[i];
        if (d->level == DIAG_ERROR && d->line == line && d->file && streq(d->file, file))
            return true;
    }
    return false;
}

/* Is this line KEY = ...? */
static bool has_key(const char *line, const char *key)
{
    const char *rest = after_prefix(line, key);
    return rest && rest[strspn(rest, " \t")] == '=';
}

static bool is_section(const char *line, const char *section)
{
    const char *rest = after_prefix(line + 1 + strspn(line + 1, " \t"), section);
    return rest && rest[strspn(rest, " \t")] == ']';
}

/* The last line of this file that sets the key in such a section; 0: none. */
static unsigned find_in_file(const struct source *s, const struct text *t, const char *section,
                             const char *key)
{
    const char *line = t->bytes, *newline;
    unsigned found = 0;
    bool inside = false;

    for (unsigned n = 1; line; n++, line = newline ? newline + 1 : NULL) {
        newline = strchr(line, '\n');
        if (line[0] == '[')
            inside = is_section(line, section);
        else if (inside && has_key(line, key) && !has_error(s, t->name, n))
            found = n;
    }
    return found;
}

/* Finds the line that takes effect: that of the last file that has one. */
static bool find_key(const struct source *s, const char *section, const char *key,
                     struct origin *ret)
{
    bool found = false;

    for (size_t i = 0; i < s->policy.n_files; i++)
        for (size_t j = 0; j < s->texts.n; j++) {
            unsigned n = streq(s->texts.v[j].name, s->policy.files[i])
                             ? find_in_file(s, &s->texts.v[j], section, key)
                             : 0;
            if (n == 0)
                continue;
            *ret = (struct origin){(uint16_t)i, n};
            found = true;
        }
    return found;
}

static void print_section(struct printer *p, const char *section, const char *const *keys, size_t n)
{
    bool head = false;

    snprintf(p->section, sizeof(p->section), "%s", section);
    for (size_t i = 0; i < n; i++) {
        struct origin where;
        if (!find_key(p->s, section, keys[i], &where))
            continue;
        CLEANUP_FREE char *value = raw_value(p->s, p->s->policy.files[where.file], where.line);
        if (!head && !p->j)
            printf("[%s]\n", section);
        head = true;
        print_line(p, where, keys[i], value ? value : "");
    }
    if (head && !p->j)
        putchar('\n');
}

int verb_cat_config(const struct ctl *c)
{
    static const char *const daemon_keys[] = {"log-level", "boot-deadline", "unbind-timeout"};
    static const char *const kubernetes_keys[] = {"node-features", "metrics"};
    CLEANUP(source_done) struct source s;
    struct json j;
    struct printer p = {.s = &s, .j = c->json ? &j : NULL};
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    diags_print(&s.diags, stderr);
    if (c->json) {
        json_begin(&j, stdout, false);
        json_array(&j, "config");
    }
    if (!c->json && s.texts.n == 0 && s.policy.n_rules == 0)
        puts("# no policy file; \"vfio-bindctl suggest\" writes one");
    else if (!c->json)
        puts("# Rules in matching order: the first one that matches decides.\n");
    print_section(&p, "daemon", daemon_keys, ELEMENTS(daemon_keys));
    print_section(&p, "kubernetes", kubernetes_keys, ELEMENTS(kubernetes_keys));
    for (size_t i = 0; i < s.policy.n_rules; i++)
        print_rule(&p, &s.policy.rules[i]);
    if (c->json) {
        json_end(&j);
        json_finish(&j);
    }
    return s.diags.errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
