/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: drivers that run before the real root is mounted: native drivers in the initramfs or built
 * in, and vfio-bindd itself in the initramfs of every installed kernel. */
#include <errno.h>
#include <fcntl.h>

#include "base/rootfs.h"
#include "check/boot.h"
#include "check/files.h"
#include "check/lister.h"
#include "check/natives.h"
#include "check/parts.h"
#include "policy/policy.h"

#define LISTER_TIMEOUT (60 * USEC_PER_SEC)
/* Besides the running kernel; listing an initramfs takes a second or more. */
#define KERNELS_MAX 8

/* The initramfs of one kernel. */
struct contents {
    struct natives *natives; /* NULL: native drivers do not matter */
    char path[160];
    bool vfio_bindd, vfio_pci;
    bool has_policy;
    uint32_t policy; /* struct policy's digest, which is part of the name of a file */
    size_t lines;
};

static void see_line(const char *line, void *data)
{
    struct contents *contents = data;
    const char *name = lister_name(line), *ending = strstr(name, ".ko"), *digest;

    contents->lines++;
    if (streq(name, "vfio-bindd") && strstr(line, "bin/vfio-bindd")) /* sbin/, or bin/ if merged */
        contents->vfio_bindd = true;
    if ((digest = after_prefix(name, "policy-")) && strstr(line, "vfio-bindd/policy-")) {
        contents->has_policy = true;
        contents->policy = (uint32_t)strtoul(digest, NULL, 16);
    }
    if (!ending)
        return;
    if (after_prefix(name, "vfio-pci.ko") || after_prefix(name, "vfio_pci.ko"))
        contents->vfio_pci = true;
    struct native *native =
        contents->natives ? natives_get(contents->natives, name, (size_t)(ending - name)) : NULL;
    if (native)
        native->early = true;
}

/* Opens the initramfs of this kernel; buf gets its path. Returns a descriptor or negative errno. */
static int open_initramfs(const struct check *c, const char *release, char *buf, size_t size)
{
    static const char *const forms[] = {"boot/initrd.img-%s", "boot/initramfs-%s.img",
                                        "boot/initrd-%s", "usr/lib/modules/%s/initrd"};
    int r = -ENOENT;

    for (size_t i = 0; i < ELEMENTS(forms) && r == -ENOENT; i++) {
        const char *at = strstr(forms[i], "%s");
        snprintf(buf, size, "%.*s%s%s", (int)(at - forms[i]), forms[i], release, at + 2);
        r = rootfs_open(c->tree.root_fd, buf, O_RDONLY | O_NONBLOCK);
    }
    return r;
}

/* Returns 0 if the contents are known, or -ENOENT if there is no initramfs. Otherwise records what
 * could not be examined. */
static int list(struct check *c, const char *release, struct contents *contents)
{
    const char *program = lister_find();
    CLEANUP_CLOSE int fd =
        *release ? open_initramfs(c, release, contents->path, sizeof(contents->path)) : -ENOENT;
    char what[256];

    if (fd == -ENOENT)
        return fd;
    if (fd >= 0 && !program) {
        check_append(c, &c->tree.unseen, ", ",
                     "/%s (no lsinitramfs, lsinitrd or lsinitcpio on this host)", contents->path);
        return -EOPNOTSUPP;
    }
    int r = fd < 0 ? fd : lister_run(program, fd, LISTER_TIMEOUT, see_line, contents);
    if (r == 0 && contents->lines == 0)
        r = -EIO;
    if (r < 0) {
        snprintf(what, sizeof(what), "/%s", contents->path);
        check_unseen(c, what, r);
    }
    return r;
}

/* -- what to say -- */

static bool is_service_enabled(struct check *c)
{
    return check_exists(c, "etc/systemd/system/sysinit.target.wants/vfio-bindd.service");
}

static bool has_hook(struct check *c)
{
    static const char *const hooks[] = {"usr/share/initramfs-tools/hooks/vfio-bindd",
                                        "usr/lib/dracut/modules.d/90vfio-bindd"};
    static const char *const programs[] = {"update-initramfs", "dracut"};

    for (size_t i = 0; i < ELEMENTS(hooks); i++)
        if (check_exists(c, hooks[i]) && loader_has_program(&c->tree, programs[i]))
            return true;
    return false;
}

/* Would a new initramfs contain vfio-bindd? */
static bool is_brought_along(struct check *c)
{
    return is_service_enabled(c) && has_hook(c);
}

/* A driver that the host needs for another device must stay in the initramfs; then vfio-bindd can
 * only rebind the selected device later. */
static void say_early(struct check *c, const struct native *n, const char *path, bool brought)
{
    struct pci_addr_text address = pci_addr_text(n->row->d->addr);

    check_add(c, FINDING_WARN, "initramfs",
              "%s is in /%s and drives %s before vfio-bindd runs, which then takes the device "
              "over%s",
              n->module, path, address.s,
              n->needed ? "; this host needs the driver there for another device" : "");
    if (brought) {
        check_rebuild_initramfs(c);
        check_remedy(c, "# this includes vfio-bindd, which then runs before the driver");
        return;
    }
    if (n->needed) {
        check_remedy(c, "vfio-bindctl show %s   # after a boot: was it rebound?", address.s);
        return;
    }
    check_remedy(c, "echo 'blacklist %s' | %stee /etc/modprobe.d/vfio-%s.conf", n->module,
                 ctl_sudo(), n->module);
    check_rebuild_initramfs(c);
}

