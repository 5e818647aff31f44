/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/parse.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>

#include "base/cmdline.h"
#include "base/hash.h"
#include "base/printable.h"
#include "policy/keys.h"

#define KEY_NAME_MAX 40 /* inih cuts keys at 49 bytes; ours have 14 at most */

enum section {
    SECTION_NONE,
    SECTION_UNUSED,
    SECTION_DAEMON,
    SECTION_KUBERNETES,
    SECTION_DEVICE,
    SECTION_MAX
};

struct policy_reader {
    struct policy *policy;
    struct diags *diags;
    struct origin at; /* the line being read */

    const char *bytes, *end; /* the bytes that have not been read yet */
    enum section section;
    bool untrusted;               /* no rule in this file may take a device */
    char rule[RULE_NAME_MAX + 1]; /* SECTION_DEVICE: the rule's name */
    struct {
        unsigned line;   /* the line where it began; 0: it did not occur yet */
        unsigned keys;   /* the keys that this file has set */
    } once[SECTION_MAX]; /* sections without a name */

    /* The key that is being passed to inih, in pieces if it is longer than inih's line. */
    char *key, *value; /* as written; NULL: none */
    const char *rest;  /* the part of .value that inih has not got yet */
    char *collected;   /* the pieces that inih has returned */
};

static void complain(const struct policy_reader *r, enum diag_level level, const char *text)
{
    diags_add(r->diags, level, policy_file(r->policy, r->at), r->at.line, "%s", text);
}

/* For what may have rules that are not known: no others may be used then. */
static void complain_of_unread(const struct policy_reader *r, const char *text)
{
    complain(r, DIAG_ERROR, text);
    r->diags->unread++;
}

static struct key_context context(const struct policy_reader *r)
{
    return (struct key_context){r->policy, r->diags, r->at};
}

/* -- sections -- */

static void unknown_section(struct policy_reader *r, const char *name)
{
    static const char *const words[] = {"device", "daemon", "kubernetes"};
    char first[16] = "";
    const char *at = policy_file(r->policy, r->at);
    unsigned line = r->at.line;

    sscanf(name, "%15s", first);
    int i = nearest_word(first, words, ELEMENTS(words));
    if (after_prefix(name, "device:") || after_prefix(name, "device."))
        diags_add(r->diags, DIAG_ERROR, at, line, "[%s]: did you mean [device %s]?", quoted(name).s,
                  quoted(name + strlen("device:")).s);
    else if (strchr(name, ':'))
        diags_add(r->diags, DIAG_ERROR, at, line,
                  "[%s]: a section is a rule with a name: write [device NAME], and below it "
                  "\"id = %s\"",
                  quoted(name).s, quoted(name).s);
    else if (i >= 0)
        diags_add(r->diags, DIAG_ERROR, at, line, "[%s]: did you mean [%s%s]?", quoted(name).s,
                  words[i], i == 0 ? " NAME" : "");
    else
        diags_add(r->diags, DIAG_ERROR, at, line,
                  "[%s]: sections are [daemon], [kubernetes] and [device NAME]; the keys below are "
                  "not used",
                  quoted(name).s);
}

static void begin_device_section(struct policy_reader *r, const char *name)
{
    struct key_context c = context(r);

    if (!policy_check_rule_name(&c, name))
        return;
    struct rule *rule = policy_find_rule(r->policy, name);
    if (rule && rule->section.file == r->at.file) {
        diags_add(r->diags, DIAG_ERROR, policy_file(r->policy, r->at), r->at.line,
                  "[device %s] appears twice in this file (first in line %u): merge the sections, "
                  "or give this one another name",
                  name, rule->section.line);
        rule->broken = true;
        return;
    }
    /* A device that an earlier file leaves alone stays so, whatever an untrusted file says about
     * its rule. */
    if (r->untrusted && rule && rule_is_native(rule))
        return;
    if (!rule && r->policy->n_rules >= POLICY_RULES_MAX) {
        complain_of_unread(r, "more than 4096 rules: use wildcards and lists");
        return;
    }
    if (!rule)
        rule = policy_add_rule(r->policy, name, r->at);
    if (!rule) {
        complain_of_unread(r, "out of memory");
        return;
    }
    if (!r->untrusted)
        policy_doubt_untrusted(r->policy, rule, r->at);
    rule->section = r->at;
    rule->broken = rule->broken || r->untrusted;
    snprintf(r->rule, sizeof(r->rule), "%s", name);
    r->section = SECTION_DEVICE;
}

