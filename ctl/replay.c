/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay.h"

#include <errno.h>

#include "base/rootfs.h"
#include "model/snapshot-text.h"

#define REPORT_MAX ((size_t)64 * 1024 * 1024)

struct report_reader {
    struct source *source;
    FILE *snapshot; /* the lines of the snapshot */
    char *policy;   /* the name of the policy file being read; NULL: none */
    bool untrusted; /* whether that file is untrusted */
    FILE *text;     /* the lines of that file */
    char *bytes;
    size_t size;
};

/* Decodes %XX in place. */
static void unescape(char *s)
{
    char *to = s;
    unsigned c;

    for (; *s; s++) {
        if (*s == '%' && s[1] && s[2] && sscanf(s + 1, "%2x", &c) == 1) {
            *to++ = (char)c;
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

/* All lines of the policy file have been read. */
static int end_policy(struct report_reader *r)
{
    int error = 0;

    if (!r->policy)
        return 0;
    if (fclose(r->text) != 0)
        error = -ENOMEM;
    r->text = NULL;
    if (error == 0)
        error = texts_add(&r->source->texts, r->policy, r->bytes, r->size);
    if (error == 0)
        r->bytes = NULL;
    if (error == 0)
        r->source->texts.v[r->source->texts.n - 1].untrusted = r->untrusted;
    free(r->policy);
    r->policy = NULL;
    return error;
}

static int begin_policy(struct report_reader *r, const char *name, bool untrusted)
{
    int error = end_policy(r);

    if (error < 0)
        return error;
    free(r->bytes);
    r->bytes = NULL;
    r->policy = strdup(name);
    if (r->policy)
        unescape(r->policy);
    r->untrusted = untrusted;
    r->text = open_memstream(&r->bytes, &r->size);
    return r->policy && r->text ? 0 : -ENOMEM;
}

static int read_property(struct props *p, char *text)
{
    char *value = strchr(text, '=');

    if (!value)
        return -EINVAL;
    *value++ = '\0';
    unescape(value);
    return props_set(p, text, 's', value);
}

static int read_live(struct live *l, char *text)
{
    char *rest = strchr(text, ' ');
    struct pci_addr a;

    if (!rest)
        return -EINVAL;
    *rest++ = '\0';
    if (pci_addr_parse(text, &a) < 0)
        return -EINVAL;
    struct live_device *d = live_get(l, a);
    return d ? read_property(&d->props, rest) : -ENOMEM;
}

static int read_unreadable(struct texts *t, char *text)
{
    char *why = strchr(text, '\t');

    if (!why)
        return -EINVAL;
    *why++ = '\0';
    unescape(why);
    unescape(text);
    diags_add(&t->unreadable, DIAG_ERROR, text, 0, "%s", why);
    return 0;
}

static int read_line(struct report_reader *r, char *line)
{
    struct source *s = r->source;
    char *space = strchr(line, ' ');
    struct pci_addr a;

    if (line[0] == '|')
        return r->policy ? (fprintf(r->text, "%s\n", line + 1), 0) : -EINVAL;
    if (!*line || *line == '#')
        return 0;
    if (after_prefix(line, "snapshot ") || after_prefix(line, "registered ") ||
        after_prefix(line, "device "))
        return fprintf(r->snapshot, "%s\n", line) < 0 ? -ENOMEM : 0;
    if (!space)
        return 0;
    *space = '\0';
    char *value = space + 1;
    if (streq(line, "policy"))
        return begin_policy(r, value, false);
    if (streq(line, "untrusted-policy"))
        return begin_policy(r, value, true);
    if (streq(line, "cmdline")) {
        free(s->texts.cmdline);
        s->texts.cmdline = strdup(value);
        return s->texts.cmdline ? 0 : -ENOMEM;
    }
    if (streq(line, "unreadable"))
        return read_unreadable(&s->texts, value);
    if (streq(line, "policy-unread")) {
        s->texts.unread = true;
        return 0;
    }
    if (streq(line, "boot-display"))
        return pci_addr_parse(value, &a) < 0 ? -EINVAL : source_add_boot_display(s, a);
    if (streq(line, "manager")) {
        s->live.running = true;
        return read_property(&s->live.manager, value);
    }
    if (streq(line, "live"))
        return read_live(&s->live, value);
    return 0; /* for human readers, or from a newer version */
}

static int read_lines(struct report_reader *r, char *text, unsigned *ret_line)
{
    int error = 0;
    char *line;

    for (*ret_line = 1; error == 0 && (line = strsep(&text, "\n")); ++*ret_line)
        error = *ret_line == 1 && !streq(line, REPORT_FIRST_LINE) ? -EINVAL : read_line(r, line);
    --*ret_line;
    return error == 0 ? end_policy(r) : error;
}

static void reader_done(struct report_reader *r)
{
    if (r->text)
        fclose(r->text);
    free(r->bytes);
    free(r->policy);
}

static int read_report(struct source *s, char *text, unsigned *ret_line)
{
    CLEANUP_FREE char *snapshot = NULL;
    CLEANUP(reader_done) struct report_reader reader = {.source = s};
    size_t size;

    reader.snapshot = open_memstream(&snapshot, &size);
    if (!reader.snapshot)
        return -ENOMEM;
    int r = read_lines(&reader, text, ret_line);
    if (fclose(reader.snapshot) != 0)
        return -ENOMEM;
    if (r < 0)
        return r;
    *ret_line = 0; /* now counts the lines of the snapshot */
    r = snapshot_read(&s->snapshot, snapshot ? snapshot : "", ret_line);
    return r < 0 ? r : texts_parse(&s->texts, &s->policy, &s->diags, &s->off);
}

int replay_read(struct source *s, const char *path)
{
    CLEANUP_FREE char *text = NULL, *absolute = realpath(path, NULL);
    CLEANUP_CLOSE int root = rootfs_open_root("/");
    unsigned line = 0;
    size_t size;

    int r = !absolute  ? -errno
            : root < 0 ? root
                       : rootfs_read_file(root, absolute + 1, REPORT_MAX, &text, &size);
    if (r < 0)
        return ctl_error("%s: %s", path, strerror(-r));
    r = read_report(s, text, &line);
    if (r == -EINVAL)
        return ctl_error("%s: line %u is not understood: --root takes a directory, or a file that "
                         "\"vfio-bindctl report\" wrote",
                         path, line);
    return r < 0 ? ctl_errno(r) : EXIT_SUCCESS;
}
