/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <errno.h>

#include "base/util.h"

unsigned dice_roll(struct dice *d, unsigned n)
{
    /* xorshift64*, after a step that keeps the state from being 0 */
    d->state += 0x9e3779b97f4a7c15U;
    uint64_t x = d->state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return (unsigned)((x ^ x >> 31) % n);
}

bool dice_chance(struct dice *d, unsigned percent)
{
    return dice_roll(d, 100) < percent;
}

/* -- the host -- */

struct function {
    uint16_t vendor, device;
    uint32_t class_code;
    const char *native;
    bool bridge;
};

struct card {
    struct function functions[4];
    unsigned n;
};

static const struct card cards[] = {
    {{{0x10de, 0x20f1, 0x030200, "nvidia", false}}, 1},
    {{{0x10de, 0x1e87, 0x030000, "nouveau", false},
      {0x10de, 0x10f8, 0x040300, "snd_hda_intel", false},
      {0x10de, 0x1ad8, 0x0c0330, "xhci_hcd", false},
      {0x10de, 0x1ad9, 0x0c8000, "nvidia-gpu", false}},
     4},
    {{{0x10de, 0x20f1, 0x030200, "nvidia", false},
      {0x10de, 0x10f8, 0x040300, "snd_hda_intel", false}},
     2},
    {{{0x8086, 0x1572, 0x020000, "i40e", false}, {0x8086, 0x1572, 0x020000, "i40e", false}}, 2},
    {{{0x15b3, 0x101d, 0x020000, "mlx5_core", false}}, 1},
    {{{0x1b36, 0x0010, 0x010802, "nvme", false}}, 1},
    {{{0x1b36, 0x000d, 0x0c0330, "xhci_hcd", false}}, 1},
    {{{0x1b36, 0x0007, 0x080501, "sdhci-pci", false}, {0x1b36, 0x0008, 0x088000, NULL, false}}, 2},
    {{{0x1912, 0x0015, 0x0c0010, "firewire_ohci", false}}, 1},
    {{{0x10ee, 0x9038, 0x120000, "fpga", false}}, 1},
    {{{0x10de, 0x1af1, 0x068000, "nvidia", false}}, 1},
    {{{0x8086, 0x7a84, 0x060100, "lpc_ich", false},
      {0x8086, 0x7ad0, 0x040300, "snd_hda_intel", false},
      {0x8086, 0x7aa3, 0x0c0500, "i801_smbus", false}},
     3},
    {{{0x8086, 0x1901, 0x060400, "pcieport", true}}, 1},
};

static const char *const vfio_drivers[] = {"vfio-pci", "vfio-pci", "mlx5_vfio_pci"};
static const char *const uses[] = {"has the file system mounted on /", "has swap on it",
                                   "is the network interface eth0, which is up"};

static const char *random_driver(struct dice *dice, const struct function *f)
{
    if (f->bridge)
        return dice_chance(dice, 80) ? f->native : "shpchp";
    if (f->class_code >> 16 == 0x06 && f->class_code >> 8 != 0x0680)
        return dice_chance(dice, 50) ? f->native : NULL;
    switch (dice_roll(dice, 8)) {
    case 0:
    case 1:
        return NULL;
    case 2:
    case 3:
        return PICK(dice, vfio_drivers);
    case 4:
        return dice_chance(dice, 30) ? "pci-stub" : "uio_pci_generic";
    default:
        return f->native;
    }
}

static void put(struct snapshot *s, const struct device *d)
{
    if (snapshot_put(s, d) < 0)
        abort();
}

static void add_function(struct dice *dice, struct snapshot *s, const struct function *f,
                         struct pci_addr a, uint32_t group)
{
    static const uint16_t subsystems[] = {0x1463, 0x0001};
    struct device d = {
        .addr = a,
        .vendor = f->vendor,
        .device = f->device,
        .subvendor = f->vendor,
        .subdevice = PICK(dice, subsystems),
        .class_code = f->class_code,
        .detailed = true,
        .bridge = f->bridge,
        .group = group,
        .driver = random_driver(dice, f),
    };
    unsigned base = f->class_code >> 16;
    bool native = d.driver && !driver_is_vfio(d.driver);

