/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include <ctype.h>
#include <errno.h>

#include "base/search.h"
#include "base/util.h"

static void device_done(struct device *d)
{
    free(d->pf_slot);
    free(d->slot);
    free(d->serial);
    free(d->use);
    free(d->evidence);
    free(d->claimant);
    free(d->module);
    free(d->variant);
    free(d->cdev);
}

void snapshot_done(struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        device_done(&s->devices[i]);
    free(s->devices);
    for (size_t i = 0; i < s->n_names; i++)
        free(s->names[i]);
    free(s->names);
    free(s->registered);
    *s = (struct snapshot){0};
}

/* The index of the first device whose address is not below a. */
static size_t device_position(const struct snapshot *s, struct pci_addr a)
{
    return lower_bound(&a, s->devices, s->n, sizeof(*s->devices), pci_addr_compare);
}

struct device *snapshot_find(const struct snapshot *s, struct pci_addr a)
{
    size_t i = device_position(s, a);

    return i < s->n && pci_addr_cmp(s->devices[i].addr, a) == 0 ? &s->devices[i] : NULL;
}

const char *snapshot_name(struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->n_names; i++)
        if (streq(s->names[i], name))
            return s->names[i];

    char **names = reallocarray(s->names, s->n_names + 1, sizeof(*names));
    if (!names)
        return NULL;
    s->names = names;
    names[s->n_names] = strdup(name);
    return names[s->n_names] ? names[s->n_names++] : NULL;
}

/* Makes the device that the snapshot keeps: its driver name is the snapshot's own. Frees the texts
 * on failure. */
static bool own_device(struct snapshot *s, const struct device *d, struct device *ret)
{
    *ret = *d;
    if (d->driver)
        ret->driver = snapshot_name(s, d->driver);
    if (d->driver && !ret->driver) {
        device_done(ret);
        return false;
    }
    return true;
}

int snapshot_keep(struct snapshot *s, const struct device *d)
{
    struct device copy = *d;
    char **texts[] = {&copy.pf_slot,  &copy.slot,   &copy.serial,  &copy.use, &copy.evidence,
                      &copy.claimant, &copy.module, &copy.variant, &copy.cdev};
    bool copied = true;

    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        const bool there = *texts[i] != NULL;
        *texts[i] = there ? strdup(*texts[i]) : NULL;
        copied = copied && (*texts[i] || !there);
    }
    if (copied)
        return snapshot_put(s, &copy);
    device_done(&copy);
    return -ENOMEM;
}

enum fact snapshot_unknown(const struct snapshot *s, const struct device **ret_device,
                           int *ret_error)
{
    *ret_device = NULL;
    *ret_error = s->unknown.error;
    for (size_t i = 0; i < s->n && s->unknown.fact == FACT_NONE; i++)
        if (s->devices[i].unknown.fact != FACT_NONE) {
            *ret_device = &s->devices[i];
            *ret_error = s->devices[i].unknown.error;
            return s->devices[i].unknown.fact;
        }
    return s->unknown.fact;
}

static int insert(struct snapshot *s, size_t at, const struct device *d)
{
    struct device new;

    if (!own_device(s, d, &new))
        return -ENOMEM;
    if (!grow(&s->devices, &s->allocated, s->n, sizeof(*s->devices))) {
        device_done(&new);
        return -ENOMEM;
    }
    memmove(&s->devices[at + 1], &s->devices[at], (s->n - at) * sizeof(*s->devices));
    s->devices[at] = new;
    s->n++;
    return 0;
}

int snapshot_append(struct snapshot *s, const struct device *d)
{
    return insert(s, s->n, d);
}

void snapshot_sort(struct snapshot *s)
{
    if (s->n > 1)
        qsort(s->devices, s->n, sizeof(*s->devices), pci_addr_compare);
}

int snapshot_put(struct snapshot *s, const struct device *d)
{
    struct device *old = snapshot_find(s, d->addr), new;

    if (!old)
        return insert(s, device_position(s, d->addr), d);
    if (!own_device(s, d, &new))
        return -ENOMEM;
    device_done(old);
    *old = new;
    return 0;
}

void snapshot_remove(struct snapshot *s, struct pci_addr a)
{
    struct device *d = snapshot_find(s, a);

    if (!d)
        return;
    device_done(d);
    s->n--;
    memmove(d, d + 1, (size_t)(&s->devices[s->n] - d) * sizeof(*d));
}

bool snapshot_is_registered(const struct snapshot *s, const char *driver)
{
    for (size_t i = 0; i < s->n_registered; i++)
        if (streq(s->registered[i].name, driver))
            return true;
    return false;
}

uint64_t snapshot_order(const struct snapshot *s, const char *driver)
{
    for (size_t i = 0; i < s->n_registered; i++)
        if (streq(s->registered[i].name, driver))
            return s->registered[i].order;
    return 0;
}

