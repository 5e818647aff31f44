/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "show/redact.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <strings.h>

#include "base/util.h"
#include "policy/parse.h"

#define SERIAL_LENGTH 23
#define HOST_WORD "redacted-host"
#define VALUE_MAX 3900 /* bytes of a list of serial numbers: a line of the policy holds 4096 */

void redact_done(struct redaction *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->serials[i]);
    free(r->serials);
    free(r->host);
    *r = (struct redaction){0};
}

/* -- serial numbers -- */

static bool is_serial(const char *s)
{
    for (size_t i = 0; i < SERIAL_LENGTH; i++)
        if (i % 3 == 2 ? s[i] != '-' && s[i] != ':' : !isxdigit((unsigned char)s[i]))
            return false;
    return !isalnum((unsigned char)s[SERIAL_LENGTH]);
}

/* lspci's spelling, in which serial numbers are compared. */
static void normalise(const char *s, char buf[static SERIAL_LENGTH + 1])
{
    for (size_t i = 0; i < SERIAL_LENGTH; i++)
        buf[i] = s[i] == ':' ? '-' : (char)tolower((unsigned char)s[i]);
    buf[SERIAL_LENGTH] = '\0';
}

/* The number that replaces a serial number; a new serial number gets a new one. */
static int number_of(struct redaction *r, const char *serial, size_t *ret)
{
    for (size_t i = 0; i < r->n; i++)
        if (streq(r->serials[i], serial)) {
            *ret = i;
            return 0;
        }
    char *copy = strdup(serial);
    if (!copy || !grow(&r->serials, &r->allocated, r->n, sizeof(*r->serials))) {
        free(copy);
        return -ENOMEM;
    }
    r->serials[r->n] = copy;
    *ret = r->n++;
    return 0;
}

static int write_serial(struct redaction *r, const char *serial, FILE *f)
{
    char text[SERIAL_LENGTH + 1];
    size_t n;

    normalise(serial, text);
    int error = number_of(r, text, &n);
    if (error < 0)
        return error;
    fprintf(f, "00-00-00-00-00-%02zx-%02zx-%02zx", (n + 1) >> 16 & 0xff, (n + 1) >> 8 & 0xff,
            (n + 1) & 0xff);
    return 0;
}

int redact_init(struct redaction *r, const struct snapshot *s, const char *host)
{
    size_t n;
    int error = 0;

    *r = (struct redaction){.snapshot = s};
    /* A short or common name would also match in unrelated words. */
    if (host && strlen(host) >= 3 && strcspn(host, ".") >= 3 && strcasecmp(host, "localhost") != 0)
        r->host = strndup(host, strcspn(host, "."));
    for (size_t i = 0; error == 0 && i < s->n; i++)
        if (s->devices[i].serial && is_serial(s->devices[i].serial))
            error = number_of(r, s->devices[i].serial, &n);
    return error;
}

/* -- any text -- */

static bool is_host(const struct redaction *r, const char *text, const char *at)
{
    size_t n = r->host ? strlen(r->host) : 0;

    return n > 0 && strncasecmp(at, r->host, n) == 0 && !isalnum((unsigned char)at[n]) &&
           (at == text || !isalnum((unsigned char)at[-1]));
}

/* "mounted on /srv/customer": the folder is removed, unless it exists on every host. Returns how
 * much of the text was consumed, or 0 if it is not such a place. */
static size_t write_mount(const char *at, FILE *f)
{
    static const char *const prefixes[] = {"mounted on /", "mounted%20on%20/"};
    static const char *const usual[] = {"/",    "/boot", "/boot/efi", "/home", "/opt",    "/root",
                                        "/srv", "/tmp",  "/usr",      "/var",  "/var/lib"};

    for (size_t i = 0; i < ELEMENTS(prefixes); i++) {
        const char *folder = after_prefix(at, prefixes[i]);
        if (!folder)
            continue;
        folder--;
        size_t n = strcspn(folder, " \n");
        while (n > 1 && strchr(":;,", folder[n - 1])) /* not of the path */
            n--;
        bool known = false;
        for (size_t j = 0; j < ELEMENTS(usual); j++)
            known = known || (strlen(usual[j]) == n && strncmp(usual[j], folder, n) == 0);
        fwrite(at, 1, (size_t)(folder - at), f);
        fprintf(f, "%.*s", known ? (int)n : 9, known ? folder : "/redacted");
        return (size_t)(folder - at) + n;
    }
    return 0;
}