static void begin_once(struct policy_reader *r, enum section section, const char *name)
{
    if (r->once[section].line > 0) {
        diags_add(r->diags, DIAG_ERROR, policy_file(r->policy, r->at), r->at.line,
                  "[%s] appears twice in this file (first in line %u): merge the sections", name,
                  r->once[section].line);
        return;
    }
    r->once[section].line = r->at.line;
    if (!r->untrusted)
        r->section = section;
}

static void begin_section(struct policy_reader *r, char *line)
{
    char *close = strchr(line, ']');
    char *name = line + 1;

    r->section = SECTION_UNUSED;
    if (!close || close[1 + strspn(close + 1, " \t")] != '\0') {
        complain(r, DIAG_ERROR,
                 close ? "there is text after ']': comments need lines of their own"
                       : "a section ends with ']': write [daemon] or [device NAME]");
        return;
    }
    *close = '\0';
    for (char *s = close; s > name && is_blank(s[-1]); s--)
        s[-1] = '\0';
    name += strspn(name, " \t");

    const char *device = after_prefix(name, "device");
    if (streq(name, "daemon"))
        begin_once(r, SECTION_DAEMON, name);
    else if (streq(name, "kubernetes"))
        begin_once(r, SECTION_KUBERNETES, name);
    else if (device && (is_blank(*device) || !*device))
        begin_device_section(r, device + strspn(device, " \t"));
    else
        unknown_section(r, name);
}

/* -- keys -- */

static void use_key(struct policy_reader *r, const char *key, const char *value)
{
    struct key_context c = context(r);
    struct rule *rule;

    switch (r->section) {
    case SECTION_NONE:
        complain(r, DIAG_ERROR,
                 "this key belongs to no section: write [daemon] or [device NAME] "
                 "above it");
        break;
    case SECTION_UNUSED: /* the section itself was reported */
        break;
    case SECTION_DAEMON:
        policy_set_daemon_key(&c, key, value, &r->once[SECTION_DAEMON].keys);
        break;
    case SECTION_KUBERNETES:
        policy_set_kubernetes_key(&c, key, value, &r->once[SECTION_KUBERNETES].keys);
        break;
    case SECTION_DEVICE:
        rule = policy_find_rule(r->policy, r->rule);
        if (rule)
            policy_set_rule_key(&c, rule, key, value);
        break;
    case SECTION_MAX:
        break;
    }
}

static void bad_line(struct policy_reader *r, const char *text)
{
    struct rule *rule = r->section == SECTION_DEVICE ? policy_find_rule(r->policy, r->rule) : NULL;

    complain(r, DIAG_ERROR, text);
    if (rule)
        rule->broken = true;
}

static char *trim(char *s)
{
    s += strspn(s, " \t");
    for (size_t n = strlen(s); n > 0 && is_blank(s[n - 1]); n--)
        s[n - 1] = '\0';
    return s;
}

/* Handles "10de:20f1 = vfio-pci" and the like, which inih would split at the colon. */
static void colon_in_key(struct policy_reader *r, const char *key)
{
    struct rule *rule = r->section == SECTION_DEVICE ? policy_find_rule(r->policy, r->rule) : NULL;
    struct key_context c = context(r);
    struct rule dummy = {.name = (char *)""};

    if (r->section != SECTION_UNUSED)
        policy_set_rule_key(&c, rule ? rule : &dummy, key, "");
}

/* Splits a line with a key and, if it is valid, keeps it for inih. */
static void begin_key(struct policy_reader *r, char *line)
{
    char *equals = strchr(line, '=');

    if (!equals) {
        bad_line(r, strchr(line, ':') ? "write KEY = VALUE, with '=' instead of ':'"
                                      : "this is not a KEY = VALUE line: comments begin with '#'");
        return;
    }
    *equals = '\0';
    char *key = trim(line), *value = trim(equals + 1);
    if (!*key || strlen(key) > KEY_NAME_MAX) {
        bad_line(r, *key ? "this is too long for a key: see vfio-bindd.conf(5)"
                         : "there is no key before '='");
        return;
    }
    if (strpbrk(key, ";#")) {
        bad_line(r, "';' and '#' are not allowed in a key: comments need lines of their own");
        return;
    }
    /* What follows a key, above all a serial number, must not be told as a part of it. */
    if (strpbrk(key, after_prefix(key, "serial") ? " \t:" : " \t")) {
        bad_line(r, "write KEY = VALUE, and the key without blanks");
        return;
    }
    if (strchr(key, ':')) {
        colon_in_key(r, key);
        return;
    }
    if (strpbrk(value, ";#")) {
        bad_line(r, "';' and '#' are not allowed in a value: comments need lines of their own");
        return;
    }
    if (strpbrk(value, "\"'")) {
        bad_line(r, "write the value without quotes");
        return;
    }
    r->key = strdup(key);
    r->value = strdup(value);
    r->collected = calloc(1, strlen(value) + 1);
    r->rest = r->value;
    if (!r->key || !r->value || !r->collected)
        bad_line(r, "out of memory");
}