    d.boot_display = f->class_code == 0x030000 && dice_chance(dice, 30);
    d.has_vfs = base == 2 && dice_chance(dice, 15);
    if (native && (base == 1 || base == 2) && dice_chance(dice, 40))
        d.use = strdup(PICK(dice, uses));
    if ((d.class_code >> 16 == 0x01 || d.class_code >> 16 == 0x02) && !driver_is_vfio(d.driver) &&
        dice_chance(dice, 15))
        d.evidence = strdup("is in /etc/fstab (/data)");
    d.fixed = native && dice_chance(dice, 4);
    if (dice_chance(dice, 4))
        d.unknown = (struct unknown){FACT_DRIVER, EMFILE};
    if (d.class_code >> 16 == 0x03 && dice_chance(dice, 10))
        d.claimant = strdup("BOOTFB");
    if (snapshot_is_registered(s, "mlx5_vfio_pci") && dice_chance(dice, 10)) {
        d.module = strdup("mlx5_vfio_pci");
        d.variant = strdup("mlx5_vfio_pci");
    }
    if (dice_chance(dice, 80) && asprintf(&d.slot, "%s%u", a.bus & 1 ? "" : "PCIe ", a.bus) < 0)
        abort();
    if (dice_chance(dice, 30) && asprintf(&d.serial, "48-b0-2d-ff-ff-00-00-%02x", a.bus) < 0)
        abort();
    put(s, &d);
}

/* Virtual functions have numbers of their own, and groups of their own as a rule. */
static void add_vfs(struct dice *dice, struct snapshot *s, struct pci_addr pf, uint32_t *group)
{
    static const struct function f = {0x15b3, 0x101e, 0x020000, "mlx5_core", false};
    unsigned n = dice_roll(dice, 3);

    for (unsigned i = 0; i < n; i++) {
        struct pci_addr a = {pf.domain, pf.bus, (uint8_t)(dice_roll(dice, 2)), (uint8_t)(2 + i)};
        if (snapshot_find(s, a))
            continue;
        add_function(dice, s, &f, a, dice_chance(dice, 80) ? ++*group : *group);
        struct device *d = snapshot_find(s, a);
        d->vf = true;
        d->has_vfs = false;
        snapshot_find(s, pf)->has_vfs = true;
    }
}

static void add_card(struct dice *dice, struct snapshot *s, unsigned bus, uint32_t *group)
{
    const struct card *card = &PICK(dice, cards);
    struct pci_addr a = {dice_chance(dice, 5) ? 0x10000 : 0, (uint8_t)bus, 0, 0};
    bool apart = dice_chance(dice, 20); /* each function has a group of its own */

    if (!dice_chance(dice, 25)) /* else it shares the group of the card before */
        ++*group;
    for (unsigned i = 0; i < card->n; i++) {
        a.fn = (uint8_t)i;
        add_function(dice, s, &card->functions[i], a, apart ? ++*group : *group);
    }
    a.fn = 0;
    if (card->functions[0].class_code == 0x020000 && dice_chance(dice, 40))
        add_vfs(dice, s, a, group);
}

/* Without groups the VFIO drivers refuse every device. A virtual IOMMU may still be to come, for
 * all or for some of them. */
static void remove_iommu(struct dice *dice, struct snapshot *s)
{
    enum outlook outlook = (enum outlook)dice_roll(dice, OUTLOOK_MAX);

    for (size_t i = 0; i < s->n; i++) {
        s->devices[i].group = NO_GROUP;
        s->devices[i].iommu = dice_chance(dice, 80) ? outlook : OUTLOOK_NONE;
        if (!s->unsafe_noiommu && driver_is_vfio(s->devices[i].driver))
            s->devices[i].driver = NULL;
    }
}

/* /dev/vfio/GROUP is there where a VFIO driver has a device of the group; on hosts that have only
 * devices' own nodes it never is. Some hosts have both. */
