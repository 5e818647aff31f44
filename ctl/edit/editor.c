/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/editor.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "ctl.h"

#define WORDS_MAX 16

static const char *chosen_editor(void)
{
    static const char *const variables[] = {"SUDO_EDITOR", "VISUAL", "EDITOR"};

    for (size_t i = 0; i < ELEMENTS(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value && value[strspn(value, " \t")])
            return value;
    }
    return NULL;
}

/* Replaces the child process by the editor. The words are split at blanks and passed to execvp(),
 * without a shell. */
static void become_editor(const char *editor, const char *path)
{
    static const char *const usual[] = {"editor", "nano", "vim", "vi"};
    CLEANUP_FREE char *copy = strdup(editor ? editor : "");
    char *argv[WORDS_MAX + 2], *save = NULL;
    size_t n = 0;

    for (char *word = copy ? strtok_r(copy, " \t", &save) : NULL; word && n < WORDS_MAX;
         word = strtok_r(NULL, " \t", &save))
        argv[n++] = word;
    if (n > 0) {
        argv[n] = (char *)path;
        argv[n + 1] = NULL;
        execvp(argv[0], argv);
        ctl_error("cannot run the editor %s: %m", argv[0]);
        return;
    }
    for (size_t i = 0; i < ELEMENTS(usual); i++)
        execlp(usual[i], usual[i], path, (char *)NULL);
    ctl_error("there is no editor: set EDITOR");
}

/* While the editor runs, ^C and the like are for the editor. */
static pid_t start_editor(const char *path)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;

    fflush(stdout);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    pid_t pid = fork();
    if (pid == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        become_editor(chosen_editor(), path);
        _exit(127);
    }
    return pid;
}

int editor_run(const char *path)
{
    int status = 0;
    pid_t pid = start_editor(path), done = -1;

    if (pid > 0)
        do
            done = waitpid(pid, &status, 0);
        while (done < 0 && errno == EINTR);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (done < 0)
        return ctl_error("cannot run the editor: %m");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return EXIT_FAILURE; /* the error has been printed */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return ctl_error("the editor failed: nothing is changed");
    return 0;
}
