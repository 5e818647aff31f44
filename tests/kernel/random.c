/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random scripts. Only drivers that take whatever they are given meet devices that are not theirs:
 * what others say of such a device is their own affair. */
#include "script.h"

#include <string.h>

#define OPERATIONS 30

static const char *const takers[] = {"vfio-pci",     "pci-stub",   "nvidia",
                                     "lab-vfio-pci", "lab-sealed", "lab-fails"};
static const char *const modules[] = {"vfio_pci",     "nvidia",     "snd_hda_intel",
                                      "lab_vfio_pci", "lab_sealed", "lab_fails",
                                      "lpc_ich",      "i2c_i801",   "ahci"};
static const char *const odd[] = {"", "\\n", "\\s", "nobody", "\\0", "vfio-pci\\nnvidia"};
static const char *const class_fields[] = {"30200 ffff00", "30000 ff0000", "40300 ffffff", "0 0",
                                           "30200 ffffffff"};
/* The native driver of a device, by the beginning of its name. */
static const struct {
    const char *device, *driver;
} natives[] = {
    {"gpu", "nvidia"},       {"audio", "snd_hda_intel"}, {"lpc", "lpc_ich"},    {"sata", "ahci"},
    {"smbus", "i801_smbus"}, {"port", "pcieport"},       {"above", "pcieport"},
};

#define PICK(a, s) ((a)[next(s) % (sizeof(a) / sizeof((a)[0]))])

/* A generator that is the same everywhere (splitmix64). */
static unsigned next(uint64_t *s)
{
    uint64_t z = (*s += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (unsigned)((z ^ (z >> 31)) >> 33);
}

/* GPUs more often than others. */
static const struct item *pick_device(const struct inventory *inventory, uint64_t *s)
{
    for (;;) {
        const struct item *item = &inventory->v[next(s) % inventory->n];
        if (*item->name != '-' && (item->slot != NO_SLOT || next(s) % 3 == 0))
            return item;
    }
}

static const char *native_of(const struct item *item)
{
    for (size_t i = 0; i < sizeof(natives) / sizeof(natives[0]); i++)
        if (strncmp(item->name, natives[i].device, strlen(natives[i].device)) == 0)
            return natives[i].driver;
    return "nobody";
}

static const char *pick_driver(const struct item *item, uint64_t *s)
{
    return next(s) % 3 == 0 ? native_of(item) : PICK(takers, s);
}

static void print_override(const struct inventory *inventory, uint64_t *s, FILE *out)
{
    const struct item *item = pick_device(inventory, s);
    const char *text = next(s) % 4 == 0 ? PICK(odd, s) : pick_driver(item, s);

    fprintf(out, "override %s%s%s\n", item->name, *text ? " " : "", text);
}

/* Two to seven fields, which fit the device. */
static void print_fields(const struct inventory *inventory, uint64_t *s, FILE *out)
{
    struct pci_id id;

    if (!pci_id_of_modalias(pick_device(inventory, s)->modalias, &id))
        return;
    unsigned fields = 2 + next(s) % 6;
    fprintf(out, " %x %x", id.vendor, next(s) % 4 == 0 ? ANY_ID : id.device);
    if (fields >= 3)
        fprintf(out, " %x", next(s) % 2 ? ANY_ID : id.subvendor);
    if (fields >= 4)
        fprintf(out, " %x", next(s) % 2 ? ANY_ID : id.subdevice);
    if (fields == 5)
        fprintf(out, " %x", id.class_code);
    if (fields >= 6)
        fprintf(out, " %s", PICK(class_fields, s));
    if (fields == 7)
        fprintf(out, " %x", next(s) % 8 == 0);
}

static void print_ids(const struct inventory *inventory, const char *what, uint64_t *s, FILE *out)
{
    fprintf(out, "%s %s", what, next(s) % 2 ? "vfio-pci" : PICK(takers, s));
    print_fields(inventory, s, out);
    fputc('\n', out);
}

static void print_bind(const struct inventory *inventory, const char *what, uint64_t *s, FILE *out)
{
    const struct item *item = pick_device(inventory, s);

    fprintf(out, "%s %s %s\n", what, pick_driver(item, s), item->name);
}

/* What is most used: an override, and a bind to it. */
static void print_both(const struct inventory *inventory, uint64_t *s, FILE *out)
{
    const struct item *item = pick_device(inventory, s);
    const char *driver = pick_driver(item, s);

    fprintf(out, "override %s %s\nbind %s %s\nviable %s\n", item->name, driver, driver, item->name,
            item->name);
}

static void print_claim(const struct inventory *inventory, uint64_t *s, FILE *out)
{
    fprintf(out, "claim %s\n", pick_device(inventory, s)->name);
    print_bind(inventory, "bind", s, out);
    fprintf(out, "probe %s\nunclaim\n", pick_device(inventory, s)->name);
}

static void print_operation(const struct inventory *inventory, uint64_t *s, FILE *out)
{
    switch (next(s) % 16) {
    case 0:
    case 1:
        print_override(inventory, s, out);
        break;
    case 2:
        print_bind(inventory, "bind", s, out);
        break;
    case 3:
    case 4:
        print_bind(inventory, "unbind", s, out);
        break;
    case 5:
        fprintf(out, "probe %s\n", pick_device(inventory, s)->name);
        break;
    case 6:
    case 7:
        print_ids(inventory, "new_id", s, out);
        break;
    case 8:
        print_ids(inventory, "remove_id", s, out);
        break;
    case 9:
    case 10:
        fprintf(out, "load %s\n", PICK(modules, s));
        break;
    case 11:
        fprintf(out, "unload %s\n", PICK(modules, s));
        break;
    case 12:
        fprintf(out, "plug %u\n", 1 + next(s) % 3);
        break;
    case 13:
        fprintf(out, "unplug %u\n", 1 + next(s) % 3);
        break;
    case 14:
        print_both(inventory, s, out);
        break;
    case 15:
        print_claim(inventory, s, out);
        break;
    }
}

void script_random(unsigned seed, const struct inventory *inventory, FILE *out)
{
    uint64_t s = seed;

    fprintf(out, "plug 1\nplug 2\nload vfio_pci\nload pci_stub\n");
    for (int i = 0; i < OPERATIONS; i++)
        print_operation(inventory, &s, out);
    fprintf(out, "show\n");
}