static void forget_key(struct policy_reader *r)
{
    free(r->key);
    free(r->value);
    free(r->collected);
    r->key = r->value = r->collected = NULL;
    r->rest = NULL;
}

/* inih has received the whole key and returned it piece by piece. */
static void end_key(struct policy_reader *r)
{
    if (!r->key)
        return;
    /* Only blanks may differ. This guarantees that no value is cut. */
    const char *a = r->value, *b = r->collected;
    while (*a || *b) {
        a += strspn(a, " \t");
        b += strspn(b, " \t");
        if (*a != *b)
            break;
        a += *a != '\0';
        b += *b != '\0';
    }
    if (*a || *b)
        bad_line(r, "this value is too long: shorten it");
    else
        use_key(r, r->key, r->collected);
    forget_key(r);
}

/* How much of a value fits into `room` bytes: all of it, or the part up to and including a comma.
 * Returns 0 if nothing fits. */
static size_t piece_length(const char *value, size_t room)
{
    size_t n = strlen(value);

    if (n <= room)
        return n;
    for (n = room; n > 0 && value[n - 1] != ','; n--)
        ;
    return n;
}

/* Passes the next piece of the key to inih: the first one with the key's name, the others indented,
 * which inih takes as further values of the same key. */
static bool give_piece(struct policy_reader *r, char *line, size_t size)
{
    bool first = r->rest == r->value;
    int n = first ? snprintf(line, size, "%s = ", r->key) : snprintf(line, size, " ");
    size_t room = size - (size_t)n - 2; /* a line end and NUL */
    size_t length = piece_length(r->rest, room);

    if (length == 0 && *r->rest) {
        bad_line(r, "this value has more than 190 characters without a comma: no valid value does");
        forget_key(r);
        return false;
    }
    snprintf(line + n, size - (size_t)n, "%.*s\n", (int)length, r->rest);
    r->rest += length;
    r->rest += strspn(r->rest, " \t");
    if (!*r->rest)
        r->rest = NULL;
    return true;
}

/* -- lines -- */

static bool next_line(struct policy_reader *r, const char **ret_line, size_t *ret_length)
{
    if (r->bytes >= r->end)
        return false;

    const char *newline = memchr(r->bytes, '\n', (size_t)(r->end - r->bytes));
    size_t length = (size_t)((newline ? newline : r->end) - r->bytes);
    *ret_line = r->bytes;
    *ret_length = length;
    r->bytes += length + (newline != NULL);
    r->at.line++;
    return true;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if (iscntrl((unsigned char)*s) && *s != '\t')
            return true;
    return false;
}

static bool is_ignored(const char *start)
{
    return *start == '\0' || *start == '#' || *start == ';';
}

/* Why a line cannot be used as it is; NULL: it can. `start`: its first character that is not
 * blank. */
static const char *line_error(const char *text, size_t length, const char *line, const char *start)
{
    if (memchr(text, '\0', length))
        return "there are NUL bytes in this line: remove them, or save the file as UTF-8";
    if (is_ignored(start))
        return NULL;
    if (has_control(line))
        return "there is a control character in this line: remove it";
    if (start != line)
        return "this line is indented: remove the blanks at its beginning (a value must be on one "
               "line)";
    return NULL;
}

static void look_at_line(struct policy_reader *r, const char *text, size_t length)
{
    char line[POLICY_LINE_MAX + 1];

    if (length > 0 && text[length - 1] == '\r')
        length--;
    const bool too_long = length > POLICY_LINE_MAX;
    if (too_long)
        length = POLICY_LINE_MAX;
    memcpy(line, text, length);
    line[length] = '\0';
    char *start = line + strspn(line, " \t");
    const char *error = too_long ? "this line is longer than 4096 bytes: split the rule in two"
                                 : line_error(text, length, line, start);

    /* The keys below a section with an error are not those of the section above. */
    if (*start == '[')
        begin_section(r, start);
    if (error)
        bad_line(r, error);
    else if (*start != '[' && !is_ignored(start))
        begin_key(r, line);
}

/* ini_reader: the next line for inih, at most size - 1 bytes. Only keys are passed on: sections are
 * handled here, where their names are neither cut nor merged. */