int snapshot_add_registered(struct snapshot *s, const char *driver, uint64_t order)
{
    if (snapshot_is_registered(s, driver))
        return 0;

    const char *name = snapshot_name(s, driver);
    struct registered *registered =
        reallocarray(s->registered, s->n_registered + 1, sizeof(*registered));
    if (registered)
        s->registered = registered;
    if (!registered || !name)
        return -ENOMEM;
    registered[s->n_registered++] = (struct registered){name, order};
    return 0;
}

bool device_can_be_kept(const struct snapshot *s, const struct device *d)
{
    return !d->noiommu && (d->node || (d->cdev && s->iommufd));
}

struct node_text device_group_node(const struct device *d)
{
    struct node_text t = {""};

    if (d->node)
        snprintf(t.s, sizeof(t.s), "/dev/vfio/%s%u", d->noiommu ? "noiommu-" : "", d->group);
    return t;
}

struct node_text device_own_node(const struct device *d)
{
    struct node_text t = {""};

    if (d->cdev)
        snprintf(t.s, sizeof(t.s), "/dev/vfio/devices/%.32s", d->cdev);
    return t;
}

bool driver_is_vfio(const char *driver)
{
    return driver && strstr(driver, "vfio");
}

/* -- text form -- */

static const char *const outlooks[OUTLOOK_MAX] = {
    [OUTLOOK_AWAITED] = "awaited",
    [OUTLOOK_AT_BIND] = "at-bind",
    [OUTLOOK_NO_DRIVER] = "no-driver",
};

/* Slot names come from firmware: whatever would break the form is written as %XX. */
static void write_escaped(FILE *f, const char *key, const char *value)
{
    if (!value)
        return;
    fprintf(f, " %s=", key);
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        fprintf(f, *c <= ' ' || *c == '%' || *c >= 0x7f ? "%%%02x" : "%c", *c);
}

static void write_registered(const struct registered *r, FILE *f)
{
    fprintf(f, "registered %s", r->name);
    if (r->order)
        fprintf(f, " order=%llu", (unsigned long long)r->order);
    fputc('\n', f);
}

static void write_unknown(const struct unknown *u, FILE *f)
{
    if (u->fact != FACT_NONE)
        fprintf(f, " unknown=%s:%d", fact_word(u->fact), u->error);
}

/* What is known of a virtual function, and of a physical one. */
static void write_vf(const struct device *d, FILE *f)
{
    if (pci_addr_cmp(d->pf, (struct pci_addr){0}) != 0)
        fprintf(f, " pf=%s", pci_addr_text(d->pf).s);
    if (d->vf_number > 0)
        fprintf(f, " vf-index=%u", d->vf_number - 1U);
}

static void write_vfs(const struct device *d, FILE *f)
{
    if (d->vfs_max > 0)
        fprintf(f, " vfs-max=%u", d->vfs_max);
    if (d->n_vfs > 0)
        fprintf(f, " vfs=%u", d->n_vfs);
    fputs(d->autoprobe_off ? " autoprobe-off=1" : "", f);
}

int snapshot_write(const struct snapshot *s, FILE *f)
{
    fprintf(f, "snapshot cold-boot=%d unsafe-noiommu=%d", s->cold_boot, s->unsafe_noiommu);
    fputs(s->iommufd ? " iommufd=1" : "", f);
    fputs(s->device_nodes ? " device-nodes=1" : "", f);
    fputs(s->unremapped ? " unremapped=1" : "", f);
    write_unknown(&s->unknown, f);
    fputc('\n', f);
    for (size_t i = 0; i < s->n_registered; i++)
        write_registered(&s->registered[i], f);
    for (size_t i = 0; i < s->n; i++) {
        const struct device *d = &s->devices[i];
        fprintf(f, "device %s id=%04x:%04x subsystem=%04x:%04x class=%06x",
                pci_addr_text(d->addr).s, d->vendor, d->device, d->subvendor, d->subdevice,
                d->class_code);
        write_unknown(&d->unknown, f);
        fputs(d->unidentified ? " unidentified=1" : "", f);
        if (d->detailed) {
            fputs(" detailed=1", f);
            if (d->group != NO_GROUP)
                fprintf(f, " group=%u", d->group);
            write_escaped(f, "iommu", outlooks[d->iommu]);
            fputs(d->bridge ? " bridge=1" : "", f);
            fputs(d->vf ? " vf=1" : "", f);
            write_vf(d, f);
            fputs(d->has_vfs ? " has-vfs=1" : "", f);
            write_vfs(d, f);
            fputs(d->boot_display ? " boot-display=1" : "", f);
            fputs(d->node ? " node=1" : "", f);
            fputs(d->noiommu ? " noiommu=1" : "", f);
            fputs(d->fixed ? " fixed=1" : "", f);
            fputs(d->serial_unread ? " serial-unread=1" : "", f);
            write_escaped(f, "driver", d->driver);
            write_escaped(f, "pf-slot", d->pf_slot);
            write_escaped(f, "slot", d->slot);
            write_escaped(f, "serial", d->serial);
            write_escaped(f, "use", d->use);
            write_escaped(f, "evidence", d->evidence);
            write_escaped(f, "claimant", d->claimant);
            write_escaped(f, "module", d->module);
            write_escaped(f, "variant", d->variant);
            write_escaped(f, "cdev", d->cdev);
        }
        fputc('\n', f);
    }
    return ferror(f) ? -EIO : 0;
}

