/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What binds devices in other ways, as files: all sources of vfio-bindctl import read them, and
 * rules are made of what they find. The functions of ctl/tree.c are this file's own, so that the
 * files are in memory.
 *
 * An input is pieces with a line "%%" between two: the first is a snapshot, each other a path below
 * the root in its first line, and then the file. What must hold: the rules are a valid policy, each
 * device that an exact address claims is selected by some rule, and all that is printed is plain
 * text of which every line that is no rule is a comment. */
#include "fuzz.h"

#include <errno.h>

#include "import/make.h"
#include "import/sources.h"
#include "import/write.h"
#include "model/snapshot-text.h"
#include "policy/parse.h"

#define FILES_MAX 64

static struct {
    char *path, *bytes;
    size_t size;
} files[FILES_MAX];
static size_t n_files;

/* -- ctl/tree.c -- */

void tree_done(struct tree *t)
{
    free(t->unseen);
}

void tree_unseen(struct tree *t, const char *what, int r)
{
    (void)t;
    (void)what;
    (void)r;
}

bool tree_exists(struct tree *t, const char *path)
{
    (void)t;
    for (size_t i = 0; i < n_files; i++)
        if (streq(files[i].path, path) ||
            (after_prefix(files[i].path, path) && after_prefix(files[i].path, path)[0] == '/'))
            return true;
    return false;
}

char *tree_read(struct tree *t, const char *path, size_t max, size_t *ret_size)
{
    (void)t;
    for (size_t i = 0; i < n_files; i++) {
        if (!streq(files[i].path, path) || files[i].size > max)
            continue;
        char *copy = malloc(files[i].size + 1);
        REQUIRE(copy, "out of memory");
        if (files[i].size > 0)
            memcpy(copy, files[i].bytes, files[i].size);
        copy[files[i].size] = '\0';
        *ret_size = files[i].size;
        return copy;
    }
    return NULL;
}

size_t tree_each(struct tree *t, const char *folder, const char *ending, tree_entry each,
                 void *userdata)
{
    size_t n = 0, length = strlen(ending);

    (void)t;
    for (size_t i = 0; i < n_files; i++) {
        const char *rest = after_prefix(files[i].path, folder);
        if (!rest || *rest != '/' || !rest[1] || strchr(rest + 1, '/') || strlen(rest) < length ||
            !streq(rest + strlen(rest) - length, ending))
            continue;
        each(userdata, files[i].path, rest + 1);
        n++;
    }
    return n;
}

char *tree_line(char **rest)
{
    return strsep(rest, "\n");
}

/* -- the target -- */

static void take_file(char *piece, size_t size)
{
    char *newline = memchr(piece, '\n', size);
    size_t head = newline ? (size_t)(newline - piece) : size;

    if (n_files == FILES_MAX)
        return;
    files[n_files].path = strndup(piece, head);
    REQUIRE(files[n_files].path, "out of memory");
    files[n_files].size = newline ? size - head - 1 : 0;
    files[n_files].bytes = newline ? newline + 1 : NULL;
    n_files++;
}

static struct row *rows_for(const struct snapshot *s)
{
    struct row *rows = calloc(s->n + 1, sizeof(*rows));

    REQUIRE(rows, "out of memory");
    for (size_t i = 0; i < s->n; i++)
        rows[i] = (struct row){.d = &s->devices[i], .driver = "", .rule = "", .state = ""};
    return rows;
}

static void require_valid(const struct import_rules *rules)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP_FREE char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    REQUIRE(f, "out of memory");
    import_write_rules(rules, f);
    REQUIRE(fclose(f) == 0, "out of memory");
    policy_init(&p);
    REQUIRE(policy_parse(&p, "x", text, size, &d) == 0, "out of memory");
    policy_finish(&p, &d);
    REQUIRE(d.errors == 0, "%s in\n%s", d.v[0].text, text);
}

static void require_selected(const struct found *f, const struct import_rules *rules)
{
    for (size_t i = 0; i < f->n_claims; i++) {
        const struct selection *s = &f->claims[i].what;
        struct pci_addr a;
        if (*s->id || *s->class || *s->subsystem || pci_addr_parse(s->address, &a) < 0)
            continue;
        const struct device *d = snapshot_find(&f->s->snapshot, a);
        REQUIRE(!d || import_rules_match(rules, d), "%s is lost", s->address);
    }
}

static char *printed(const struct import *m, void (*print)(const struct import *m, FILE *f))
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    REQUIRE(f, "out of memory");
    print(m, f);
    REQUIRE(fclose(f) == 0, "out of memory");
    return text;
}

static void require_printable(const struct import *m, size_t n_rules)
{
    CLEANUP_FREE char *text = printed(m, import_write), *json = printed(m, import_write_json);
    char *rest = text, *line;
    size_t sections = 0;

    REQUIRE(*json == '{', "no object");
    while ((line = strsep(&rest, "\n"))) {
        for (const char *c = line; *c; c++)
            REQUIRE(*c >= ' ' && *c <= '~', "byte %d", *c);
        sections += *line == '[';
        if (*line != '#' && *line != '[' && *line)
            REQUIRE(strstr(line, " = "), "%s", line);
    }
    REQUIRE(sections == n_rules, "%zu sections", sections);
}

static void import_all(struct source *s)
{
    CLEANUP(import_rules_done) struct import_rules rules = {0};
    CLEANUP(found_done) struct found f = {.s = s, .tree.root_fd = -1};
    struct import m = {.found = &f, .rules = &rules};

    import_sources(&f);
    import_rules_make(&f, &rules);
    REQUIRE(!f.tree.failed, "out of memory");
    require_valid(&rules);
    require_selected(&f, &rules);
    for (size_t i = 0; i < rules.n; i++)
        m.n_rules += !rules.v[i].dropped;
    require_printable(&m, m.n_rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pieces p = {(const char *)data, size};
    struct source s = {.root_fd = -1};
    CLEANUP_FREE char *snapshot = next_text(&p);
    char *pieces[FILES_MAX];
    size_t n, n_pieces = 0;
    unsigned line;

    if (!snapshot || snapshot_read(&s.snapshot, snapshot, &line) < 0)
        snapshot_done(&s.snapshot);
    s.rows = rows_for(&s.snapshot);
    n_files = 0;
    while (n_pieces < FILES_MAX && (pieces[n_pieces] = next_piece(&p, &n)))
        take_file(pieces[n_pieces++], n);
    import_all(&s);
    for (size_t i = 0; i < n_pieces; i++) {
        free(files[i].path);
        free(pieces[i]);
    }
    free(s.rows);
    snapshot_done(&s.snapshot);
    return 0;
}
