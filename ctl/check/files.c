/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check/files.h"

/* modules.alias has 1 to 2 MiB, /proc/interrupts several on large hosts. The kernel answers reads
 * of its settings that ask for more than it can allocate with ENOMEM. */
#define FILE_MAX (16U << 20)
#define SETTING_MAX 4096U

void check_unseen(struct check *c, const char *what, int r)
{
    tree_unseen(&c->tree, what, r);
}

bool check_exists(struct check *c, const char *path)
{
    return tree_exists(&c->tree, path);
}

char *check_read(struct check *c, const char *path)
{
    size_t size;

    return tree_read(&c->tree, path, after_prefix(path, "proc/sys/") ? SETTING_MAX : FILE_MAX,
                     &size);
}

/* What an entry is shown to. */
struct entry_call {
    struct check *c;
    check_entry each;
    void *data;
};

static void call_entry(void *userdata, const char *path, const char *name)
{
    const struct entry_call *call = userdata;

    call->each(call->c, path, name, call->data);
}

size_t check_each(struct check *c, const char *folder, const char *ending, check_entry each,
                  void *data)
{
    struct entry_call call = {c, each, data};

    return tree_each(&c->tree, folder, ending, each ? call_entry : NULL, &call);
}

char *check_line(char **rest)
{
    return tree_line(rest);
}

/* The kernel takes '-' and '_' in a parameter's name for the same. */
static const char *after_parameter(const char *word, const char *parameter)
{
    for (; *parameter; word++, parameter++)
        if (*word != *parameter && !(*word == '-' && *parameter == '_') &&
            !(*word == '_' && *parameter == '-'))
            return NULL;
    return word;
}

const char *check_cmdline(const struct check *c, const char *word)
{
    const char *found = NULL;

    for (size_t i = 0; i < c->cmdline.n; i++) {
        const char *after = after_parameter(c->cmdline.v[i], word);
        if (after && (word[strlen(word) - 1] == '=' || !*after))
            found = after;
    }
    return found;
}