static bool read_text(const char *value, char **ret)
{
    char *s = malloc(strlen(value) + 1), *t = s;

    if (!s)
        return false;
    for (; *value; value++) {
        unsigned c;
        if (*value == '%' && sscanf(value + 1, "%2x", &c) == 1 && c && value[1] && value[2]) {
            *t++ = (char)c;
            value += 2;
        } else {
            *t++ = *value;
        }
    }
    *t = '\0';
    free(*ret);
    *ret = s;
    return true;
}

static bool read_flag(const char *value, bool *ret)
{
    *ret = streq(value, "1");
    return *ret || streq(value, "0");
}

static bool parse_outlook(const char *value, enum outlook *ret)
{
    int i = word_index(outlooks, OUTLOOK_MAX, value);

    if (i < 0)
        return false;
    *ret = (enum outlook)i;
    return true;
}

static bool parse_ids(const char *value, uint16_t *first, uint16_t *second)
{
    unsigned a, b;
    int n = 0;

    if (sscanf(value, "%4x:%4x%n", &a, &b, &n) != 2 || n != 9 || value[n])
        return false;
    *first = (uint16_t)a;
    *second = (uint16_t)b;
    return true;
}

static bool parse_number(const char *value, int base, uint32_t max, uint32_t *ret)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(value, &end, base);
    if (value[strspn(value, "0123456789abcdef")] || !*value || *end || errno || n > max)
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* "driver:24" */
static bool read_unknown(char *value, struct unknown *ret)
{
    char *number = strchr(value, ':');
    uint32_t error;

    if (!number)
        return false;
    *number++ = '\0';
    for (enum fact f = FACT_NONE + 1; f < FACT_MAX; f++)
        if (streq(value, fact_word(f)) && parse_number(number, 10, 4095, &error) && error > 0) {
            *ret = (struct unknown){f, (int)error};
            return true;
        }
    return false;
}

static bool read_count(const char *value, uint16_t first, uint16_t *ret)
{
    uint32_t n;

    if (!parse_number(value, 10, UINT16_MAX - 1, &n))
        return false;
    *ret = (uint16_t)(n + first);
    return true;
}

/* What is about virtual functions. Returns 1, 0 (the word is none of these) or -EINVAL. */
static int read_vf_word(const char *word, const char *value, struct device *d)
{
    bool good;

    if (streq(word, "vf"))
        good = read_flag(value, &d->vf);
    else if (streq(word, "pf"))
        good = pci_addr_parse(value, &d->pf) == 0;
    else if (streq(word, "vf-index"))
        good = read_count(value, 1, &d->vf_number);
    else if (streq(word, "pf-slot"))
        good = read_text(value, &d->pf_slot);
    else if (streq(word, "has-vfs"))
        good = read_flag(value, &d->has_vfs);
    else if (streq(word, "vfs-max"))
        good = read_count(value, 0, &d->vfs_max);
    else if (streq(word, "vfs"))
        good = read_count(value, 0, &d->n_vfs);
    else if (streq(word, "autoprobe-off"))
        good = read_flag(value, &d->autoprobe_off);
    else
        return 0;
    return good ? 1 : -EINVAL;
}