static char *give_line(char *line, int size, void *userdata)
{
    struct policy_reader *r = userdata;
    const char *text;
    size_t length;

    for (;;) {
        if (r->rest) {
            if (give_piece(r, line, (size_t)size))
                return line;
            continue;
        }
        end_key(r);
        if (!next_line(r, &text, &length))
            return NULL;
        look_at_line(r, text, length);
    }
}

/* ini_handler: collects the pieces of the key that is being read. */
static int take_piece(void *userdata, const char *section, const char *name, const char *value)
{
    struct policy_reader *r = userdata;

    (void)section;
    if (r->key && streq(name, r->key) && strlen(r->collected) + strlen(value) <= strlen(r->value))
        memcpy(r->collected + strlen(r->collected), value, strlen(value) + 1);
    return 1;
}

static bool is_text(struct policy_reader *r, const char *bytes, size_t size)
{
    r->at.line = 1;
    if (size > POLICY_FILE_MAX) {
        complain_of_unread(r, "this file is larger than 1 MiB: it cannot be a policy");
        return false;
    }
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        complain_of_unread(r, "this file is UTF-16: save it as UTF-8");
        return false;
    }
    r->at.line = 0;
    return true;
}

static int parse_bytes(struct policy *p, const char *file, const char *bytes, size_t size,
                       bool untrusted, struct diags *d)
{
    static const char bom[] = "\xef\xbb\xbf";
    int index = policy_add_file(p, file);

    if (index < 0)
        return index;
    if (!after_prefix(file, "/run/")) {
        const uint32_t parts[] = {p->digest, hash_text(file), hash_bytes(bytes, size)};
        p->digest = hash_bytes(parts, sizeof(parts));
    }
    struct policy_reader r = {
        .policy = p, .diags = d, .at = {.file = (uint16_t)index}, .untrusted = untrusted};
    if (untrusted)
        policy_set_untrusted(p, (size_t)index);
    if (!is_text(&r, bytes, size))
        return 0;
    if (size >= 3 && memcmp(bytes, bom, 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    r.bytes = bytes;
    r.end = bytes + size;
    (void)ini_parse_stream(give_line, &r, take_piece, &r);
    end_key(&r);
    return 0;
}

int policy_parse(struct policy *p, const char *file, const char *bytes, size_t size,
                 struct diags *d)
{
    return parse_bytes(p, file, bytes, size, false, d);
}

int policy_parse_untrusted(struct policy *p, const char *file, const char *bytes, size_t size,
                           struct diags *d)
{
    return parse_bytes(p, file, bytes, size, true, d);
}

/* -- the kernel command line -- */

int policy_parse_cmdline(struct policy *p, const char *cmdline, struct diags *d, bool *ret_off)
{
    static const char *const off_words[] = {"vfio_bindd=off",        "vfio_bindd=0",
                                            "vfio_bindd=no",         "vfio_bindd.enable=0",
                                            "vfio_bindd.enable=off", "vfio_bindd.enable=no"};
    CLEANUP(cmdline_done) struct cmdline words = {0};
    CLEANUP_FREE char *ids = strdup("");
    char *copy = strdup(cmdline);
    bool off = false;

    if (cmdline_split(copy, &words) < 0 || !copy || !ids)
        return -ENOMEM;
    for (size_t i = 0; i < words.n; i++) {
        const char *word = words.v[i], *value = after_prefix(word, "vfio_bindd.ids=");
        char *joined;
        if (word_index(off_words, ELEMENTS(off_words), word) >= 0)
            off = true;
        else if (!value && (after_prefix(word, "vfio_bindd") || after_prefix(word, "vfio-bindd")))
            diags_add(
                d, DIAG_WARNING, "/proc/cmdline", 0,
                "\"%s\" has no effect: use vfio_bindd=off or vfio_bindd.ids=VENDOR:DEVICE,...",
                quoted(word).s);
        if (value && !*value)
            diags_add(d, DIAG_WARNING, "/proc/cmdline", 0, "vfio_bindd.ids= has no ID");
        if (!value || !*value)
            continue;
        if (asprintf(&joined, "%s%s%s", ids, *ids ? "," : "", value) < 0)
            return -ENOMEM;
        free(ids);
        ids = joined;
    }
    *ret_off = off;
    if (!*ids)
        return 0;

    int index = policy_add_file(p, "/proc/cmdline");
    if (index < 0)
        return index;
    struct key_context c = {p, d, {.file = (uint16_t)index, .line = 1}};
    struct rule *rule = policy_add_rule(p, RULE_CMDLINE, c.origin);
    if (!rule)
        return -ENOMEM;
    policy_set_rule_key(&c, rule, "id", ids);
    return 0;
}