static void set_nodes(struct dice *dice, struct snapshot *s)
{
    bool groups = dice_chance(dice, 85);

    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->n; j++)
            if (groups && s->devices[i].group != NO_GROUP &&
                s->devices[i].group == s->devices[j].group && driver_is_vfio(s->devices[j].driver))
                s->devices[i].node = true;
    s->device_nodes = !groups || dice_chance(dice, 30);
    s->iommufd = s->device_nodes && dice_chance(dice, 70);
    for (size_t i = 0; s->device_nodes && i < s->n; i++)
        if (driver_is_vfio(s->devices[i].driver) && s->devices[i].group != NO_GROUP &&
            !(s->devices[i].cdev = strdup("vfio0")))
            abort();
}

void host_make(struct dice *dice, struct snapshot *s)
{
    static const char *const drivers[] = {"mlx5_vfio_pci", "uio_pci_generic", "pci-stub"};
    unsigned n = 1 + dice_roll(dice, 6);
    uint32_t group = dice_roll(dice, 20);

    s->cold_boot = dice_chance(dice, 30);
    s->unsafe_noiommu = dice_chance(dice, 15);
    if (dice_chance(dice, 4))
        s->unknown = (struct unknown){FACT_LISTING, EIO};
    if (dice_chance(dice, 90) &&
        snapshot_add_registered(s, "vfio-pci", dice_chance(dice, 90) ? 50 : 0) < 0)
        abort();
    for (size_t i = 0; i < ELEMENTS(drivers); i++)
        if (dice_chance(dice, 70) &&
            snapshot_add_registered(s, drivers[i], 1 + dice_roll(dice, 100)) < 0)
            abort();
    for (unsigned i = 0; i < n; i++)
        add_card(dice, s, 1 + i, &group);
    if (dice_chance(dice, 10))
        remove_iommu(dice, s);
    set_nodes(dice, s);
    for (size_t i = 0; i < s->n; i++)
        if (s->devices[i].driver &&
            snapshot_add_registered(s, s->devices[i].driver, 1 + dice_roll(dice, 100)) < 0)
            abort();
}

/* -- the policy -- */

static const struct device *some_device(struct dice *dice, const struct snapshot *s)
{
    return &s->devices[dice_roll(dice, (unsigned)s->n)];
}

static void write_id(struct dice *dice, const struct snapshot *s, FILE *f)
{
    const struct device *d = some_device(dice, s);

    fprintf(f, "id = %04x:", d->vendor);
    if (dice_chance(dice, 25))
        fputs("*\n", f);
    else if (dice_chance(dice, 25))
        fprintf(f, "%04x, %04x:%04x\n", d->device, some_device(dice, s)->vendor,
                some_device(dice, s)->device);
    else
        fprintf(f, "%04x\n", d->device);
}

static void write_address(struct dice *dice, const struct snapshot *s, FILE *f)
{
    const struct pci_addr a = some_device(dice, s)->addr, b = some_device(dice, s)->addr;
    const char *negation = dice_chance(dice, 25) ? "!" : "";

    switch (dice_roll(dice, 4)) {
    case 0:
        fprintf(f, "address = %s%s\n", negation, pci_addr_text(a).s);
        break;
    case 1:
        fprintf(f, "address = %s%04x:%02x:*\n", negation, a.domain, a.bus);
        break;
    case 2:
        fprintf(f, "address = *.%x, !%s\n", a.fn, pci_addr_text(b).s);
        break;
    default:
        fprintf(f, "address = 0000:0[%u-%u]:*\n", dice_roll(dice, 4), 4 + dice_roll(dice, 4));
    }
}

static void write_text_key(struct dice *dice, FILE *f, const char *key, const char *text)
{
    static const char *const globs[] = {"*", "?", "PCIe *", "[1-3]", "48-*", "!*3", "!PCIe *"};

    if (!text || dice_chance(dice, 30))
        text = PICK(dice, globs);
    if (streq(key, "serial") && strspn(text, "0123456789abcdef-*?[]!") != strlen(text))
        text = "*";
    fprintf(f, "%s = %s%s\n", key, *text != '!' && dice_chance(dice, 25) ? "!" : "", text);
}

