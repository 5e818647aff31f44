/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command at a terminal: what is on standard input is typed, what the terminal shows is
 * printed.
 *
 * usage: at-terminal COMMAND WORDS...
 *
 * The exit code is the command's; 124 if it was killed after half a minute. */
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 30

static pid_t child;

static void too_late(int signal)
{
    (void)signal;
    kill(child, SIGKILL);
}

static void copy(int from, int to)
{
    char data[4096];
    ssize_t n;

    while ((n = read(from, data, sizeof(data))) > 0)
        if (write(to, data, (size_t)n) != n)
            return;
}

int main(int argc, char **argv)
{
    int terminal, status;

    if (argc < 2)
        return 2;
    child = forkpty(&terminal, NULL, NULL, NULL);
    if (child < 0) {
        perror("at-terminal");
        return 2;
    }
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    signal(SIGALRM, too_late);
    alarm(SECONDS);
    copy(STDIN_FILENO, terminal);
    copy(terminal, STDOUT_FILENO); /* until nobody has the other side any more */
    if (waitpid(child, &status, 0) != child)
        return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 124;
}