static void check_builtin(struct check *c, const struct natives *natives)
{
    for (size_t i = 0; i < natives->n; i++) {
        const struct native *n = &natives->v[i];
        if (!n->builtin)
            continue;
        check_add(c, FINDING_WARN, "builtin",
                  "%s is built into the kernel and drives %s before vfio-bindd runs, which then "
                  "takes the device over",
                  n->module, pci_addr_text(n->row->d->addr).s);
        check_remedy(c, "vfio-bindctl show %s   # after a boot: was it rebound?",
                     pci_addr_text(n->row->d->addr).s);
    }
}

static bool is_vfio_pci_builtin(struct check *c, const char *release)
{
    char path[160];

    snprintf(path, sizeof(path), "usr/lib/modules/%s/modules.builtin", release);
    CLEANUP_FREE char *text = check_read(c, path);
    return text && strstr(text, "/vfio-pci.ko");
}

/* vfio-bindd is in this initramfs: can it do there what the policy says? */
static void say_inside(struct check *c, const char *release, const struct contents *contents)
{
    if (!is_service_enabled(c)) {
        check_add(c, FINDING_WARN, "initramfs",
                  "/%s has vfio-bindd, although vfio-bindd.service is not enabled: the next boot "
                  "still binds devices there, and nothing hands them back",
                  contents->path);
        check_rebuild_initramfs(c);
    } else if (!contents->vfio_pci && !is_vfio_pci_builtin(c, release)) {
        check_add(c, FINDING_WARN, "initramfs",
                  "/%s has vfio-bindd, but not vfio-pci: devices are bound in the real root only",
                  contents->path);
        check_rebuild_initramfs(c);
    } else if (texts_are_on_trial(&c->s->texts)) { /* no initramfs contains the policy on trial */
        check_add(c, FINDING_OK, "initramfs", "/%s has vfio-bindd", contents->path);
    } else if (contents->has_policy && contents->policy != c->s->policy.digest) {
        check_add(c, FINDING_WARN, "initramfs",
                  "/%s has vfio-bindd with another policy than the current one: the next boot "
                  "begins with that policy",
                  contents->path);
        check_rebuild_initramfs(c);
    } else {
        check_add(c, FINDING_OK, "initramfs", "/%s has vfio-bindd%s", contents->path,
                  contents->has_policy ? " and the policy of now" : " itself");
    }
}

static void check_running(struct check *c, struct natives *natives, struct contents *contents)
{
    const bool brought = is_brought_along(c);
    size_t early = 0;
    int r = list(c, c->release, contents);

    if (r == -ENOENT)
        check_append(c, &c->tree.unseen, ", ",
                     "the initramfs (there is none in /boot for this kernel)");
    if (r < 0)
        return;
    if (contents->vfio_bindd) {
        say_inside(c, c->release, contents);
        return;
    }
    for (size_t i = 0; i < natives->n; i++)
        if (natives->v[i].early && early++ < 8)
            say_early(c, &natives->v[i], contents->path, brought);
    if (early == 0)
        check_add(c, FINDING_OK, "initramfs", "/%s has no native driver of a selected device",
                  contents->path);
}

/* -- other kernels: the next boot may be one of theirs -- */

struct others {
    const struct contents *running;
    size_t n;
};

static void check_other(struct check *c, const char *path, const char *release, void *data)
{
    struct others *others = data;
    struct contents contents = {0};
    int r;

    (void)path;
    if (streq(release, c->release))
        return;
    if (others->n == KERNELS_MAX) {
        CLEANUP_CLOSE int fd = open_initramfs(c, release, contents.path, sizeof(contents.path));
        if (fd >= 0)
            check_append(c, &c->tree.unseen, ", ", "/%s (more than %d other kernels)",
                         contents.path, KERNELS_MAX);
        return;
    }
    r = list(c, release, &contents);
    others->n += r != -ENOENT;
    if (r < 0)
        return;
    if (contents.vfio_bindd) {
        say_inside(c, release, &contents);
    } else if (others->running->vfio_bindd) {
        check_add(c, FINDING_WARN, "initramfs",
                  "/%s has no vfio-bindd, unlike that of the running kernel: if that kernel boots, "
                  "the native drivers in it get the devices first",
                  contents.path);
        check_rebuild_initramfs(c);
    }
}

void check_initramfs(struct check *c)
{
    CLEANUP(natives_done) struct natives natives = {0};
    struct contents running = {.natives = &natives};
    struct others others = {.running = &running};

    natives_find(c, &natives);
    check_builtin(c, &natives);
    if (natives.n == 0 && !has_hook(c))
        return;
    check_running(c, &natives, &running);
    (void)check_each(c, "usr/lib/modules", "", check_other, &others);
}
