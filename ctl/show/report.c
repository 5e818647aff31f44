/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: writes all facts from which the verbs make their output into a text file; replay.c reads
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>

#include "base/cmdline.h"
#include "base/rootfs.h"
#include "config.h"
#include "model/snapshot-text.h"
#include "open.h"
#include "replay.h"
#include "show/redact.h"

struct writer {
    const struct source *s;
    struct redaction redaction;
    FILE *f;
    int error;
};

/* Escapes line ends and the escape character. */
static void write_redacted(struct writer *w, const char *text)
{
    CLEANUP_FREE char *clean = redact_text(&w->redaction, text);

    if (!clean)
        w->error = -ENOMEM;
    for (const char *c = clean; c && *c; c++)
        fprintf(w->f, *c == '\n' || *c == '%' ? "%%%02x" : "%c", *c);
}

static void write_fact(struct writer *w, const char *name, const char *path)
{
    char text[256];

    if (w->s->root_fd >= 0 && rootfs_read_line(w->s->root_fd, path, text, sizeof(text)) > 0) {
        fprintf(w->f, "%s ", name);
        write_redacted(w, text);
        fputc('\n', w->f);
    }
}

/* Only words about PCI devices and their drivers: others may contain anything. */
static void write_cmdline(struct writer *w)
{
    static const char *const prefixes[] = {
        "vfio_bindd", "vfio",      "iommu", "intel_iommu",     "amd_iommu",
        "arm-smmu",   "pci=",      "pcie_", "modprobe.blackl", "module_blacklist=",
        "rd.driver",  "nomodeset", "efifb", "video=efifb"};
    CLEANUP(cmdline_done) struct cmdline words = {0};
    const char *text = w->s->texts.cmdline;

    (void)cmdline_split(strdup(text ? text : ""), &words);
    fputs("cmdline", w->f);
    for (size_t k = 0; k < words.n; k++)
        for (size_t i = 0; i < ELEMENTS(prefixes); i++)
            if (after_prefix(words.v[k], prefixes[i])) {
                fprintf(w->f, " %s", words.v[k]);
                break;
            }
    fputs("\n", w->f);
}

static void write_unreadable(struct writer *w, const char *name, const char *why)
{
    fputs("unreadable ", w->f);
    write_redacted(w, name);
    fputc('\t', w->f);
    write_redacted(w, why);
    fputc('\n', w->f);
}

static void write_policy(struct writer *w, const struct text *t)
{
    if (memchr(t->bytes, '\0', t->size)) {
        write_unreadable(w, t->name, "there are NUL bytes in this file");
        return;
    }
    CLEANUP_FREE char *clean = redact_policy(&w->redaction, t->bytes);
    char *rest = clean, *line;
    if (!clean)
        w->error = -ENOMEM;
    fputs(t->untrusted ? "untrusted-policy " : "policy ", w->f);
    write_redacted(w, t->name);
    fputc('\n', w->f);
    while (rest && *rest && (line = strsep(&rest, "\n")))
        fprintf(w->f, "|%s\n", line);
}

static void write_live(struct writer *w)
{
    const struct live *l = &w->s->live;

    for (size_t i = 0; l->running && i < l->manager.n; i++) {
        fprintf(w->f, "manager %s=", l->manager.v[i].name);
        write_redacted(w, l->manager.v[i].text);
        fputc('\n', w->f);
    }
    for (size_t i = 0; l->running && i < l->n; i++)
        for (size_t j = 0; j < l->devices[i].props.n; j++) {
            fprintf(w->f, "live %s %s=", pci_addr_text(l->devices[i].addr).s,
                    l->devices[i].props.v[j].name);
            write_redacted(w, l->devices[i].props.v[j].text);
            fputc('\n', w->f);
        }
}

/* The text form of the snapshot, with other serial numbers. */
static void write_snapshot(struct writer *w)
{
    CLEANUP_FREE char *text = NULL, *clean = NULL;
    struct snapshot s = w->s->snapshot;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    s.n_registered -= w->s->n_assumed; /* assumptions are made again when the report is read */
    int r = f ? snapshot_write(&s, f) : -ENOMEM;
    if (f && fclose(f) != 0)
        r = -ENOMEM;
    if (r >= 0)
        clean = redact_text(&w->redaction, text);
    if (clean)
        fputs(clean, w->f);
    else
        w->error = -ENOMEM;
}

static int write_report(struct writer *w)
{
    fputs(
        REPORT_FIRST_LINE
        "\n"
        "# A snapshot for a bug report. Serial numbers and the host's name are replaced, comments "
        "of the\n"
        "# policy left out; look through it before you send it.\n"
        "# To replay it: vfio-bindctl --root THIS-FILE status (list, explain ADDRESS, plan, ...)\n"
        "version vfio-bindctl " VERSION_TEXT "\n",
        w->f);
    write_fact(w, "kernel", "proc/sys/kernel/osrelease");
    write_fact(w, "vfio-pci-ids", "sys/module/vfio_pci/parameters/ids");
    write_cmdline(w);
    for (size_t i = 0; i < w->s->texts.n; i++)
        write_policy(w, &w->s->texts.v[i]);
    for (size_t i = 0; i < w->s->texts.unreadable.n; i++)
        write_unreadable(w, w->s->texts.unreadable.v[i].file, w->s->texts.unreadable.v[i].text);
    if (w->s->texts.unread)
        fputs("policy-unread 1\n", w->f);
    write_live(w);
    for (size_t i = 0; i < w->s->n_boot_displays; i++)
        fprintf(w->f, "boot-display %s\n", pci_addr_text(w->s->boot_displays[i]).s);
    write_snapshot(w);
    if (fflush(w->f) != 0 || ferror(w->f))
        w->error = -errno;
    return w->error;
}

/* The name of the host of these facts; in a report it has been removed. */
static char *host_name(const struct source *s)
{
    struct utsname u;
    char text[256];

    if (s->this_host)
        return uname(&u) == 0 ? strdup(u.nodename) : NULL;
    if (s->root_fd < 0 || rootfs_read_line(s->root_fd, "etc/hostname", text, sizeof(text)) <= 0)
        return NULL;
    return strdup(text);
}

static FILE *open_output(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (fd >= 0 && !f)
        close(fd);
    return f;
}

static void writer_done(struct writer *w)
{
    redact_done(&w->redaction);
    if (w->f && w->f != stdout)
        fclose(w->f);
}

int verb_report(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    CLEANUP(writer_done) struct writer w = {.s = &s, .f = stdout};
    int r = source_open(c, SOURCE_DAEMON | SOURCE_FILES, &s);

    if (r != 0)
        return r;
    if (s.this_host && geteuid() != 0)
        ctl_note(c, "only root can read serial numbers, so rules with \"serial\" match nothing in "
                    "this report (use sudo vfio-bindctl report)");
    CLEANUP_FREE char *host = host_name(&s);
    r = redact_init(&w.redaction, &s.snapshot, host);
    if (r >= 0 && c->output) {
        w.f = open_output(c->output);
        if (!w.f)
            return ctl_error("%s: %m", c->output);
    }
    if (r >= 0)
        r = write_report(&w);
    if (r >= 0 && c->output)
        ctl_note(c, "written to %s; to replay it: vfio-bindctl --root %s", c->output, c->output);
    if (r < 0 && c->output)
        return ctl_error("%s: %s", c->output, strerror(-r));
    return r < 0 ? ctl_errno(r) : EXIT_SUCCESS;
}
