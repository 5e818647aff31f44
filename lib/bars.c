/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bars.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>

#include "rootfs.h"
#include "util.h"

#define IOMEM "proc/iomem"
#define IOMEM_MAX (4U << 20)
#define PLATFORM "sys/bus/platform/devices"

/* The kernel indents no deeper: on the last level a parent and its child look like sisters. */
#define LEVELS 6

/* As the kernel's drivers for framebuffers of the firmware name their memory. */
static bool is_framebuffer(const char *name)
{
    static const char *const names[] = {"BOOTFB", "simpledrm", "simplefb",   "efifb",
                                        "vesafb", "efidrm",    "vesadrm",    "ofdrm",
                                        "offb",   "vga16fb",   "corebootdrm"};

    return word_index(names, ELEMENTS(names), name) >= 0;
}

/* -- the platform device -- */

/* The framebuffer's platform device that the firmware's console has, if any. */
static bool find_framebuffer(int root_fd, char name[static NAME_MAX + 1])
{
    CLEANUP(closedirp) DIR *dir;
    (void)rootfs_open_dir(root_fd, PLATFORM, &dir);
    const struct dirent *e;

    while (dir && (e = readdir(dir)))
        if (strstr(e->d_name, "-framebuffer.")) {
            snprintf(name, NAME_MAX + 1, "%s", e->d_name);
            return true;
        }
    return false;
}

static bool is_boot_display(int root_fd, struct pci_addr a)
{
    char path[96], text[8];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/boot_vga", pci_addr_text(a).s);
    return rootfs_read_line(root_fd, path, text, sizeof(text)) > 0 && text[0] == '1';
}

/* Without /proc/iomem: from 6.9 on the framebuffer is a child of its PCI device; before, it is the
 * boot display's as far as anybody can tell. */
static bool framebuffer_is_on(int root_fd, const char *framebuffer, struct pci_addr a)
{
    char path[NAME_MAX + 64], target[PATH_MAX], part[PCI_ADDR_MAX + 2];

    snprintf(path, sizeof(path), PLATFORM "/%s", framebuffer);
    ssize_t n = readlinkat(root_fd, path, target, sizeof(target) - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    if (strstr(target, "/platform/"))
        return is_boot_display(root_fd, a);
    snprintf(part, sizeof(part), "/%s/", pci_addr_text(a).s);
    return strstr(target, part) != NULL;
}

/* -- /proc/iomem -- */

struct lineage {
    const char *names[LEVELS];  /* of the current line's ancestors, by level */
    const char *deepest_device; /* the last device's name on the last level */
};

/* Adds a word to "a, b"; a name once only. */
static bool add_word(char **list, const char *word)
{
    char *longer;

    if (*list && strstr(*list, word))
        return true;
    if (asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? ", " : "", word) < 0)
        return false;
    free(*list);
    *list = longer;
    return true;
}

/* One line of "  start-end : name". A framebuffer counts if it is below a BAR of the device, which
 * has the device's address for a name, or if it covers the BAR exactly, and then is above it. */
static bool take_line(struct lineage *l, char *line, const char *address, char **claimants)
{
    size_t indent = strspn(line, " ");
    size_t level = indent / 2 < LEVELS ? indent / 2 : LEVELS - 1;
    char *name = strstr(line, " : ");
    bool below = false;

    if (!name)
        return true;
    name += 3;
    for (size_t i = 0; i < level; i++)
        below |= l->names[i] && streq(l->names[i], address);
    if (level == LEVELS - 1) {
        struct pci_addr a;
        if (pci_addr_parse(name, &a) == 0)
            l->deepest_device = name;
        below |= l->deepest_device && streq(l->deepest_device, address);
    } else
        l->deepest_device = NULL;
    l->names[level] = name;
    if (below && is_framebuffer(name))
        return add_word(claimants, name);
    for (size_t i = 0; i < level; i++)
        if (streq(name, address) && l->names[i] && is_framebuffer(l->names[i]) &&
            !add_word(claimants, l->names[i]))
            return false;
    return true;
}

char *bars_claimant(int root_fd, struct pci_addr a)
{
    struct pci_addr_text address = pci_addr_text(a);
    struct lineage lineage = {0};
    char framebuffer[NAME_MAX + 1], *text, *line, *claimants = NULL;
    size_t size;

    if (!find_framebuffer(root_fd, framebuffer))
        return NULL;
    if (rootfs_read_file(root_fd, IOMEM, IOMEM_MAX, &text, &size) < 0)
        return framebuffer_is_on(root_fd, framebuffer, a) ? strdup(framebuffer) : NULL;
    for (char *rest = text; (line = strsep(&rest, "\n"));)
        if (!take_line(&lineage, line, address.s, &claimants))
            break;
    free(text);
    return claimants;
}

bool bars_any(int root_fd)
{
    char name[NAME_MAX + 1];

    return find_framebuffer(root_fd, name);
}

bool bars_visible(int root_fd)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, IOMEM, O_RDONLY);

    return fd >= 0;
}