static void write_narrowing(struct dice *dice, const struct snapshot *s, FILE *f)
{
    static const char *const classes[] = {"03", "0302", "02",     "!03",
                                          "0[", "0c03", "01, 02", "!0403"};
    const struct device *d = some_device(dice, s);

    if (dice_chance(dice, 25))
        write_address(dice, s, f);
    if (dice_chance(dice, 20))
        write_text_key(dice, f, "slot", d->slot);
    if (dice_chance(dice, 8))
        write_text_key(dice, f, "serial", d->serial);
    if (dice_chance(dice, 15))
        fprintf(f, "class = %s\n", PICK(dice, classes));
    if (dice_chance(dice, 10))
        fprintf(f, "subsystem = %s%04x:%04x\n", dice_chance(dice, 30) ? "!" : "", d->subvendor,
                d->subdevice);
}

static void write_doing(struct dice *dice, FILE *f)
{
    static const char *const drivers[] = {"native",          "native",   "auto",    "mlx5_vfio_pci",
                                          "uio_pci_generic", "pci-stub", "vfio-pci"};
    static const char *const groups[] = {"functions", "all", "matched"};
    static const char *const hotplugs[] = {"prevent", "rebind", "off"};

    if (dice_chance(dice, 40))
        fprintf(f, "driver = %s\n", PICK(dice, drivers));
    if (dice_chance(dice, 50))
        fprintf(f, "group = %s\n", PICK(dice, groups));
    if (dice_chance(dice, 30))
        fprintf(f, "hotplug = %s\n", PICK(dice, hotplugs));
    if (dice_chance(dice, 25))
        fputs("force = yes\n", f);
    if (dice_chance(dice, 15))
        fputs("reset-method = flr\n", f);
    if (dice_chance(dice, 15))
        fprintf(f, "interface = %s\n", dice_chance(dice, 50) ? "iommufd" : "group");
    if (dice_chance(dice, 5))
        fprintf(f, "expect = %u\n", dice_roll(dice, 4));
}

char *host_policy(struct dice *dice, const struct snapshot *s)
{
    unsigned n = 1 + dice_roll(dice, 4);
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        abort();
    for (unsigned i = 0; i < n; i++) {
        fprintf(f, "[device r%u]\n", i);
        if (!dice_chance(dice, 20))
            write_id(dice, s, f);
        write_narrowing(dice, s, f);
        write_doing(dice, f);
    }
    fclose(f);
    return text;
}

/* -- the records -- */

/* As a request does, for the whole group. */
static void release_group(const struct snapshot *s, const struct device *d, bool handed_back,
                          struct records *records)
{
    for (size_t i = 0; i < s->n; i++) {
        if (&s->devices[i] != d && (d->group == NO_GROUP || s->devices[i].group != d->group))
            continue;
        struct record *r = records_get(records, s->devices[i].addr);
        r->state = handed_back ? RECORD_RELEASED : RECORD_RELEASING;
        r->error = 0;
        r->fresh = false; /* golden: released-and-back */
        if (r->override == OVERRIDE_OURS)
            r->override = OVERRIDE_MAYBE; /* forgotten, not removed */
    }
}

/* Any state there is; the error that goes with a failure. */
static void add_state(struct dice *dice, struct record *r)
{
    static const int errors[] = {EIO, EBUSY, ENODEV, EINVAL, EACCES, ENOSPC};
    static const enum action_kind kinds[] = {ACTION_OVERRIDE, ACTION_UNBIND, ACTION_BIND,
                                             ACTION_HOLD,     ACTION_CLEAR,  ACTION_PROBE};

    if (dice_chance(dice, 6)) {
        r->state = RECORD_CONTESTED;
    } else if (dice_chance(dice, 6)) {
        r->state = RECORD_UNVERIFIED;
    } else if (dice_chance(dice, 6)) {
        r->state = RECORD_HANDING_BACK;
    } else if (dice_chance(dice, 10)) {
        r->state = RECORD_FAILED;
        r->error = PICK(dice, errors);
        r->failed_at = PICK(dice, kinds);
    }
    r->unnamed = dice_chance(dice, 20);
}

static void add_work(struct dice *dice, struct record *r)
{
    static const enum record_work works[] = {WORK_RUNNING, WORK_RUNNING, WORK_RUNNING_FOR_ANOTHER,
                                             WORK_STUCK,   WORK_STUCK,   WORK_STUCK_FOR_ANOTHER};

    if (dice_chance(dice, 8))
        r->work = PICK(dice, works);
    if (dice_chance(dice, 4))
        r->not_before_usec = 1;
}

