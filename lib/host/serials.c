/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/serials.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "base/fact.h"
#include "base/rootfs.h"
#include "base/util.h"
#include "host/pci-files.h"

#define FILE_MAX (1 << 20)
#define NO_SERIAL "-"
#define CONFIG_MAX 4096
#define CONFIG_SHOWN PCI_CONFIG_HEADER /* to everybody */

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
        if (sscanf(line, "%23s %" SCNu64 " %23s", address, &new.inode, new.text) != 3 ||
            pci_addr_parse(address, &new.addr) < 0)
            continue;
        if (streq(new.text, NO_SERIAL))
            *new.text = '\0';
        if (!grow(&ret->v, &ret->allocated, ret->n, sizeof(*ret->v)))
            return -ENOMEM;
        ret->v[ret->n++] = new;
    }
    return 0;
}

bool serial_is_valid(const char *text)
{
    for (size_t i = 0; i < SERIAL_MAX - 1; i++)
        if (i % 3 == 2 ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    return !text[SERIAL_MAX - 1];
}

static int inode_of(int root_fd, struct pci_addr a, uint64_t *ret)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_text(a).s);
    if (fstatat(root_fd, path, &st, 0) < 0)
        return -errno;
    *ret = st.st_ino;
    return 0;
}

/* Returns the number of bytes, or negative errno. */
static int read_config(int root_fd, struct pci_addr a, uint8_t config[static CONFIG_MAX])
{
    char path[64];

    snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/config", pci_addr_text(a).s);
    CLEANUP_CLOSE int fd = rootfs_open(root_fd, path, O_RDONLY);
    ssize_t n = fd < 0 ? fd : pread(fd, config, CONFIG_MAX, 0);
    if (fd >= 0 && n < 0)
        return -errno;
    if (fd >= 0 && (n < CONFIG_SHOWN || !pci_config_answers(config)))
        return -EIO;
    return (int)n;
}

/* Walks the extended capabilities of `n` bytes of configuration space. The text is empty if there
 * is no serial number. */
static void find_serial(const uint8_t *config, size_t n, char ret[static SERIAL_MAX])
{
    unsigned at = 0x100;

    *ret = '\0';
    for (unsigned hops = 0; hops < 64 && at >= 0x100 && (size_t)at + 12 <= n; hops++) {
        const uint8_t *c = config + at;
        uint32_t header = (uint32_t)c[3] << 24 | (uint32_t)c[2] << 16 | (uint32_t)c[1] << 8 | c[0];
        if ((header & 0xffff) == PCI_EXT_CAP_ID_DSN) {
            snprintf(ret, SERIAL_MAX, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", c[11], c[10], c[9],
                     c[8], c[7], c[6], c[5], c[4]);
            return;
        }
        at = header >> 20 & 0xffc; /* version in between */
    }
}

/* NULL: the serials have none of this device. */
static const char *find_loaded(const struct serials *s, struct pci_addr a, uint64_t inode)
{
    for (size_t i = 0; i < s->n; i++)
        if (pci_addr_cmp(s->v[i].addr, a) == 0 && s->v[i].inode == inode)
            return s->v[i].text;
    return NULL;
}

/* Would reading its configuration space wake it? The kernel may need a minute for a device that
 * does not wake up, and this is the event loop. Returns 1, 0 or negative errno. */
static int is_asleep(int root_fd, struct pci_addr a)
{
    char state[16];
    int r = pci_read_attribute(root_fd, a, "power_state", state, sizeof(state));

    return r < 0 ? fact_error(r) : streq(state, "D3cold");
}

/* Finds it in configuration space. Returns 1, 0 (only a helper can read it) or negative errno. */
static int read_here(int root_fd, struct pci_addr a, char ret[static SERIAL_MAX])
{
    uint8_t config[CONFIG_MAX];
    int n = is_asleep(root_fd, a);

    if (n != 0)
        return n < 0 ? n : 0;
    n = read_config(root_fd, a, config);
    if (n < 0 && !fact_is_gone(n))
        return n;
    if (n > CONFIG_SHOWN)
        find_serial(config, (size_t)n, ret);
    return n != CONFIG_SHOWN;
}

int serials_get(int root_fd, const struct serials *s, int loaded, struct pci_addr a, char **ret,
                bool *ret_unread)
{
    char text[SERIAL_MAX] = "";
    uint64_t inode = 0;
    int q = loaded < 0 ? loaded : inode_of(root_fd, a, &inode);
    const char *found = q < 0 ? NULL : find_loaded(s, a, inode);

    if (!found) {
        int r = read_here(root_fd, a, text);
        if (r < 0 || (r == 0 && q < 0))
            return r < 0 ? r : q;
        found = r > 0 ? text : NULL;
    }
    CLEANUP_FREE char *copy = found && *found ? strdup(found) : NULL;
    if (found && *found && !copy)
        return -ENOMEM;
    *ret_unread = !found;
    *ret = copy;
    copy = NULL;
    return 0;
}

int serials_read(int root_fd, struct pci_addr a, struct serial *ret)
{
    uint8_t config[CONFIG_MAX];
    struct serial s = {.addr = a};
    uint64_t after;
    int r = inode_of(root_fd, a, &s.inode);
    int n = r < 0 ? r : read_config(root_fd, a, config);

    if (n >= 0)
        r = inode_of(root_fd, a, &after);
    if (n < 0 || r < 0)
        return n < 0 ? n : r;
    if (after != s.inode)
        return -ESTALE;
    if (n == CONFIG_SHOWN)
        return -EPERM;
    find_serial(config, (size_t)n, s.text);
    *ret = s;
    return 0;
}

static void print_serial(FILE *f, struct pci_addr a, uint64_t inode, const char *text)
{
    fprintf(f, "%s %" PRIu64 " %s\n", pci_addr_text(a).s, inode, text && *text ? text : NO_SERIAL);
}

char *serials_text(int root_fd, const struct snapshot *s, const struct serials *more)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct device *d = &s->devices[i];
        uint64_t inode;
        if (d->detailed && !d->serial_unread && inode_of(root_fd, d->addr, &inode) == 0)
            print_serial(f, d->addr, inode, d->serial);
    }
    for (size_t i = 0; i < more->n; i++)
        print_serial(f, more->v[i].addr, more->v[i].inode, more->v[i].text);
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