/* How much of the text is in the parentheses that are open: they may contain others. */
static size_t length_in_parentheses(const char *text, const char *end)
{
    const size_t whole = strcspn(text, end);
    const char *close = memrchr(text, ')', whole);

    return close ? (size_t)(close - text) : whole;
}

/* Texts about what the host boots from: mount points, names of encrypted disks. Returns how much of
 * the text was consumed, or 0 if it is none of these. */
static size_t write_boot_use(const char *at, FILE *f)
{
    static const struct {
        const char *prefix, *end;
    } secrets[] = {
        {"/etc/fstab (", "\n"},         {"/etc/fstab%20(", " \n"},
        {"/etc/crypttab (", "\n"},      {"/etc/crypttab%20(", " \n"},
        {"cryptroot/crypttab (", "\n"}, {"cryptroot/crypttab%20(", " \n"},
    };

    for (size_t i = 0; i < ELEMENTS(secrets); i++) {
        const char *secret = after_prefix(at, secrets[i].prefix);
        if (!secret)
            continue;
        fprintf(f, "%sredacted", secrets[i].prefix);
        return (size_t)(secret - at) + length_in_parentheses(secret, secrets[i].end);
    }
    return 0;
}

static int write_text(struct redaction *r, const char *text, FILE *f)
{
    int error = 0;
    size_t n;

    for (const char *at = text; error == 0 && *at;) {
        bool fresh = at == text || !isalnum((unsigned char)at[-1]);
        if (fresh && is_serial(at)) {
            error = write_serial(r, at, f);
            at += SERIAL_LENGTH;
        } else if (is_host(r, text, at)) {
            fputs(HOST_WORD, f);
            at += strlen(r->host);
        } else if ((n = *at == 'm' ? write_mount(at, f) : write_boot_use(at, f)) > 0) {
            at += n;
        } else {
            fputc(*at++, f);
        }
    }
    return error;
}

/* -- the policy -- */

/* The normalised pattern, as the policy's own parser makes it; NULL: it has an error. */
static char *pattern_of(const char *item)
{
    CLEANUP(policy_done) struct policy p;
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP_FREE char *text = NULL;

    policy_init(&p);
    if (asprintf(&text, "[device x]\nid = 10de:*\nserial = %s\n", item) < 0)
        return NULL;
    if (policy_parse(&p, "", text, strlen(text), &d) < 0 || d.errors > 0 || p.n_rules != 1 ||
        p.rules[0].narrow[KEY_SERIAL].n != 1)
        return NULL;
    return strdup(p.rules[0].narrow[KEY_SERIAL].v[0]);
}

static bool is_particular(const char *pattern)
{
    for (; *pattern; pattern++)
        if (isalnum((unsigned char)*pattern))
            return true;
    return false;
}

/* Replaces an item of "serial =": by a list of the new serial numbers that it matches, or by one
 * that no device has. Anything that is not a serial number is kept. */
static int write_item(struct redaction *r, const char *item, FILE *f)
{
    CLEANUP_FREE char *pattern = pattern_of(item);
    const char *negation = pattern && pattern[0] == '!' ? "!" : "";
    const char *separator = "";
    int error = 0;

    if (!pattern)
        return fputs("redacted-error", f) < 0 ? -EIO : 0;
    if (!is_particular(pattern))
        return fputs(pattern, f) < 0 ? -EIO : 0;
    for (size_t i = 0; error == 0 && i < r->snapshot->n && ftell(f) < VALUE_MAX; i++) {
        const char *serial = r->snapshot->devices[i].serial;
        if (!serial || fnmatch(pattern + (*negation != '\0'), serial, 0) != 0)
            continue;
        fprintf(f, "%s%s", separator, negation);
        error = write_serial(r, serial, f);
        separator = ", ";
    }
    if (error == 0 && !*separator)
        fprintf(f, "%sff-ff-ff-ff-ff-ff-ff-ff", negation);
    return error;
}

