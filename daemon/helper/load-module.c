/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "helper/load-module.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/util.h"
#include "host/modules.h"
#include "host/viommu.h"

int load_module_is_permitted(int root_fd, const char *module)
{
    CLEANUP(variant_aliases_done) struct variant_aliases variants = {0};
    char folder[MODULES_FOLDER_MAX];

    if (streq(module, VIOMMU_TRANSPORT) || streq(module, VIOMMU_MODULE))
        return 1;
    int r = modules_find_folder(root_fd, folder);
    if (r > 0)
        r = variant_aliases_read(root_fd, folder, &variants);
    return r < 0 ? r : modules_is_variant(&variants, module);
}

/* Like modprobe@.service: without messages, and respecting the blacklist. */
int load_module(const char *module)
{
    char name[MODULE_NAME_MAX];
    char *const argv[] = {(char[]){"modprobe"}, (char[]){"-abq"}, (char[]){"--"}, name, NULL};
    pid_t pid;
    int status;

    snprintf(name, sizeof(name), "%s", module);
    int r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (r != 0)
        return -r;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}
