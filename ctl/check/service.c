/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: is the daemon installed, enabled, running, and ready? */
#include <fcntl.h>
#include <limits.h>

#include "base/rootfs.h"
#include "check/boot.h"
#include "check/files.h"
#include "check/parts.h"

#define UNIT "vfio-bindd.service"

static const char *const unit_folders[] = {"etc/systemd/system", "run/systemd/system",
                                           "usr/local/lib/systemd/system", "usr/lib/systemd/system",
                                           "lib/systemd/system"};

static bool has_unit(struct check *c, const char *below)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < ELEMENTS(unit_folders); i++) {
        snprintf(path, sizeof(path), "%s/%s" UNIT, unit_folders[i], below);
        if (check_exists(c, path))
            return true;
    }
    return false;
}

static bool unit_is_masked(const struct check *c)
{
    return rootfs_is_mask(c->tree.root_fd, "etc/systemd/system/" UNIT) > 0 ||
           rootfs_is_mask(c->tree.root_fd, "run/systemd/system/" UNIT) > 0;
}

/* For each active unit systemd makes a link whose target is an ID, not a file. */
static bool is_active(struct check *c)
{
    return c->s->live.running || faccessat(c->tree.root_fd, "run/systemd/units/invocation:" UNIT,
                                           F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reports the state that the daemon has published. */
static void check_state(struct check *c)
{
    const char *state = props_get(&c->s->live.manager, "State");

    if (c->s->this_host && !c->s->live.running) {
        check_add(c, FINDING_WARN, "daemon",
                  "vfio-bindd is running, but does not answer on the system bus");
        check_remedy(c, "systemctl status vfio-bindd dbus");
    } else if (streq(state, "degraded")) {
        check_add(c, FINDING_WARN, "daemon", "vfio-bindd is running, but degraded");
        check_remedy(c, "vfio-bindctl status; journalctl -b -x -u vfio-bindd");
    } else {
        check_add(c, FINDING_OK, "daemon", "vfio-bindd is running%s%s", *state ? ": " : "", state);
    }
}

/* Both parameters accept several words for "off". */
static void remove_switch(struct check *c)
{
    const char *enable = check_cmdline(c, "vfio_bindd.enable=");
    const char *value = enable ? enable : check_cmdline(c, "vfio_bindd=");
    char parameter[64];

    snprintf(parameter, sizeof(parameter), "vfio_bindd%s=%.*s", enable ? ".enable" : "",
             value ? (int)strcspn(value, " \n\"") : 3, value ? value : "off");
    check_remove_parameter(c, parameter);
}

void check_service(struct check *c)
{
    bool active = is_active(c);

    if (c->s->off) {
        check_add(c, FINDING_FAIL, "daemon", "vfio-bindd is disabled by the kernel command line");
        remove_switch(c);
        return;
    }
    if (unit_is_masked(c)) {
        check_add(c, FINDING_FAIL, "daemon", UNIT " is masked");
        check_remedy(c, "%ssystemctl unmask vfio-bindd && %ssystemctl enable --now vfio-bindd",
                     ctl_sudo(), ctl_sudo());
        return;
    }
    if (!active && !has_unit(c, "")) {
        check_add(c, FINDING_FAIL, "daemon", UNIT " is not installed");
        check_remedy(c, "# install the package vfio-bindd (README.md, Install)");
        return;
    }
    if (active)
        check_state(c);
    if (!has_unit(c, "sysinit.target.wants/")) {
        check_add(c, FINDING_FAIL, "daemon", UNIT " is not enabled: it will not run at boot");
        check_remedy(c, "%ssystemctl enable%s vfio-bindd", ctl_sudo(), active ? "" : " --now");
    } else if (!active) {
        check_add(c, FINDING_FAIL, "daemon", UNIT " is enabled, but not running");
        check_remedy(c, "%ssystemctl start vfio-bindd || journalctl -b -x -u vfio-bindd",
                     ctl_sudo());
    }
}
