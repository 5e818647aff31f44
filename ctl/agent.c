/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

extern char **environ;

#define NOTIFY_FD 3
#define STRING(x) #x
#define TEXT_OF(x) STRING(x)

static bool has_terminal(void)
{
    CLEANUP_CLOSE int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    return fd >= 0 && isatty(STDIN_FILENO);
}

/* Only the agent has this end of the pipe. It closes it when it is ready, or when it exits. */
static pid_t spawn_agent(int pipe_end)
{
    char *argv[] = {(char *)"pkttyagent", (char *)"--notify-fd", (char *)TEXT_OF(NOTIFY_FD),
                    (char *)"--fallback", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    if (posix_spawn_file_actions_adddup2(&actions, pipe_end, NOTIFY_FD) != 0 ||
        posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

void agent_start(pid_t *ret)
{
    int ends[2];
    char byte;

    *ret = 0;
    if (geteuid() == 0 || !has_terminal() || pipe2(ends, O_CLOEXEC) < 0)
        return;
    fflush(stdout);
    *ret = spawn_agent(ends[1]);
    close(ends[1]);
    while (*ret > 0 && read(ends[0], &byte, 1) < 0 && errno == EINTR)
        ;
    close(ends[0]);
}

void agent_stop(const pid_t *agent)
{
    if (*agent <= 0)
        return;
    kill(*agent, SIGTERM);
    kill(*agent, SIGCONT);
    while (waitpid(*agent, NULL, 0) < 0 && errno == EINTR)
        ;
}