static void add_refusal(struct record *r, const struct device *d)
{
    r->past = (struct record_past){.refused = true,
                                   .vendor = d->vendor,
                                   .device = d->device,
                                   .subvendor = d->subvendor,
                                   .subdevice = d->subdevice,
                                   .class_code = d->class_code};
}

static void add_record(struct dice *dice, const struct snapshot *s, const struct device *d,
                       struct records *records)
{
    static const enum record_override overrides[] = {OVERRIDE_NOT_OURS, OVERRIDE_NOT_OURS,
                                                     OVERRIDE_MAYBE, OVERRIDE_OURS, OVERRIDE_OURS};
    struct record *r = records_get(records, d->addr);

    if (driver_is_vfio(d->driver) && dice_chance(dice, 85))
        r->binding = dice_chance(dice, 50) ? BINDING_OURS : BINDING_FOUND;
    else if (dice_chance(dice, 20))
        r->binding = BINDING_CLAIMED;
    r->override = PICK(dice, overrides);
    if (record_is_overridden(r) && record_is_released(r))
        r->override = OVERRIDE_MAYBE;
    if (record_is_overridden(r))
        r->override_text = strdup("vfio-pci");
    r->touched = dice_chance(dice, 30);
    if (dice_chance(dice, 20))
        r->health = dice_chance(dice, 50) ? HEALTH_SUSPECT : HEALTH_DEAD;
    if (dice_chance(dice, 20))
        r->arrival = dice_chance(dice, 70) ? ARRIVAL_UNUSED : ARRIVAL_PLUGGED;
    if (dice_chance(dice, 10))
        add_refusal(r, d);
    if (!record_is_released(r))
        add_state(dice, r);
    add_work(dice, r);
    if (dice_chance(dice, 40))
        r->previous_driver = strdup("nvidia");
    r->fresh = record_is_plugged(r) && dice_chance(dice, 60) && !record_is_released(r);
    r->placeholder = !d->driver && !record_is_overridden(r) && dice_chance(dice, 10);
    if (dice_chance(dice, 12))
        release_group(s, d, dice_chance(dice, 40), records); /* r may be elsewhere now */
}

/* A dynamic ID that fits this device. */
static void add_entry(struct dice *dice, const struct device *d, struct dynids *f)
{
    static const enum dynid_state states[] = {DYNID_OPEN, DYNID_BEGUN, DYNID_ARMED, DYNID_ARMED};
    struct dynid id = {.vendor = d->vendor,
                       .device = dice_chance(dice, 70) ? d->device : DYNID_ANY,
                       .subvendor = DYNID_ANY,
                       .subdevice = DYNID_ANY};

    if (dice_chance(dice, 30)) {
        id.subvendor = d->subvendor;
        id.subdevice = d->subdevice;
    }
    if (dice_chance(dice, 30)) {
        id.class_code = d->class_code;
        id.class_mask = 0xffff00;
    }
    struct dynid_entry *e = dynids_get(f, &id);
    if (!e)
        abort();
    e->state = PICK(dice, states);
    if (e->state != DYNID_OPEN) /* a file of state may lack the order */
        e->added = dice_chance(dice, 95) ? ++f->last_added : 0;
    e->learned = dice_chance(dice, 30);
    e->narrowed = dice_chance(dice, 30);
    e->error = e->state == DYNID_OPEN && dice_chance(dice, 50) ? EINVAL : 0;
}

void host_records(struct dice *dice, const struct snapshot *s, struct records *r)
{
    bool fresh = dice_chance(dice, 30); /* the daemon has just been started */

    for (size_t i = 0; i < s->n; i++)
        if (!fresh && dice_chance(dice, 60))
            add_record(dice, s, &s->devices[i], r);
    r->iommu_given_up = dice_chance(dice, 30);
    r->dynids.order = snapshot_order(s, DYNID_DRIVER);
    for (size_t i = 0; i < s->n && !fresh && r->dynids.order; i++)
        if (dice_chance(dice, 10))
            add_entry(dice, &s->devices[i], &r->dynids);
    for (size_t i = 0; i < r->n; i++)
        if (dice_chance(dice, 30))
            r->v[i].offer = dice_chance(dice, 50) ? OFFER_DUE : OFFER_OWED;
}
