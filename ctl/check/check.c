/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the preflight. Each finding has one of three levels, and says what to do. */
#include <errno.h>

#include "check/files.h"
#include "check/parts.h"
#include "json.h"
#include "loader.h"
#include "open.h"

#define NAME_WIDTH 10
#define OTHERS_SHOWN 16

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
    check_access(c);
    check_vfs(c);
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

/* Commands are not wrapped, so that they can be pasted. */
static void print_remedy(const char *remedy, unsigned indent)
{
    while (*remedy) {
        size_t n = strcspn(remedy, "\n");
        printf("%*s%.*s\n", (int)indent, "", (int)n, remedy);
        remedy += n + (remedy[n] == '\n');
    }
}

/* "the same applies to 0000:07:00.0, 0000:08:00.0 and 4 more": all devices except the first one,
 * which the text is about. */
static void print_others(const struct finding *f, unsigned indent)
{
    CLEANUP_FREE char *text = NULL;
    const char *line = strchr(f->devices, '\n');
    size_t size, n = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return;
    fputs("the same applies to", out);
    for (; line && n < OTHERS_SHOWN; line = strchr(line + 1, '\n'), n++)
        fprintf(out, "%s %.*s", n > 0 ? "," : "", (int)strcspn(line + 1, "\n"), line + 1);
    if (f->n_devices - 1 > n)
        fprintf(out, " and %zu more", f->n_devices - 1 - n);
    if (fclose(out) != 0)
        return;
    printf("%*s", (int)indent, "");
    ctl_wrap(stdout, text, indent, indent);
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
        if (f->n_devices > 1)
            print_others(f, indent);
        if (f->remedy)
            print_remedy(f->remedy, indent + 2);
    }
}

static void print_findings_json(const struct check *c, const size_t counts[static FINDING_MAX],
                                const char *sentence)
{
    static const char *const keys[FINDING_MAX] = {"ok", "warn", "fail"};
    struct json j;

    json_begin(&j, stdout, false);
    json_text(&j, "sentence", sentence);
    for (size_t i = 0; i < FINDING_MAX; i++)
        json_number(&j, keys[i], counts[i]);
    json_array(&j, "checks");
    for (size_t i = 0; i < c->n; i++) {
        json_object(&j, NULL);
        json_text(&j, "level", keys[c->v[i].level]);
        json_text(&j, "name", c->v[i].name);
        json_text(&j, "text", c->v[i].text);
        json_words(&j, "devices", c->v[i].devices, "\n");
        json_words(&j, "remedy", c->v[i].remedy, "\n");
        json_end(&j);
    }
    json_end(&j);
    json_finish(&j);
}

int verb_check(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    struct ctl quiet = *c;
    size_t counts[FINDING_MAX] = {0};
    char sentence[160];

    quiet.quiet = true; /* whether the daemon runs is reported as a finding */
    int r = source_open(&quiet, SOURCE_DAEMON | SOURCE_FILES, &s);
    if (r != 0)
        return r;
    if (s.replayed)
        return ctl_error(
            "a report does not contain what \"check\" examines: run it on the host itself");

    CLEANUP(findings_done) struct check check = {.s = &s, .tree.root_fd = s.root_fd};
    run_parts(&check);
    if (check.tree.failed)
        return ctl_errno(-ENOMEM);
    sum_up_findings(&check, counts, sentence, sizeof(sentence));
    if (c->json) {
        print_findings_json(&check, counts, sentence);
    } else {
        print_findings(&check);
        printf("%s\n", sentence);
    }
    return counts[FINDING_FAIL] > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
