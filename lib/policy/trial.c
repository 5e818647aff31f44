/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/trial.h"

#include <errno.h>
#include <inttypes.h>

#include "base/util.h"

#define MARK "# vfio-bindctl apply: "
#define LINE_MAX_SIZE 160

#define UNTIL_MAX 1000000000000 /* also rejects negative numbers */

static bool parse_line(const char *line, struct trial *t)
{
    int permit = 0, running = 0;

    (void)sscanf(line, MARK "a boot may use it for %9" SCNu64 " s, but not boot %36[0-9a-f-]%n",
                 &t->seconds, t->boot, &permit);
    (void)sscanf(line, MARK "on trial until %12" SCNu64 " s after power-on%n", &t->until, &running);
    if (permit > 0)
        return streq(line + permit, "\n") && t->seconds > 0 && t->seconds <= TRIAL_SECONDS_MAX;
    return running > 0 && streq(line + running, "\n") && t->until > 0 && t->until <= UNTIL_MAX;
}

int trial_parse(const char *bytes, size_t size, struct trial *ret)
{
    struct trial t = {0};
    char line[LINE_MAX_SIZE];

    if (size == 0 || bytes[size - 1] != '\n')
        return -EINVAL;
    for (t.policy_size = size - 1; t.policy_size > 0 && bytes[t.policy_size - 1] != '\n';)
        t.policy_size--;
    size_t length = size - t.policy_size;
    if (length >= sizeof(line) || memchr(bytes + t.policy_size, '\0', length))
        return -EINVAL;
    memcpy(line, bytes + t.policy_size, length);
    line[length] = '\0';
    if (!parse_line(line, &t))
        return -EINVAL;
    *ret = t;
    return 0;
}

char *trial_text(const char *bytes, size_t size, const struct trial *t, size_t *ret_size)
{
    const char *newline = size == 0 || bytes[size - 1] == '\n' ? "" : "\n";
    char last[LINE_MAX_SIZE], *text;

    if (t->until > 0)
        snprintf(last, sizeof(last), "%s" MARK "on trial until %" PRIu64 " s after power-on\n",
                 newline, t->until);
    else
        snprintf(last, sizeof(last),
                 "%s" MARK "a boot may use it for %" PRIu64 " s, but not boot %s\n", newline,
                 t->seconds, *t->boot ? t->boot : "-");
    text = malloc(size + strlen(last));
    if (!text)
        return NULL;
    memcpy(text, bytes, size);
    memcpy(text + size, last, strlen(last));
    *ret_size = size + strlen(last);
    return text;
}
