/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy's reader. An input is one or more files, the lowest precedence first, with a line "%%"
 * between two; one that begins with "cmdline " is the kernel command line.
 *
 * Whatever the bytes are: errors can be told, rules are whole, and the rules, written down in one
 * spelling and read again, are the same rules without an error. */
#include "fuzz.h"

#include <errno.h>

#include "model/snapshot.h"
#include "policy/parse.h"

/* -- rules in one spelling -- */

static const char *const groups[] = {"functions", "all", "matched"};
static const char *const hotplugs[] = {"prevent", "rebind", "off"};

static void write_ids(const struct rule *r, FILE *f)
{
    for (size_t i = 0; i < r->n_ids; i++) {
        fprintf(f, "%s%04x:", i ? ", " : "id = ", r->ids[i].vendor);
        if (r->ids[i].any_device)
            fputc('*', f);
        else
            fprintf(f, "%04x", r->ids[i].device);
    }
    if (r->n_ids > 0)
        fputc('\n', f);
}

static char *rule_text(const struct rule *r)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    REQUIRE(f, "out of memory");
    fprintf(f, "[device %s]\n", r->name);
    write_ids(r, f);
    for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++) {
        for (size_t i = 0; i < r->narrow[k].n; i++)
            fprintf(f, "%s%s%s", i ? "" : rule_key_name(k), i ? ", " : " = ", r->narrow[k].v[i]);
        if (r->narrow[k].n > 0)
            fputc('\n', f);
    }
    fprintf(f, "driver = %s\ngroup = %s\nhotplug = %s\nforce = %s\n", r->driver, groups[r->group],
            hotplugs[r->hotplug], r->force ? "yes" : "no");
    if (r->expect >= 0 && !r->broken)
        fprintf(f, "expect = %d\n", r->expect);
    if (r->resource && !r->broken)
        fprintf(f, "resource = %s\n", r->resource);
    fclose(f);
    return text;
}

static bool fits_lines(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        if (end - text > POLICY_LINE_MAX)
            return false;
    return true;
}

/* Each rule in a file of its own, so that their order is that of the files, and one that an earlier
 * rule covers is worth a warning only, as it was where it came from. */
static void read_again(const struct policy *p)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy again;

    policy_init(&again);
    for (size_t i = p->n_rules; i-- > 0;) {
        CLEANUP_FREE char *text = rule_text(&p->rules[i]);
        if (!fits_lines(text) || streq(p->rules[i].name, RULE_CMDLINE))
            return; /* a normal spelling can be longer than what was written */
        REQUIRE(policy_parse(&again, "again", text, strlen(text), &d) == 0, "%s", text);
        REQUIRE(d.errors == 0, "%s\nof\n%s", d.v[0].text, text);
    }
    policy_finish(&again, &d);
    REQUIRE(d.errors == 0, "%s", d.v[0].text);
    REQUIRE(again.n_rules == p->n_rules, "%zu rules, were %zu", again.n_rules, p->n_rules);
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct rule *x = &p->rules[i], *y = &again.rules[i];
        CLEANUP_FREE char *before = rule_text(x), *after = rule_text(y);
        REQUIRE(x->broken || streq(before, after), "\n%s\nbecame\n%s", before, after);
    }
}

/* -- what holds -- */

static void check_rule(const struct rule *r)
{
    size_t positive = r->n_ids;

    REQUIRE(!r->broken || rule_is_native(r), "broken rule %s is used", r->name);
    REQUIRE(*r->name && strlen(r->name) <= RULE_NAME_MAX, "%s", r->name);
    REQUIRE(rule_target(r) || rule_is_native(r), "%s", r->name);
    for (enum rule_key k = KEY_CLASS; k < KEY_SELECTS_MAX; k++)
        for (size_t i = 0; i < r->narrow[k].n; i++)
            positive += r->narrow[k].v[i][0] != '!';
    REQUIRE(positive > 0, "%s selects everything", r->name);
}

static void check_diags(const struct diags *d)
{
    REQUIRE(d->n <= DIAGS_MAX && d->n <= d->errors + d->warnings, "%zu", d->n);
    for (size_t i = 0; i < d->n; i++) {
        CLEANUP_FREE char *text = diag_text(&d->v[i]);
        REQUIRE(text && *d->v[i].text, "no text");
        REQUIRE(!strchr(text, '\n'), "%s", text);
    }
}

/* The rule that decides is the first that fits, and no scan leaves out what it selects. */
static void check_matches(const struct policy *p)
{
    static const struct device devices[] = {
        {.addr = {0, 6, 0, 0}, .vendor = 0x10de, .device = 0x20f1, .class_code = 0x030200},
        {.addr = {0, 0xff, 31, 7}, .vendor = 0x8086, .class_code = 0x010802, .slot = (char *)"3"},
        {.addr = {0x10000, 1, 0, 0},
         .vendor = 0xffff,
         .device = 0xffff,
         .subvendor = 0x10de,
         .slot = (char *)"PCIe 1",
         .serial = (char *)"48-b0-2d-ff-ff-12-34-56"},
    };
    for (size_t i = 0; i < ELEMENTS(devices); i++) {
        const struct rule *r = policy_match(p, &devices[i]);
        if (!r)
            continue;
        REQUIRE(rule_test(r, &devices[i]) < 0 && policy_may_match(p, &devices[i]), "%s", r->name);
        (void)rule_names_device(r, &devices[i]);
        for (const struct rule *earlier = p->rules; earlier < r; earlier++)
            REQUIRE(rule_test(earlier, &devices[i]) >= 0, "%s", earlier->name);
    }
}

static void parse_piece(struct policy *p, const char *bytes, size_t size, unsigned n,
                        struct diags *d)
{
    static const char cmdline[] = "cmdline ";
    char name[32];
    bool off;
    int r;

    if (size >= strlen(cmdline) && memcmp(bytes, cmdline, strlen(cmdline)) == 0) {
        CLEANUP_FREE char *text = strndup(bytes, size);
        if (policy_find_rule(p, RULE_CMDLINE))
            return; /* a boot has one */
        r = policy_parse_cmdline(p, text + strlen(cmdline), d, &off);
    } else {
        snprintf(name, sizeof(name), "%u.conf", n);
        r = policy_parse(p, name, bytes, size, d);
    }
    REQUIRE(r == 0 || (r == -E2BIG && p->n_files > POLICY_FILES_MAX), "%d", r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    struct pieces rest = {(const char *)data, size};
    size_t length;
    char *bytes;

    policy_init(&p);
    for (unsigned n = 1; (bytes = next_piece(&rest, &length)); n++) {
        parse_piece(&p, bytes, length, n, &d);
        free(bytes);
    }
    policy_finish(&p, &d);
    check_diags(&d);
    for (size_t i = 0; i < p.n_rules; i++)
        check_rule(&p.rules[i]);
    check_matches(&p);
    read_again(&p);
    return 0;
}
