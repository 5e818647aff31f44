/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/printable-stream.h"

#include "base/printable.h"

#define CHARACTER_MAX 4 /* bytes of a character, and of an escaped byte */

struct printable_stream {
    FILE **file; /* stdout or stderr, whichever is replaced */
    int fd;
    bool used;
    char begun[CHARACTER_MAX]; /* the first bytes of a character that may be continued */
    size_t n_begun;
};

static struct printable_stream streams[] = {{.file = &stdout, .fd = STDOUT_FILENO},
                                            {.file = &stderr, .fd = STDERR_FILENO}};

/* Converts the bytes that can be decided now to text; returns its length. */
static size_t make_text(struct printable_stream *s, char *to, const char *bytes, size_t n)
{
    size_t used = 0;

    s->n_begun = 0;
    while (n > 0) {
        size_t length = printable_char(bytes, n), taken = length > 0 ? length : 1;
        if (length == 0 && n < CHARACTER_MAX && printable_is_begun(bytes, n)) {
            memcpy(s->begun, bytes, n);
            s->n_begun = n;
            break;
        }
        if (*bytes == '\n' || *bytes == '\t')
            to[used++] = *bytes;
        else
            used += printable(to + used, CHARACTER_MAX + 1, bytes, taken);
        bytes += taken;
        n -= taken;
    }
    return used;
}

static ssize_t write_printable(void *cookie, const char *bytes, size_t n)
{
    struct printable_stream *s = cookie;
    size_t all = s->n_begun + n;
    CLEANUP_FREE char *from = malloc(all), *to = malloc(CHARACTER_MAX * all + 1);

    if (!from || !to) {
        errno = ENOMEM;
        return 0;
    }
    memcpy(from, s->begun, s->n_begun);
    memcpy(from + s->n_begun, bytes, n);
    int r = write_all(s->fd, to, make_text(s, to, from, all));
    if (r >= 0)
        return (ssize_t)n;
    errno = -r;
    return 0;
}

static void take_place(struct printable_stream *s, int buffering)
{
    const cookie_io_functions_t io = {.write = write_printable};
    FILE *f = s->used ? NULL : fopencookie(s, "w", io);

    if (!f)
        return;
    fflush(*s->file);
    (void)setvbuf(f, NULL, buffering, 0);
    *s->file = f;
    s->used = true;
}

void printable_stdout(void)
{
    take_place(&streams[0], isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
}

void printable_stderr(void)
{
    take_place(&streams[1], _IOLBF);
}

int printable_bypass(FILE *f, const char *bytes)
{
    for (size_t i = 0; i < ELEMENTS(streams); i++)
        if (streams[i].used && *streams[i].file == f) {
            if (fflush(f) != 0)
                return -errno;
            return write_all(streams[i].fd, bytes, strlen(bytes));
        }
    return fputs(bytes, f) < 0 ? -EIO : 0;
}
