/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command, stops it at its very end and prints what memory it has had, in KiB: the peak of
 * its resident set; what of it is private (neither libraries nor other files' pages) at the end,
 * plus all by which the peak was higher: not less than the peak of the private part.
 * usage: peak FILE COMMAND... */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/util.h"

/* The sum of the lines of a /proc file that begin with one of these words. */
static long sum(pid_t pid, const char *file, const char *const *words)
{
    char path[64], line[256];
    long kib, total = 0;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    CLEANUP(fclosep) FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        for (size_t i = 0; words[i]; i++) {
            const char *value = after_prefix(line, words[i]);
            if (value && sscanf(value, ": %ld kB", &kib) == 1)
                total += kib;
        }
    return total;
}

static void report(pid_t pid, FILE *f)
{
    static const char *const peak[] = {"VmHWM", NULL}, *const now[] = {"VmRSS", NULL};
    static const char *const private[] = {"Private_Clean", "Private_Dirty", NULL};
    long most = sum(pid, "status", peak);

    fprintf(f, "%ld %ld\n", most,
            sum(pid, "smaps_rollup", private) + most - sum(pid, "status", now));
}

int main(int argc, char **argv)
{
    CLEANUP(fclosep) FILE *f = argc > 2 ? fopen(argv[1], "we") : NULL;
    int status;

    if (!f) {
        fprintf(stderr, "usage: peak FILE COMMAND...\n");
        return 2;
    }
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        fprintf(stderr, "peak: cannot run %s\n", argv[2]);
        return EXIT_FAILURE;
    }
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    for (int pass_on = 0;; pass_on = WSTOPSIG(status)) {
        ptrace(PTRACE_CONT, pid, NULL, pass_on);
        if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
            break;
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            report(pid, f);
            ptrace(PTRACE_CONT, pid, NULL, NULL);
            waitpid(pid, &status, 0);
            break;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
