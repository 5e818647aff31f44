/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "child.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define WORDS_MAX 16

int spawn_and_wait(const char *path, const char *const words[])
{
    char *argv[WORDS_MAX + 1] = {NULL};
    int status = 0;
    pid_t pid;

    for (unsigned i = 0; words[i] && i < WORDS_MAX; i++)
        argv[i] = (char *)words[i]; /* posix_spawn() does not modify it */
    fflush(stdout);
    int r = posix_spawn(&pid, path, NULL, NULL, argv, environ);
    if (r != 0)
        return -r;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
