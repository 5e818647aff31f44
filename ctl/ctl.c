/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "base/printable-stream.h"

int ctl_error(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("vfio-bindctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}

void ctl_note(const struct ctl *c, const char *format, ...)
{
    va_list args;

    if (c->quiet)
        return;
    fputs("note: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int ctl_errno(int error)
{
    return ctl_error("%s", strerror(-error));
}

int ctl_read(FILE *f, size_t max, char **ret, size_t *ret_size)
{
    CLEANUP_FREE char *bytes = malloc(max + 2); /* only the used part occupies memory */

    if (!bytes)
        return -ENOMEM;
    size_t size = fread(bytes, 1, max + 1, f);
    if (ferror(f))
        return errno ? -errno : -EIO;
    if (size > max)
        return -EFBIG;
    bytes[size] = '\0';
    *ret = bytes;
    *ret_size = size;
    bytes = NULL;
    return 0;
}

void ctl_colour(const struct ctl *c, enum ctl_colour colour)
{
    static const char *const codes[] = {[CTL_PLAIN] = "\033[0m",
                                        [CTL_RED] = "\033[31m",
                                        [CTL_GREEN] = "\033[32m",
                                        [CTL_YELLOW] = "\033[33m"};

    if (c->colour)
        (void)printable_bypass(stdout, codes[colour]);
}

const char *ctl_sudo(void)
{
    return geteuid() == 0 ? "" : "sudo ";
}

unsigned ctl_width_if_known(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return columns && atoi(columns) >= 40 ? (unsigned)atoi(columns) : 0;
}

unsigned ctl_width(void)
{
    unsigned width = ctl_width_if_known();

    return width > 0 ? width : 80;
}

void ctl_wrap(FILE *f, const char *text, unsigned at, unsigned indent)
{
    char next[81];

    snprintf(next, sizeof(next), "%*s", (int)indent, "");
    ctl_wrap_to(f, text, at, ctl_width(), next);
}

void ctl_wrap_to(FILE *f, const char *text, unsigned at, unsigned width, const char *next)
{
    bool first = true;

    for (;;) {
        text += strspn(text, " ");
        size_t n = strcspn(text, " ");
        if (n == 0)
            break;
        if (!first && at + 1 + n > width) {
            fprintf(f, "\n%s", next);
            at = (unsigned)strlen(next);
        } else if (!first) {
            fputc(' ', f);
            at++;
        }
        fwrite(text, 1, n, f);
        at += (unsigned)n;
        text += n;
        first = false;
    }
    fputc('\n', f);
}