static char *redact_serials(struct redaction *r, const char *value)
{
    CLEANUP_FREE char *copy = strdup(value);
    char *text = NULL, *rest = copy, *item;
    const char *separator = "";
    size_t size;
    int error = 0;
    FILE *f = copy ? open_memstream(&text, &size) : NULL;

    if (!f)
        return NULL;
    while (error == 0 && (item = strsep(&rest, ","))) {
        item += strspn(item, " \t");
        for (size_t n = strlen(item); n > 0 && isspace((unsigned char)item[n - 1]); n--)
            item[n - 1] = '\0';
        fputs(separator, f);
        error = write_item(r, item, f);
        separator = ", ";
    }
    if (fclose(f) != 0 || error < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool is_known_key(const char *key)
{
    static const char *const others[] = {"log-level", "boot-deadline", "unbind-timeout",
                                         "node-features", "metrics"};

    for (enum rule_key k = 0; k < KEY_MAX; k++)
        if (streq(rule_key_name(k), key))
            return true;
    return word_index(others, ELEMENTS(others), key) >= 0;
}

/* The key before '=', malloc'ed; NULL if the line has none. */
static char *redact_key(const char *line)
{
    size_t n = strcspn(line, "=");

    if (!line[n])
        return NULL;
    while (n > 0 && is_blank(line[n - 1]))
        n--;
    return strndup(line, n);
}

/* A line with an error keeps that error. The value of an unknown key is removed, since the key may
 * be a misspelt "serial". */
static int write_key_line(struct redaction *r, const char *line, FILE *f)
{
    CLEANUP_FREE char *key = redact_key(line), *list = NULL;
    const char *value = strchr(line, '=');

    if (!key)
        return fputs(strchr(line, ':') ? "redacted:error" : "redacted-error", f) < 0 ? -EIO : 0;
    /* A comment, or more than one word, before '=' is an error, and stays one. */
    const size_t word = strcspn(key, after_prefix(key, "serial") ? ":#; \t" : "#; \t");
    if (key[word])
        return fprintf(f, "%.*s redacted = redacted", (int)word, key) < 0 ? -EIO : 0;
    value += 1 + strspn(value + 1, " \t\r");
    if (!streq(key, "serial") && is_known_key(key)) {
        /* A comment after a value is an error, and stays one, but without its text. */
        CLEANUP_FREE char *copy = strdup(line);
        if (!copy)
            return -ENOMEM;
        size_t n = strcspn(copy, "#;");
        if (copy[n])
            copy[n + 1] = '\0';
        return write_text(r, copy, f);
    }
    if (streq(key, "serial") && *value && !(list = redact_serials(r, value)))
        return -ENOMEM;
    int error = write_text(r, key, f);
    fprintf(f, " = %s", list ? list : *value ? "redacted" : "");
    return error;
}

static int write_policy_line(struct redaction *r, const char *line, FILE *f)
{
    const char *start = line + strspn(line, " \t");

    if (*start == '#' || *start == ';')
        return fputc('#', f) < 0 ? -EIO : 0;
    fwrite(line, 1, (size_t)(start - line), f); /* an indented line is an error, and stays one */
    if (*start == '[') {                        /* text after it is an error, and stays one */
        CLEANUP_FREE char *copy = strdup(start);
        if (!copy)
            return -ENOMEM;
        char *close = strchr(copy, ']');
        if (close && close[1 + strspn(close + 1, " \t\r")])
            memcpy(close + 1, "#", sizeof("#"));
        return write_text(r, copy, f);
    }
    if (!start[strspn(start, "\r")])
        return write_text(r, start, f);
    return write_key_line(r, start, f);
}

static char *redact(struct redaction *r, const char *text, bool policy)
{
    CLEANUP_FREE char *copy = strdup(text);
    char *result = NULL, *rest = copy, *line;
    size_t size;
    int error = 0;
    FILE *f = copy ? open_memstream(&result, &size) : NULL;

    if (!f)
        return NULL;
    while (error == 0 && (line = strsep(&rest, "\n"))) {
        error = policy ? write_policy_line(r, line, f) : write_text(r, line, f);
        if (rest)
            fputc('\n', f);
    }
    if (fclose(f) != 0 || error < 0) {
        free(result);
        return NULL;
    }
    return result;
}

char *redact_text(struct redaction *r, const char *text)
{
    return redact(r, text, false);
}

char *redact_policy(struct redaction *r, const char *text)
{
    return redact(r, text, true);
}
