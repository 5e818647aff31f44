/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/serials.h"

#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"

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
    CLEANUP_FREE char *why = NULL;
    int r = rootfs_read_trusted(root_fd, SERIALS_FOLDER "/" SERIALS_FILE, FILE_MAX, false, &text,
                                &size, &why);

    if (r == -EACCES) /* it is root's, as the numbers are: they are unread here */
        return 0;
    if (r < 0)
        return fact_error(r);
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

static int inode_of(int root_fd, struct pci_addr a, unsigned long long *ret)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_text(a).s);
    if (fstatat(root_fd, path, &st, 0) < 0)
        return -errno;
    *ret = st.st_ino;
    return 0;
}

/* Walks the extended capabilities of `n` bytes of configuration space. */
static int find_serial(const uint8_t *config, size_t n, char **ret)
{
    unsigned at = 0x100;

    *ret = NULL;
    for (unsigned hops = 0; hops < 64 && at >= 0x100 && (size_t)at + 12 <= n; hops++) {
        const uint8_t *c = config + at;
        uint32_t header = (uint32_t)c[3] << 24 | (uint32_t)c[2] << 16 | (uint32_t)c[1] << 8 | c[0];
        if ((header & 0xffff) == PCI_EXT_CAP_ID_DSN)
            return asprintf(ret, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", c[11], c[10], c[9],
                            c[8], c[7], c[6], c[5], c[4]) < 0
                       ? -ENOMEM
                       : 0;
        at = header >> 20 & 0xffc; /* version in between */
    }
    return 0;
}

static const struct serial *find_loaded(const struct serials *s, struct pci_addr a,
                                        unsigned long long inode)
{
    for (size_t i = 0; i < s->n; i++)
        if (pci_addr_cmp(s->v[i].addr, a) == 0 && s->v[i].inode == inode)
            return &s->v[i];
    return NULL;
}

/* Looks for the number in the file. Without privilege the kernel shows just the header of the
 * configuration space, of 64 bytes. */
static int get_loaded(int root_fd, const struct serials *s, int loaded, struct pci_addr a,
                      char **ret, bool *ret_unread)
{
    unsigned long long inode;
    int r = loaded < 0 ? loaded : inode_of(root_fd, a, &inode);

    if (r < 0)
        return r;
    const struct serial *found = find_loaded(s, a, inode);
    *ret_unread = !found;
    *ret = found && !streq(found->text, NO_SERIAL) ? strdup(found->text) : NULL;
    return found && !streq(found->text, NO_SERIAL) && !*ret ? -ENOMEM : 0;
}

int serials_get(int root_fd, const struct serials *s, int loaded, struct pci_addr a, char **ret,
                bool *ret_unread)
{
    char path[64];
    uint8_t config[4096];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/config", pci_addr_text(a).s);
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : pread(fd, config, sizeof(config), 0);
    if (fd < 0 && !fact_is_gone(fd))
        return fd;
    if (n < 0)
        return -errno;
    if (n == 64)
        return get_loaded(root_fd, s, loaded, a, ret, ret_unread);
    if (fd >= 0 && n < 64)
        return -EIO;
    *ret_unread = false;
    return find_serial(config, (size_t)n, ret);
}

char *serials_text(int root_fd, const struct snapshot *s)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct device *d = &s->devices[i];
        unsigned long long inode;
        if (d->detailed && !d->serial_unread && inode_of(root_fd, d->addr, &inode) == 0)
            fprintf(f, "%s %llu %s\n", pci_addr_text(d->addr).s, inode,
                    d->serial ? d->serial : NO_SERIAL);
    }
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
