/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the preflight. Findings in three levels, each with what to do. */
#include <errno.h>

#include "check/files.h"
#include "check/parts.h"
#include "loader.h"
#include "open.h"
#include "table.h"

#define NAME_WIDTH 10

static const char *const level_words[FINDING_MAX] = {"OK", "WARN", "FAIL"};

static enum cpu find_cpu(struct check *c)
{
    CLEANUP_FREE char *info = check_read(c, "proc/cpuinfo");

    if (!info)
        return CPU_OTHER;
    if (strstr(info, "GenuineIntel"))
        return CPU_INTEL;
    if (strstr(info, "AuthenticAMD") || strstr(info, "HygonGenuine"))
        return CPU_AMD;
    return strstr(info, "CPU implementer") ? CPU_ARM : CPU_OTHER;
}

static void add_unseen(struct check *c)
{
    if (!c->tree.unseen)
        return;
    check_add(c, FINDING_WARN, "not-seen", "not seen: %s", c->tree.unseen);
    if (geteuid() != 0)
        check_remedy(c, "sudo vfio-bindctl check%s%s", c->s->ctl->root ? " --root " : "",
                     c->s->ctl->root ? c->s->ctl->root : "");
}

static void split_cmdline(struct check *c)
{
    const char *text = c->s->texts.cmdline;
    char *copy = strdup(text ? text : "");

    if (!copy || cmdline_split(copy, &c->cmdline) < 0)
        c->tree.failed = true;
}

static void run_parts(struct check *c)
{
    split_cmdline(c);
    c->cpu = find_cpu(c);
    loader_find_release(&c->tree, c->s->this_host, c->release);
    check_firmware(c);
    check_modules(c);
    check_service(c);
    check_policy(c);
    check_devices(c);
    check_initramfs(c);
    check_claimants(c);
    check_kubernetes(c);
    add_unseen(c);
}

/* -- output -- */

static void sum_up_findings(const struct check *c, size_t counts[static FINDING_MAX], char *buf,
                            size_t size)
{
    for (size_t i = 0; i < c->n; i++)
        counts[c->v[i].level]++;
    snprintf(buf, size, "%s: %zu failed, %zu with a warning, %zu passed.",
             counts[FINDING_FAIL]   ? "Not ready"
             : counts[FINDING_WARN] ? "Ready, with warnings"
                                    : "Ready",
             counts[FINDING_FAIL], counts[FINDING_WARN], counts[FINDING_OK]);
}

/* Commands are not wrapped: they are there to be pasted. */
static void print_remedy(const char *remedy, unsigned indent)
{
    while (*remedy) {
        size_t n = strcspn(remedy, "\n");
        printf("%*s%.*s\n", (int)indent, "", (int)n, remedy);
        remedy += n + (remedy[n] == '\n');
    }
}

static void print_findings(const struct check *c)
{
    static const enum ctl_colour colours[FINDING_MAX] = {CTL_GREEN, CTL_YELLOW, CTL_RED};
    const unsigned indent = 6 + NAME_WIDTH + 1;

    for (size_t i = 0; i < c->n; i++) {
        const struct finding *f = &c->v[i];
        ctl_colour(c->s->ctl, colours[f->level]);
        printf("%-4s", level_words[f->level]);
        ctl_colour(c->s->ctl, CTL_PLAIN);
        printf("  %-*s ", NAME_WIDTH, f->name);
        ctl_wrap(stdout, f->text, indent, indent);
        if (f->remedy)
            print_remedy(f->remedy, indent + 2);
    }
}

static int print_findings_json(const struct check *c, const size_t counts[static FINDING_MAX],
                               const char *sentence)
{
    static const struct column columns[] = {
        {"LEVEL", 0, 0, SCOLS_JSON_STRING},
        {"NAME", 0, 0, SCOLS_JSON_STRING},
        {"TEXT", 0, 0, SCOLS_JSON_STRING},
        {"REMEDY", 0, 0, SCOLS_JSON_ARRAY_STRING},
    };
    CLEANUP(table_done) struct table t = {0};
    char head[256];

    table_init(&t, c->s->ctl, "checks", columns, ELEMENTS(columns));
    for (size_t i = 0; i < c->n; i++) {
        struct libscols_line *line = table_line(&t, NULL);
        table_set(&t, line, 0, level_words[c->v[i].level]);
        table_set(&t, line, 1, c->v[i].name);
        table_set(&t, line, 2, c->v[i].text);
        table_set(&t, line, 3, c->v[i].remedy);
    }
    snprintf(head, sizeof(head),
             "\"sentence\": \"%s\",\n   \"ok\": %zu,\n   \"warn\": %zu,\n   \"fail\": %zu",
             sentence, counts[FINDING_OK], counts[FINDING_WARN], counts[FINDING_FAIL]);
    return table_print_after(&t, head);
}

int verb_check(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    struct ctl quiet = *c;
    size_t counts[FINDING_MAX] = {0};
    char sentence[160];

    quiet.quiet = true; /* whether the daemon runs is a finding of its own */
    int r = source_open(&quiet, SOURCE_DAEMON | SOURCE_FILES, &s);
    if (r != 0)
        return r;
    if (s.replayed)
        return ctl_error(
            "a report does not hold what \"check\" looks at: run it on the host itself");

    CLEANUP(findings_done) struct check check = {.s = &s, .tree.root_fd = s.root_fd};
    run_parts(&check);
    if (check.tree.failed)
        return ctl_errno(-ENOMEM);
    sum_up_findings(&check, counts, sentence, sizeof(sentence));
    if (c->json) {
        r = print_findings_json(&check, counts, sentence);
    } else {
        print_findings(&check);
        printf("%s\n", sentence);
        r = fflush(stdout) != 0 || ferror(stdout)
                ? ctl_error("cannot write the output: %s", strerror(errno))
                : EXIT_SUCCESS;
    }
    return r != 0 ? r : counts[FINDING_FAIL] > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
