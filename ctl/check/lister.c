/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/lister.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/util.h"

#define LINE_MAX_BYTES 4096

const char *lister_find(void)
{
    static const char *const programs[] = {"/usr/bin/lsinitramfs", "/usr/bin/lsinitrd",
                                           "/usr/bin/lsinitcpio"};

    for (size_t i = 0; i < ELEMENTS(programs); i++)
        if (access(programs[i], X_OK) == 0)
            return programs[i];
    return NULL;
}

const char *lister_name(const char *line)
{
    const char *blank = strrchr(line, ' '), *name = blank ? blank + 1 : line;
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

/* Runs in a process group of its own, so that its child processes end with it. It gets the open
 * file: by now another file may have this name, and the name may be below another root. */
static int start_lister(const char *program, int file_fd, int output_fd, pid_t *ret)
{
    char file[64];
    char *const args[] = {(char *)program, file, NULL};
    char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C",
                                 NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    snprintf(file, sizeof(file), "/proc/%d/fd/%d", (int)getpid(), file_fd);
    int r = posix_spawn_file_actions_init(&actions);
    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -r;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (r == 0)
        r = posix_spawn(ret, program, &actions, &attributes, args, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

struct output_reader {
    char text[LINE_MAX_BYTES];
    size_t used;
    bool skip; /* ignore the rest of a line that is too long */
    void (*line)(const char *text, void *data);
    void *data;
};

static void take(struct output_reader *r, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            r->text[r->used] = '\0';
            if (!r->skip)
                r->line(r->text, r->data);
            r->used = 0;
            r->skip = false;
        } else if (r->used + 1 < sizeof(r->text)) {
            r->text[r->used++] = bytes[i];
        } else {
            r->skip = true;
        }
    }
}

/* Returns 0 at the end of the output, or negative errno. */
static int read_all(int fd, uint64_t deadline, struct output_reader *r)
{
    char bytes[16384];

    for (;;) {
        uint64_t now = now_usec();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (now >= deadline)
            return -ETIMEDOUT;
        int n = poll(&p, 1, (int)((deadline - now) / 1000 + 1));
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n <= 0)
            continue;
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            return 0;
        if (got > 0)
            take(r, bytes, (size_t)got);
    }
}

int lister_run(const char *program, int file_fd, uint64_t timeout_usec,
               void (*line)(const char *text, void *data), void *data)
{
    struct output_reader reader = {.line = line, .data = data};
    int ends[2], status;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    CLEANUP_CLOSE int output = ends[0];
    int r = start_lister(program, file_fd, ends[1], &pid);
    close(ends[1]);
    if (r < 0)
        return r;
    r = read_all(output, now_usec() + timeout_usec, &reader);
    if (r < 0)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (r == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        r = -EIO;
    return r;
}
