/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit/question.h"

bool question_is_granted(const struct ctl *c, const char *question)
{
    char line[32];

    if (c->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        ctl_error("nothing is changed: there is no terminal for the question; use --yes");
        return false;
    }
    printf("%s (y/n)? [n] ", question);
    fflush(stdout);
    bool yes = fgets(line, sizeof(line), stdin) && (*line == 'y' || *line == 'Y');
    if (!yes)
        puts("Nothing is changed.");
    return yes;
}
