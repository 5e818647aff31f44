/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "open.h"

#include <errno.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "base/rootfs.h"
#include "bus.h"
#include "host/pci-files.h"
#include "host/reset-methods.h"
#include "host/scan-host.h"
#include "host/scan.h"
#include "plan/assume.h"
#include "policy/parse.h"
#include "replay.h"
#include "rows.h"

/* -- the host's files -- */

/* Only display controllers have this attribute; reading it takes no lock. */
static int find_boot_displays(struct source *s)
{
    for (size_t i = 0; i < s->snapshot.n; i++) {
        char text[8];
        const struct device *d = &s->snapshot.devices[i];
        if (d->class_code >> 16 != PCI_BASE_CLASS_DISPLAY ||
            !streq(pci_attribute(s->root_fd, d->addr, "boot_vga", text, sizeof(text)), "1"))
            continue;
        if (source_add_boot_display(s, d->addr) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int read_tree(struct source *s, unsigned flags)
{
    int r = texts_load(s->root_fd, &s->texts);

    if (r >= 0)
        r = texts_parse(&s->texts, &s->policy, &s->diags, &s->off);
    if (r >= 0) /* of all devices, since a list also shows those that no rule selects */
        r = scan_all(s->root_fd, NULL, &s->snapshot);
    if (r == -ENOENT && flags & SOURCE_BARE_TREE && !s->this_host) {
        ctl_note(s->ctl, "there is no sys/bus/pci below %s, so there are no devices", s->ctl->root);
        return 0;
    }
    if (r >= 0)
        r = scan_drivers(s->root_fd, &s->snapshot);
    (void)scan_bars(s->root_fd, false, &s->snapshot);
    if (r >= 0)
        r = find_boot_displays(s);
    return r;
}

static int open_tree(struct source *s, const char *root, unsigned flags)
{
    s->root_fd = rootfs_open_root(root);
    if (s->root_fd < 0)
        return ctl_error("%s: %s", root, strerror(-s->root_fd));
    int r = read_tree(s, flags);
    if (r == -ENOENT)
        return ctl_error("there is no sys/bus/pci below %s: is sysfs mounted?", root);
    return r < 0 ? ctl_errno(r) : EXIT_SUCCESS;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* -- the daemon -- */

static void say_not_running(const struct source *s, int r, const sd_bus_error *error)
{
    static const char rest[] = "the output is based on the policy and /sys";

    if (bus_is_absent(error) && s->silent)
        ctl_note(s->ctl, "vfio-bindd is not on the bus (systemctl status vfio-bindd-front): %s",
                 rest);
    else if (bus_is_absent(error))
        ctl_note(s->ctl, "vfio-bindd is not running (systemctl start vfio-bindd): %s", rest);
    else if (r == -ETIMEDOUT ||
             sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT, NULL))
        ctl_note(s->ctl, "vfio-bindd does not answer (systemctl status vfio-bindd): %s", rest);
    else
        ctl_note(s->ctl, "cannot ask vfio-bindd (%s): %s",
                 error && error->message ? error->message : strerror(-r), rest);
}

/* The daemon's data take precedence; without it, policy and /sys are used. */
static void ask_daemon(struct source *s)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = bus_open(s->ctl, &bus);

    if (r >= 0)
        r = live_read(bus, &s->live, &error);
    if (r >= 0)
        return;
    live_done(&s->live);
    s->silent = bus_daemon_is_there();
    say_not_running(s, r, &error);
}

static int open_remote(struct source *s)
{
    CLEANUP_BUS sd_bus *bus = NULL;
    CLEANUP_BUS_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = bus_open(s->ctl, &bus);

    s->remote = true;
    if (r >= 0)
        r = live_read(bus, &s->live, &error);
    if (r < 0)
        return bus_complain(s->ctl, r, &error);
    r = rows_devices_of_live(s);
    return r < 0 ? ctl_errno(r) : EXIT_SUCCESS;
}

/* -- all of it -- */

static int open_facts(struct source *s, unsigned flags)
{
    const struct ctl *c = s->ctl;

    if (c->host && flags & SOURCE_FILES)
        return ctl_error(
            "\"%s\" reads files of the host: run it there (ssh %s vfio-bindctl %s%s%s)", c->verb,
            c->host, c->verb, c->n_args > 0 ? " " : "", c->n_args > 0 ? c->args[0] : "");
    if (c->host || flags & SOURCE_LIVE)
        return open_remote(s);
    if (c->root && !is_folder(c->root)) {
        s->replayed = true;
        return replay_read(s, c->root);
    }
    s->this_host = !c->root || streq(c->root, "/");
    return open_tree(s, c->root ? c->root : "/", flags);
}

/* Derives the results from policy and facts. */
static int judge_source(struct source *s)
{
    int r = source_plan(s, &s->policy, &s->plan);

    s->n_assumed = 0;
    for (size_t i = 0; i < s->snapshot.n_registered; i++)
        s->n_assumed += plan_is_assumed(&s->snapshot.registered[i]);
    if (r >= 0)
        r = rows_build(s);
    return r;
}

int source_open(const struct ctl *c, unsigned flags, struct source *ret)
{
    struct source *s = ret;

    *s = (struct source){.ctl = c, .root_fd = -1};
    policy_init(&s->policy);
    int r = open_facts(s, flags);
    if (r != 0)
        return r;
    if (s->this_host && flags & SOURCE_DAEMON)
        ask_daemon(s);
    s->names = names_new();
    s->dynids = flags & SOURCE_DYNIDS;
    r = judge_source(s);
    return r < 0 ? ctl_errno(r) : 0;
}

/* -- another policy -- */

int source_read_policy(const char *path, char **ret, size_t *ret_size)
{
    FILE *f = fopen(path, "re"); /* the path may be a pipe: <(vfio-bindctl suggest) */

    if (!f)
        return ctl_error("%s: %m", path);
    int r = ctl_read(f, POLICY_FILE_MAX, ret, ret_size);
    fclose(f);
    return r < 0 ? ctl_error("%s: %s", path, strerror(-r)) : 0;
}

static void forget_judgement(struct source *s)
{
    for (size_t i = 0; s->rows && i < s->snapshot.n; i++)
        row_done(&s->rows[i]);
    free(s->rows);
    s->rows = NULL;
    plan_done(&s->plan);
    policy_done(&s->policy);
    policy_init(&s->policy);
    diags_done(&s->diags);
}

int source_use_policy(struct source *s, const char *path)
{
    char *bytes;
    size_t size;
    int r = source_read_policy(path, &bytes, &size);

    if (r != 0)
        return r;
    forget_judgement(s);
    r = texts_replace_main(&s->texts, path, bytes, size);
    if (r < 0)
        free(bytes);
    if (r >= 0)
        r = texts_parse(&s->texts, &s->policy, &s->diags, &s->off);
    if (r >= 0)
        r = judge_source(s);
    return r < 0 ? ctl_errno(r) : 0;
}
