/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static int number_or(const char *text, int otherwise)
{
    return text[strspn(text, "0123456789")] || !*text ? otherwise : atoi(text);
}

bool inventory_read(FILE *f, struct inventory *ret)
{
    char line[256], group[16], slot[16];
    unsigned major, minor;

    *ret = (struct inventory){0};
    if (!fgets(line, sizeof(line), f) || sscanf(line, "kernel %u.%u", &major, &minor) != 2)
        return false;
    ret->version = KERNEL(major, minor);
    while (fgets(line, sizeof(line), f)) {
        struct item *i = &ret->v[ret->n];
        if (ret->n == KERNEL_DEVICES_MAX ||
            sscanf(line, "%15s %15s %79s %15s %15s %63s", i->name, i->address, i->modalias, group,
                   slot, i->driver) != 6)
            return false;
        i->group = strcmp(group, "new") == 0 ? NEW_GROUP : number_or(group, NO_IOMMU);
        i->slot = number_or(slot, NO_SLOT);
        if (*i->driver == '-')
            *i->driver = '\0';
        ret->n++;
    }
    return true;
}

void inventory_print(const struct inventory *inventory)
{
    printf("kernel %u.%u\n", inventory->version / 1000, inventory->version % 1000);
    for (size_t i = 0; i < inventory->n; i++) {
        const struct item *item = &inventory->v[i];
        char group[16] = "-", slot[16] = "-";
        if (item->group != NO_IOMMU)
            snprintf(group, sizeof(group), "%d", item->group);
        if (item->slot != NO_SLOT)
            snprintf(slot, sizeof(slot), "%d", item->slot);
        printf("%s %s %s %s %s %s\n", item->name, item->address, item->modalias,
               item->group == NEW_GROUP ? "new" : group, slot, *item->driver ? item->driver : "-");
    }
}

const struct item *inventory_named(const struct inventory *inventory, const char *name)
{
    for (size_t i = 0; i < inventory->n; i++)
        if (*inventory->v[i].name != '-' && strcmp(inventory->v[i].name, name) == 0)
            return &inventory->v[i];
    return NULL;
}

const struct item *inventory_at(const struct inventory *inventory, const char *address)
{
    for (size_t i = 0; i < inventory->n; i++)
        if (strcmp(inventory->v[i].address, address) == 0)
            return &inventory->v[i];
    return NULL;
}
