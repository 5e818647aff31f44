/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/bars.h"

#include <fcntl.h>
#include <limits.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/pci-files.h"

#define IOMEM "proc/iomem"
#define IOMEM_MAX (4U << 20)
#define PLATFORM "sys/bus/platform/devices"

/* The kernel stops indenting here: on the last level a parent and its child look like siblings. */
#define LEVELS 6

/* Is this the name under which a kernel driver for the firmware's framebuffer claims memory? */
static bool is_framebuffer(const char *name)
{
    static const char *const names[] = {"BOOTFB", "simpledrm", "simplefb",   "efifb",
                                        "vesafb", "efidrm",    "vesadrm",    "ofdrm",
                                        "offb",   "vga16fb",   "corebootdrm"};

    return word_index(names, ELEMENTS(names), name) >= 0;
}

/* -- the platform device -- */

/* Is it a framebuffer in the memory of a display? "platform-framebuffer.0" exists even if the
 * firmware set up no framebuffer, and on hosts without a display; "vga-" and "ega-" are text
 * consoles. */
static bool is_in_memory(const char *device)
{
    static const char *const others[] = {"platform-", "vga-", "ega-"};

    for (size_t i = 0; i < ELEMENTS(others); i++)
        if (strncmp(device, others[i], strlen(others[i])) == 0)
            return false;
    return strstr(device, "-framebuffer.") != NULL;
}

/* Finds the platform device of the firmware's framebuffer, if there is one. */
static int find_framebuffer(int root_fd, char **ret)
{
    const struct dirent *e;
    CLEANUP(closedirp) DIR *dir;
    int r = rootfs_list(root_fd, PLATFORM, &dir);

    while (r == 0 && (r = rootfs_next(dir, &e)) > 0) {
        r = 0;
        if (!is_in_memory(e->d_name))
            continue;
        *ret = strdup(e->d_name);
        return *ret ? 0 : -ENOMEM;
    }
    return r;
}

static int is_boot_display(int root_fd, struct pci_addr a)
{
    char text[8];
    int r = pci_read_attribute(root_fd, a, "boot_vga", text, sizeof(text));

    return r < 0 ? fact_error(r) : text[0] == '1';
}

/* What is known without /proc/iomem. From 6.9 on, the framebuffer is a child of its PCI device;
 * older kernels only show which display is the boot display. */
static int framebuffer_is_on(int root_fd, const char *framebuffer, struct pci_addr a)
{
    char path[NAME_MAX + 64], target[PATH_MAX], part[PCI_ADDR_MAX + 2];

    snprintf(path, sizeof(path), PLATFORM "/%s", framebuffer);
    ssize_t n = readlinkat(root_fd, path, target, sizeof(target) - 1);
    if (n < 0)
        return fact_error(-errno);
    target[n] = '\0';
    if (strstr(target, "/platform/"))
        return is_boot_display(root_fd, a);
    snprintf(part, sizeof(part), "/%s/", pci_addr_text(a).s);
    return strstr(target, part) != NULL;
}

/* -- /proc/iomem -- */

struct lineage {
    const char *names[LEVELS];  /* the current line's ancestors, by level */
    const char *deepest_device; /* the name of the latest device on the last level */
};

static char **claim_of(const struct bars *b, struct pci_addr a)
{
    for (size_t i = 0; i < b->n; i++)
        if (pci_addr_cmp(b->v[i].addr, a) == 0)
            return &b->v[i].claimant;
    return NULL;
}

/* Notes that the framebuffer claims a BAR of the device, if `device` is an address. Several
 * claimants become "a, b", each name once. */
static void add_claim(struct bars *b, const char *device, const char *framebuffer)
{
    struct pci_addr a;
    char **list, *longer;

    if (!device || pci_addr_parse(device, &a) < 0)
        return;
    list = claim_of(b, a);
    if (!list && grow(&b->v, &b->allocated, b->n, sizeof(*b->v))) {
        b->v[b->n] = (struct bar_claim){.addr = a};
        list = &b->v[b->n++].claimant;
    }
    if (list && *list && strstr(*list, framebuffer))
        return;
    if (!list ||
        asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? ", " : "", framebuffer) < 0) {
        b->no_memory = true;
        return;
    }
    free(*list);
    *list = longer;
}

/* Parses one line "start-end : name", indented by its depth. The name of a BAR is the address of
 * the device. A framebuffer claims the BAR if its entry is below the BAR's entry, or above it: it
 * is above if it covers the BAR exactly. */
static void take_line(struct bars *b, struct lineage *l, const char *line)
{
    size_t indent = strspn(line, " ");
    size_t level = indent / 2 < LEVELS ? indent / 2 : LEVELS - 1;
    const char *name = strstr(line, " : ");
    struct pci_addr a;

    if (!name)
        return;
    name += 3;
    bool device = pci_addr_parse(name, &a) == 0;
    if (level < LEVELS - 1)
        l->deepest_device = NULL;
    else if (device)
        l->deepest_device = name;
    l->names[level] = name;
    if (is_framebuffer(name))
        add_claim(b, l->deepest_device, name);
    for (size_t i = 0; i < level; i++) {
        if (is_framebuffer(name))
            add_claim(b, l->names[i], name);
        if (device && l->names[i] && is_framebuffer(l->names[i]))
            add_claim(b, name, l->names[i]);
    }
}

/* Without permission to read /proc/iomem, weaker evidence is used. Any other error is returned. */
int bars_read(int root_fd, struct bars *ret)
{
    struct lineage lineage = {0};
    CLEANUP_FREE char *text = NULL;
    char *line;
    size_t size;

    *ret = (struct bars){0};
    int r = find_framebuffer(root_fd, &ret->framebuffer);
    if (r < 0 || !ret->framebuffer)
        return r;
    r = rootfs_read_file(root_fd, IOMEM, IOMEM_MAX, &text, &size);
    if (r < 0)
        return r == -EACCES || r == -EPERM ? 0 : fact_error(r);
    ret->seen = true;
    for (char *rest = text; (line = strsep(&rest, "\n"));)
        take_line(ret, &lineage, line);
    return ret->no_memory ? -ENOMEM : 0;
}

void bars_done(struct bars *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->v[i].claimant);
    free(b->v);
    free(b->framebuffer);
}

int bars_claimant(int root_fd, const struct bars *b, struct pci_addr a, char **ret)
{
    char *const *claim = claim_of(b, a);
    const char *found = claim ? *claim : NULL;
    int r = 0;

    if (!claim && b->framebuffer && !b->seen) {
        r = framebuffer_is_on(root_fd, b->framebuffer, a);
        found = r > 0 ? b->framebuffer : NULL;
    }
    if (r < 0)
        return r;
    *ret = found ? strdup(found) : NULL;
    return found && !*ret ? -ENOMEM : 0;
}

bool bars_visible(int root_fd)
{
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, IOMEM, O_RDONLY);

    return fd >= 0;
}