/* One KEY=VALUE of a device line. *driver keeps its value until the device is put. */
static bool read_word(char *word, struct device *d, char **driver)
{
    char *value = strchr(word, '=');

    if (!value)
        return false;
    *value++ = '\0';
    int r = read_vf_word(word, value, d);
    if (r != 0)
        return r > 0;
    if (streq(word, "id"))
        return parse_ids(value, &d->vendor, &d->device);
    if (streq(word, "subsystem"))
        return parse_ids(value, &d->subvendor, &d->subdevice);
    if (streq(word, "class"))
        return strlen(value) == 6 && parse_number(value, 16, 0xffffff, &d->class_code);
    if (streq(word, "group"))
        return parse_number(value, 10, NO_GROUP - 1, &d->group);
    if (streq(word, "iommu"))
        return parse_outlook(value, &d->iommu);
    if (streq(word, "unknown"))
        return read_unknown(value, &d->unknown);
    if (streq(word, "unidentified"))
        return read_flag(value, &d->unidentified);
    if (streq(word, "detailed"))
        return read_flag(value, &d->detailed);
    if (streq(word, "bridge"))
        return read_flag(value, &d->bridge);
    if (streq(word, "boot-display"))
        return read_flag(value, &d->boot_display);
    if (streq(word, "node"))
        return read_flag(value, &d->node);
    if (streq(word, "noiommu"))
        return read_flag(value, &d->noiommu);
    if (streq(word, "fixed"))
        return read_flag(value, &d->fixed);
    if (streq(word, "serial-unread"))
        return read_flag(value, &d->serial_unread);
    if (streq(word, "driver"))
        return read_text(value, driver);
    if (streq(word, "slot"))
        return read_text(value, &d->slot);
    if (streq(word, "use"))
        return read_text(value, &d->use);
    if (streq(word, "evidence"))
        return read_text(value, &d->evidence);
    if (streq(word, "claimant"))
        return read_text(value, &d->claimant);
    if (streq(word, "module"))
        return read_text(value, &d->module);
    if (streq(word, "variant"))
        return read_text(value, &d->variant);
    if (streq(word, "serial"))
        return read_text(value, &d->serial);
    if (streq(word, "cdev"))
        return read_text(value, &d->cdev);
    return false;
}

/* Has it anything that only a detailed device has? */
static bool has_details(const struct device *d, const char *driver)
{
    return d->group != NO_GROUP || d->iommu != OUTLOOK_NONE || d->bridge || d->vf || d->has_vfs ||
           d->boot_display || d->node || d->noiommu || d->fixed || driver || d->slot || d->serial ||
           d->serial_unread || d->use || d->evidence || d->claimant || d->module || d->variant ||
           d->cdev || d->pf_slot || d->vfs_max || d->n_vfs || d->autoprobe_off || d->vf_number ||
           pci_addr_cmp(d->pf, (struct pci_addr){0}) != 0;
}

static int read_device(struct snapshot *s, char *words)
{
    struct device d = {.group = NO_GROUP};
    CLEANUP_FREE char *driver = NULL;
    char *save = NULL;
    char *word = strtok_r(words, " ", &save);

    if (!word || pci_addr_parse(word, &d.addr) < 0)
        return -EINVAL;
    while ((word = strtok_r(NULL, " ", &save)))
        if (!read_word(word, &d, &driver)) {
            device_done(&d);
            return -EINVAL;
        }
    if (!d.detailed && has_details(&d, driver)) {
        device_done(&d);
        return -EINVAL;
    }
    d.driver = driver;
    return snapshot_put(s, &d);
}

static int read_head(struct snapshot *s, char *words)
{
    char *save = NULL;

    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        const char *value;
        bool good = false;
        if ((value = after_prefix(w, "cold-boot=")))
            good = read_flag(value, &s->cold_boot);
        else if ((value = after_prefix(w, "unsafe-noiommu=")))
            good = read_flag(value, &s->unsafe_noiommu);
        else if ((value = after_prefix(w, "iommufd=")))
            good = read_flag(value, &s->iommufd);
        else if ((value = after_prefix(w, "device-nodes=")))
            good = read_flag(value, &s->device_nodes);
        else if ((value = after_prefix(w, "unremapped=")))
            good = read_flag(value, &s->unremapped);
        else if ((value = after_prefix(w, "unknown=")))
            good = read_unknown(w + (value - w), &s->unknown);
        if (!good)
            return -EINVAL;
    }
    return 0;
}

static int read_registered(struct snapshot *s, char *words)
{
    static char nothing[] = "";
    char *order = strchr(words, ' '), *end = nothing;
    unsigned long long n = 0;

    errno = 0;
    if (order) {
        *order++ = '\0';
        const char *value = after_prefix(order, "order=");
        if (!value || !isdigit((unsigned char)*value))
            return -EINVAL;
        n = strtoull(value, &end, 10);
    }
    return !*words || *end || errno ? -EINVAL : snapshot_add_registered(s, words, n);
}

int snapshot_read(struct snapshot *s, const char *text, unsigned *ret_line)
{
    CLEANUP_FREE char *copy = strdup(text);
    char *rest = copy, *line;

    if (!copy)
        return -ENOMEM;
    for (unsigned n = 1; (line = strsep(&rest, "\n")); n++) {
        int r = -EINVAL;
        if (!*line || *line == '#')
            r = 0;
        else if (after_prefix(line, "snapshot "))
            r = read_head(s, line + strlen("snapshot "));
        else if (after_prefix(line, "registered "))
            r = read_registered(s, line + strlen("registered "));
        else if (after_prefix(line, "device "))
            r = read_device(s, line + strlen("device "));
        if (r < 0) {
            *ret_line = n;
            return r;
        }
    }
    return 0;
}
