/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rebuild.h"

#include <errno.h>
#include <unistd.h>

#include "child.h"

static const struct {
    const char *path, *words[5];
} programs[] = {
    {"/usr/sbin/update-initramfs", {"update-initramfs", "-u", "-k", "all", NULL}},
    {"/usr/bin/dracut", {"dracut", "--regenerate-all", "--force", NULL}},
};

static const char older[] = "The initramfs of this boot has another policy. Unless it has been "
                            "rebuilt since, the next boot uses that policy first";

static bool has_older_policy(sd_bus *bus)
{
    CLEANUP_FREE char *state = NULL;

    return sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Initramfs",
                                      NULL, &state) >= 0 &&
           streq(state, "other-policy");
}

int rebuild_offer(const struct ctl *c, sd_bus *bus)
{
    char line[32];

    if (c->root || c->host || !has_older_policy(bus))
        return EXIT_SUCCESS;
    for (size_t i = 0; i < ELEMENTS(programs); i++) {
        const char *const *words = programs[i].words;
        if (access(programs[i].path, X_OK) < 0)
            continue;
        char command[64];
        snprintf(command, sizeof(command), "%s %s %s%s%s", words[0], words[1], words[2],
                 words[3] ? " " : "", words[3] ? words[3] : "");
        if (geteuid() != 0 || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
            ctl_note(c, "%s: %s%s", older, ctl_sudo(), command);
            return EXIT_SUCCESS;
        }
        printf("%s. Rebuild it now with \"%s\" (y/n)? [y] ", older, command);
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin) || (*line != '\n' && *line != 'y'))
            return EXIT_SUCCESS;
        int r = spawn_and_wait(programs[i].path, words);
        return r == 0 ? EXIT_SUCCESS
                      : ctl_error("%s failed%s%s: the initramfs is as before", words[0],
                                  r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
    }
    ctl_note(c, "%s", older);
    return EXIT_SUCCESS;
}
