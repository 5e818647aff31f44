/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <errno.h>

#include "base/util.h"

static const struct device *some_physical(struct dice *dice, const struct snapshot *s)
{
    const struct device *found[64];
    unsigned n = 0;

    for (size_t i = 0; i < s->n && n < ELEMENTS(found); i++)
        if (s->devices[i].vfs_max > 0 ||
            (s->devices[i].addr.fn == 0 && !s->devices[i].vf && dice_chance(dice, 15)))
            found[n++] = &s->devices[i];
    return n > 0 ? found[dice_roll(dice, n)] : NULL;
}

void host_add_sriov(struct dice *dice, struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct device *pf = &s->devices[i];
        if (pf->vf || pf->bridge || pf->class_code >> 16 != 0x02 || !dice_chance(dice, 80))
            continue;
        pf->vfs_max = (uint16_t)(2 + dice_roll(dice, 4));
        pf->autoprobe_off = dice_chance(dice, 40);
        for (size_t k = 0; k < s->n; k++) {
            struct device *vf = &s->devices[k];
            if (!vf->vf || vf->addr.bus != pf->addr.bus || vf->addr.domain != pf->addr.domain ||
                vf->pf.bus != 0)
                continue;
            vf->pf = pf->addr;
            vf->vf_number = ++pf->n_vfs;
            vf->pf_slot = pf->slot ? strdup(pf->slot) : NULL;
        }
        pf->has_vfs = pf->n_vfs > 0;
    }
}

char *host_vfs_policy(struct dice *dice, const struct snapshot *s, char *rules)
{
    const struct device *pf = some_physical(dice, s);
    const bool first = dice_chance(dice, 60);
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        abort();
    fputs(first ? "" : rules, f);
    if (pf && dice_chance(dice, 80))
        fprintf(f, "[device pf]\n%s = %s\nvfs = %u\n", "address", pci_addr_text(pf->addr).s,
                dice_roll(dice, 7));
    if (pf && dice_chance(dice, 25))
        fprintf(f, "[device pf-again]\nid = %04x:*\naddress = %s\nvfs = %u\n", pf->vendor,
                pci_addr_text(pf->addr).s, dice_roll(dice, 4));
    if (pf && dice_chance(dice, 60))
        fprintf(f, "[device vfs]\nvf-of = %s\n%s%s", pci_addr_text(pf->addr).s,
                dice_chance(dice, 30) ? "vf-index = 0, 2-3\n" : "",
                dice_chance(dice, 25) ? "driver = native\n" : "");
    fputs(first ? rules : "", f);
    fclose(f);
    free(rules);
    return text;
}

void host_vfs_records(struct dice *dice, const struct snapshot *s, struct records *records)
{
    static const int errors[] = {EBUSY, ENOSPC, ENOENT};

    for (size_t i = 0; i < s->n; i++) {
        const struct device *d = &s->devices[i];
        struct record *r =
            d->vfs_max > 0 && dice_chance(dice, 60) ? records_get(records, d->addr) : NULL;
        if (!r)
            continue;
        r->vfs.made =
            (uint16_t)(dice_chance(dice, 60) ? d->n_vfs + dice_roll(dice, 2) : dice_roll(dice, 5));
        r->vfs.autoprobe_off = dice_chance(dice, 60);
        r->vfs.tried = dice_chance(dice, 50);
        r->vfs.released = dice_chance(dice, 10);
        if (dice_chance(dice, 15))
            r->vfs.error = PICK(dice, errors);
    }
}
