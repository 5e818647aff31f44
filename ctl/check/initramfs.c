/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: native drivers that are there before vfio-bindd runs: in the initramfs, or built in. */
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

struct contents {
    struct natives *natives;
    bool vfio_bindd; /* is in there itself */
    size_t lines;
};

static void see_line(const char *line, void *data)
{
    struct contents *contents = data;
    const char *name = lister_name(line), *ending = strstr(name, ".ko");

    contents->lines++;
    if (streq(name, "vfio-bindd"))
        contents->vfio_bindd = true;
    struct native *native =
        ending ? natives_get(contents->natives, name, (size_t)(ending - name)) : NULL;
    if (native)
        native->early = true;
}

/* The initramfs of the running kernel; its path in buf. Returns a descriptor or negative errno. */
static int open_initramfs(const struct check *c, char *buf, size_t size)
{
    static const char *const forms[] = {"boot/initrd.img-%s", "boot/initramfs-%s.img",
                                        "boot/initrd-%s", "usr/lib/modules/%s/initrd"};
    int r = -ENOENT;

    for (size_t i = 0; i < ELEMENTS(forms) && r == -ENOENT; i++) {
        const char *at = strstr(forms[i], "%s");
        snprintf(buf, size, "%.*s%s%s", (int)(at - forms[i]), forms[i], c->release, at + 2);
        r = rootfs_open(c->tree.root_fd, buf, O_RDONLY | O_NONBLOCK);
    }
    return r;
}

/* Returns 0 if the contents are known; else what could not be seen is noted. */
static int list(struct check *c, char *path, size_t size, struct contents *contents)
{
    const char *program = lister_find();
    CLEANUP_CLOSE int fd = *c->release ? open_initramfs(c, path, size) : -ENOENT;
    char what[256];

    if (fd == -ENOENT) {
        check_append(c, &c->tree.unseen, ", ", "the initramfs (none in /boot for this kernel)");
        return fd;
    }
    if (fd >= 0 && !program) {
        check_append(c, &c->tree.unseen, ", ",
                     "/%s (no lsinitramfs, lsinitrd or lsinitcpio on this host)", path);
        return -ENOENT;
    }
    int r = fd < 0 ? fd : lister_run(program, fd, LISTER_TIMEOUT, see_line, contents);
    if (r == 0 && contents->lines == 0)
        r = -EIO;
    if (r < 0) {
        snprintf(what, sizeof(what), "/%s", path);
        check_unseen(c, what, r);
    }
    return r;
}

/* -- what to say -- */

/* A driver that the host needs for another device must stay in the initramfs; then only the rebind
 * is left. */
static void say_early(struct check *c, const struct native *n, const char *path)
{
    struct pci_addr_text address = pci_addr_text(n->row->d->addr);

    check_add(c, FINDING_WARN, "initramfs",
              "%s is in /%s and drives %s before vfio-bindd runs, which then takes the device "
              "over%s",
              n->module, path, address.s,
              n->needed ? "; this host needs it there for another device" : "");
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

void check_initramfs(struct check *c)
{
    CLEANUP(natives_done) struct natives natives = {0};
    struct contents contents = {.natives = &natives};
    char path[160] = "";
    size_t early = 0;

    natives_find(c, &natives);
    if (natives.n == 0)
        return;
    check_builtin(c, &natives);
    if (list(c, path, sizeof(path), &contents) < 0)
        return;
    for (size_t i = 0; i < natives.n && !contents.vfio_bindd; i++)
        if (natives.v[i].early && early++ < 8)
            say_early(c, &natives.v[i], path);
    if (early == 0)
        check_add(c, FINDING_OK, "initramfs",
                  contents.vfio_bindd ? "/%s has vfio-bindd itself"
                                      : "/%s has no native driver of a selected device",
                  path);
}
