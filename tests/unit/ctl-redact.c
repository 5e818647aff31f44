/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A redacted report decides as the host did, and nothing of a serial number is left in it. */
#include "unit.h"

#include "policy/parse.h"
#include "show/redact.h"

static const char *const serials[] = {
    "48-b0-2d-ff-ff-00-00-06", "48-b0-2d-ff-ff-00-00-07", "48-b0-2d-ff-ff-10-00-07",
    "00-25-38-b1-91-00-00-01", "aa-bb-cc-dd-ee-ff-00-11", NULL,
};

static void make_devices(struct snapshot *s, struct redaction *r)
{
    for (size_t i = 0; i < ELEMENTS(serials); i++) {
        struct device d = {.addr = {.bus = (uint8_t)i}, .vendor = 0x10de, .detailed = true};
        d.serial = !serials[i] ? NULL : r ? redact_text(r, serials[i]) : strdup(serials[i]);
        ck_assert_int_eq(snapshot_put(s, &d), 0);
    }
}

/* The index of the rule that decides about each device, or '-', and the number of errors. */
static char *decide(const char *text, const struct snapshot *s)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    char *result = calloc(1, ELEMENTS(serials) + 16);

    policy_init(&p);
    ck_assert_int_eq(policy_parse(&p, "x", text, strlen(text), &d), 0);
    policy_finish(&p, &d);
    for (size_t i = 0; i < s->n; i++) {
        const struct rule *r = policy_match(&p, &s->devices[i]);
        result[i] = r ? r->name[0] : '-';
    }
    snprintf(result + s->n, 16, " %zu", d.errors);
    return result;
}

START_TEST(same_decisions)
{
    static const char *const policies[] = {
        "[device a]\nid = 10de:*\nserial = 48-b0-2d-ff-ff-00-00-06\n",
        "[device a]\nid = 10de:*\nserial = 48-B0-2D-FF-FF-00-00-07, 00:25:38:b1:91:00:00:01\n",
        "[device a]\nid = 10de:*\nserial = 48-b0-*\n[device b]\nid = 10de:*\nserial = *\n",
        "[device a]\nid = 10de:*\nserial = *-07, !*-10-00-07\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\nserial = !48-*\n",
        "[device a]\nid = 10de:*\nserial = *2d*, ?\?-bb-*\n",
        "[device a]\nid = 10de:*\nserial = 48-b0-2d-ff-ff-[01]0-00-0[!6]\n",
        "[device a]\nid = 10de:*\nserial = ff-ff-ff-ff-ff-ff-ff-fe\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\nserial = !11-11-11-11-11-11-11-11\n",
        "[device a]\nid = 10de:*\nserial = 48b02dffff000006\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\n  serial = 48-b0-*\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\nserial = \n",
        "[device a]\nid = 10de:*\nserials = 48-b0-2d-ff\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\nserial: 48-b0-2d-ff\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\n48-b0-2d-ff\n[device b]\nid = 10de:*\n",
        "[device a]\nid = 10de:*\nserial = 48-b0-2d-*,\n",
    };
    CLEANUP(snapshot_done) struct snapshot real = {0}, redacted = {0};
    CLEANUP(redact_done) struct redaction r;

    make_devices(&real, NULL);
    ck_assert_int_eq(redact_init(&r, &real, "node17.example.net"), 0);
    make_devices(&redacted, &r);
    for (size_t i = 0; i < ELEMENTS(policies); i++) {
        CLEANUP_FREE char *text = redact_policy(&r, policies[i]);
        CLEANUP_FREE char *before = decide(policies[i], &real);
        CLEANUP_FREE char *after = decide(text, &redacted);
        ck_assert_msg(streq(before, after), "%s became %s: %s, %s", policies[i], text, before,
                      after);
        ck_assert_msg(!strcasestr(text, "48-b0") && !strstr(text, "2d"), "%s", text);
    }
}
END_TEST

START_TEST(texts)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"", ""},
        {"on NODE17: ok", "on redacted-host: ok"},
        {"node17.example.net", "redacted-host.example.net"},
        {"node171 mynode17", "node171 mynode17"},
        {"it has the file system mounted on /: end that",
         "it has the file system mounted on /: end that"},
        {"it has the file system mounted on /srv/customer: end that",
         "it has the file system mounted on /redacted: end that"},
        {"has the file system mounted on /a:b;c,d: end that",
         "has the file system mounted on /redacted: end that"},
        {"it is in /etc/fstab (/a)b (c)): so", "it is in /etc/fstab (redacted): so"},
        {"evidence=is%20in%20/etc/fstab%20(/a)b) x=(y)",
         "evidence=is%20in%20/etc/fstab%20(redacted) x=(y)"},
        {"use=has%20the%20file%20system%20mounted%20on%20/data x",
         "use=has%20the%20file%20system%20mounted%20on%20/redacted x"},
        {"use=mounted%20on%20/var", "use=mounted%20on%20/var"},
        {"serial=48-b0-2d-ff-ff-00-00-06 48:B0:2D:FF:FF:00:00:06",
         "serial=00-00-00-00-00-00-00-01 00-00-00-00-00-00-00-01"},
        {"device 0000:06:00.0 id=10de:20f1", "device 0000:06:00.0 id=10de:20f1"},
    };
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(redact_done) struct redaction r;

    make_devices(&s, NULL);
    ck_assert_int_eq(redact_init(&r, &s, "node17.example.net"), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP_FREE char *text = redact_text(&r, cases[i].before);
        ck_assert_str_eq(text, cases[i].after);
    }
}
END_TEST

START_TEST(lines_stay)
{
    CLEANUP(snapshot_done) struct snapshot s = {0};
    CLEANUP(redact_done) struct redaction r;
    CLEANUP_FREE char *text = NULL;

    ck_assert_int_eq(redact_init(&r, &s, "id"), 0); /* too short to be looked for */
    text = redact_policy(&r, "# secret\n\n[device x]\n; more\nid = 10de:20f1\n  # x");
    ck_assert_str_eq(text, "#\n\n[device x]\n#\nid = 10de:20f1\n#");
}
END_TEST

UNIT_MAIN("ctl-redact", same_decisions, texts, lines_stay)
