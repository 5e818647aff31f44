/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON, files, and children that may hang: what the sections of the collector are made of. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "facts.h"

/* How many bytes of a text are one character of UTF-8; 0 if they are none. */
static int character_size(const unsigned char *text)
{
    int size = text[0] < 0x80                       ? 1
               : text[0] >= 0xc2 && text[0] <= 0xdf ? 2
               : text[0] >= 0xe0 && text[0] <= 0xef ? 3
               : text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
                                                    : 0;

    for (int i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* Too long for what they say, halves of pairs, and beyond the last. */
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return size;
}

static void write_string(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    putchar('"');
    while (*p) {
        int size = character_size(p);
        if (size == 0) {
            fputs("\\ufffd", stdout);
            size = 1;
        } else if (*p == '"' || *p == '\\') {
            printf("\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            printf("\\u%04x", *p);
        } else {
            fwrite(p, 1, (size_t)size, stdout);
        }
        p += size;
    }
    putchar('"');
}

static void write_value(const char *text)
{
    if (text)
        write_string(text);
    else
        fputs("null", stdout);
}

void begin(const char *type)
{
    fputs("{\"t\":", stdout);
    write_string(type);
}

void end(void)
{
    fputs("}\n", stdout);
}

static void put_key(const char *key)
{
    putchar(',');
    write_string(key);
    putchar(':');
}

void put_text(const char *key, const char *text)
{
    put_key(key);
    write_value(text);
}

void put_number(const char *key, long long number)
{
    put_key(key);
    printf("%lld", number);
}

void put_bool(const char *key, bool value)
{
    put_raw(key, value ? "true" : "false");
}

void put_raw(const char *key, const char *json)
{
    put_key(key);
    fputs(json, stdout);
}

void put_texts(const char *key, char **texts, size_t count)
{
    put_key(key);
    for (size_t i = 0; i < count; i++) {
        putchar(i == 0 ? '[' : ',');
        write_string(texts[i]);
    }
    fputs(count == 0 ? "[]" : "]", stdout);
}

static void *grown(void *at, size_t size)
{
    void *p = realloc(at, size);

    if (!p)
        abort();
    return p;
}

static char *format_list(const char *how, va_list values)
{
    char *text;

    if (vasprintf(&text, how, values) < 0)
        abort();
    return text;
}

#define FORMAT(text, how)            \
    char *text;                      \
    va_list values;                  \
    va_start(values, how);           \
    text = format_list(how, values); \
    va_end(values)

char *format(const char *how, ...)
{
    FORMAT(text, how);
    return text;
}

/* What the kernel shows may be longer than any size it tells. */
static char *read_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = NULL;
    size_t size = 0;
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0) {
        text = grown(text, size + 65537);
        n = read(fd, text + size, 65536);
        if (n > 0)
            size += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return NULL;
    text[size] = '\0';
    return text;
}

char *content_of(const char *how, ...)
{
    FORMAT(path, how);
    return read_whole(path);
}

char *line_of(const char *how, ...)
{
    FORMAT(path, how);
    char *text = read_whole(path);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

char *target_of(const char *how, ...)
{
    char target[PATH_MAX];
    FORMAT(path, how);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    if (n < 0)
        return NULL;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    return format("%s", slash ? slash + 1 : target);
}

char *real_path(const char *how, ...)
{
    FORMAT(path, how);
    return realpath(path, NULL);
}

bool exists(const char *how, ...)
{
    FORMAT(path, how);
    return access(path, F_OK) == 0;
}

long long number_of(const char *line, long long otherwise)
{
    char *rest;
    long long number;

    if (!line)
        return otherwise;
    number = strtoll(line, &rest, 10);
    return rest == line ? otherwise : number;
}

char *next_line(char **text)
{
    char *line = *text;

    if (!line || !*line)
        return NULL;
    *text = line + strcspn(line, "\n");
    if (**text)
        *(*text)++ = '\0';
    return line;
}

static int is_no_dot(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

size_t names_in(char ***names, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_no_dot, versionsort);

    *names = NULL;
    if (count <= 0)
        return 0;
    *names = grown(NULL, (size_t)count * sizeof(**names));
    for (int i = 0; i < count; i++)
        (*names)[i] = entries[i]->d_name;
    return (size_t)count;
}

void add_text(struct texts *texts, char *text)
{
    texts->at = grown(texts->at, (texts->count + 1) * sizeof(*texts->at));
    texts->at[texts->count++] = text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void sort_texts(struct texts *texts)
{
    size_t kept = 0;

    if (texts->count == 0)
        return;
    qsort(texts->at, texts->count, sizeof(*texts->at), compare_texts);
    for (size_t i = 1; i < texts->count; i++)
        if (strcmp(texts->at[i], texts->at[kept]) != 0)
            texts->at[++kept] = texts->at[i];
    texts->count = kept + 1;
}

/* dddd:bb:dd.f, with a domain of four digits or more (Intel's VMD has five). */
bool is_address(const char *text, size_t length)
{
    static const char tail[] = ":xx:xx.x";
    size_t domain = 0;

    while (domain < length && isxdigit((unsigned char)text[domain]))
        domain++;
    if (domain < 4 || length != domain + strlen(tail))
        return false;
    for (size_t i = 0; i < strlen(tail); i++) {
        char c = text[domain + i];
        if (tail[i] == 'x' ? !isxdigit((unsigned char)c) : c != tail[i])
            return false;
    }
    return true;
}

char *nearest_function(const char *path)
{
    char *found = NULL;

    while (path && *path) {
        size_t length = strcspn(path, "/");
        if (is_address(path, length))
            found = format("%.*s", (int)length, path);
        path += length + (path[length] == '/');
    }
    return found;
}

/* It keeps no descriptor of ours but its answer's: whoever reads our output must not wait for a
 * child that hangs. */
static void start(struct child *child)
{
    int ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

    fflush(stdout);
    if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
        abort();
    child->pid = fork();
    if (child->pid == 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close_range(STDERR_FILENO + 1, ~0U, 0);
        child->work(child->data);
        fflush(stdout);
        _exit(0);
    }
    if (child->pid < 0)
        abort();
    close(null);
    close(ends[1]);
    child->fd = ends[0];
    child->late = false;
    child->answer = grown(NULL, 1);
    child->size = 0;
}

/* Nobody waits for its end, which may hang too: init reaps what we leave. */
static void finish(struct child *child, bool late)
{
    char *last;

    child->late = late;
    if (late)
        kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, WNOHANG);
    close(child->fd);
    child->fd = -1;
    child->answer[child->size] = '\0';
    last = strrchr(child->answer, '\n');
    *(last ? last + 1 : child->answer) = '\0';
}

static void listen_to(struct child *child)
{
    ssize_t n;

    child->answer = grown(child->answer, child->size + 65537);
    n = read(child->fd, child->answer + child->size, 65536);
    if (n > 0)
        child->size += (size_t)n;
    else if (n == 0 || errno != EINTR)
        finish(child, false);
}

void ask(struct child *children, size_t count, int seconds)
{
    struct pollfd *polled = grown(NULL, (count + 1) * sizeof(*polled));
    size_t left = count;
    int ready;

    for (size_t i = 0; i < count; i++)
        start(&children[i]);
    while (left > 0) {
        for (size_t i = 0; i < count; i++)
            polled[i] = (struct pollfd){.fd = children[i].fd, .events = POLLIN};
        ready = poll(polled, count, seconds * 1000);
        left = 0;
        for (size_t i = 0; i < count; i++) {
            if (ready == 0 && children[i].fd >= 0)
                finish(&children[i], true);
            else if (ready > 0 && polled[i].revents)
                listen_to(&children[i]);
            left += children[i].fd >= 0;
        }
    }
}
