/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serials.h"

#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "rootfs.h"
#include "util.h"

#define FILE_MAX (1 << 20)
#define TEXT_MAX 24 /* 48-b0-2d-ff-ff-12-34-56 */
#define NO_SERIAL "-"

struct serial {
    struct pci_addr addr;
    unsigned long long inode;
    char text[TEXT_MAX];
};

void serials_done(struct serials *s)
{
    free(s->v);
    *s = (struct serials){0};
}

int serials_load(int root_fd, struct serials *ret)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    char *rest, *line;

    if (rootfs_read_file(root_fd, SERIALS_FOLDER "/" SERIALS_FILE, FILE_MAX, &text, &size) < 0)
        return 0;
    for (rest = text; (line = strsep(&rest, "\n"));) {
        struct serial new;
        char address[PCI_ADDR_MAX];
        if (sscanf(line, "%23s %llu %23s", address, &new.inode, new.text) != 3 ||
            pci_addr_parse(address, &new.addr) < 0)
            continue;
        if (!grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v)))
            return -ENOMEM;
        ret->v[ret->n++] = new;
    }
    return 0;
}

static unsigned long long inode_of(int root_fd, struct pci_addr a)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_text(a).s);
    return fstatat(root_fd, path, &st, 0) < 0 ? 0 : st.st_ino;
}

/* Walks the extended capabilities of `n` bytes of configuration space. */
static char *find_serial(const uint8_t *config, size_t n)
{
    unsigned at = 0x100;

    for (unsigned hops = 0; hops < 64 && at >= 0x100 && (size_t)at + 12 <= n; hops++) {
        const uint8_t *c = config + at;
        uint32_t header = (uint32_t)c[3] << 24 | (uint32_t)c[2] << 16 | (uint32_t)c[1] << 8 | c[0];
        char *text;
        if ((header & 0xffff) == PCI_EXT_CAP_ID_DSN) {
            int r = asprintf(&text, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", c[11], c[10], c[9],
                             c[8], c[7], c[6], c[5], c[4]);
            return r < 0 ? NULL : text;
        }
        at = header >> 20 & 0xffc; /* version in between */
    }
    return NULL;
}

char *serials_get(int root_fd, const struct serials *s, struct pci_addr a, bool *ret_unread)
{
    char path[64];
    uint8_t config[4096];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/config", pci_addr_text(a).s);
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : pread(fd, config, sizeof(config), 0);
    *ret_unread = false;
    if (n != 64) /* with less, the kernel shows just the header */
        return n > 64 ? find_serial(config, (size_t)n) : NULL;
    unsigned long long inode = inode_of(root_fd, a);
    for (size_t i = 0; i < s->n; i++)
        if (pci_addr_cmp(s->v[i].addr, a) == 0 && s->v[i].inode == inode)
            return streq(s->v[i].text, NO_SERIAL) ? NULL : strdup(s->v[i].text);
    *ret_unread = true;
    return NULL;
}

char *serials_text(int root_fd, const struct snapshot *s)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        if (s->devices[i].detailed && !s->devices[i].serial_unread)
            fprintf(f, "%s %llu %s\n", pci_addr_text(s->devices[i].addr).s,
                    inode_of(root_fd, s->devices[i].addr),
                    s->devices[i].serial ? s->devices[i].serial : NO_SERIAL);
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
