/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool pci_id_of_modalias(const char *modalias, struct pci_id *ret)
{
    unsigned base, sub, interface;
    struct pci_id id = {0};

    if (sscanf(modalias, "pci:v%8Xd%8Xsv%8Xsd%8Xbc%2Xsc%2Xi%2X", &id.vendor, &id.device,
               &id.subvendor, &id.subdevice, &base, &sub, &interface) != 7)
        return false;
    id.class_code = base << 16 | sub << 8 | interface;
    *ret = id;
    return true;
}

static bool field_fits(uint32_t wanted, uint32_t found)
{
    return wanted == ANY_ID || wanted == found;
}

bool pci_id_fits(const struct pci_id *entry, const struct pci_id *device)
{
    return field_fits(entry->vendor, device->vendor) && field_fits(entry->device, device->device) &&
           field_fits(entry->subvendor, device->subvendor) &&
           field_fits(entry->subdevice, device->subdevice) &&
           ((entry->class_code ^ device->class_code) & entry->class_mask) == 0;
}

int pci_id_parse(const char *text, struct pci_id *ret, unsigned long *ret_data)
{
    struct pci_id id = {.subvendor = ANY_ID, .subdevice = ANY_ID};
    unsigned long data = 0;
    int fields = sscanf(text, "%x %x %x %x %x %x %lx", &id.vendor, &id.device, &id.subvendor,
                        &id.subdevice, &id.class_code, &id.class_mask, &data);

    *ret = id;
    *ret_data = data;
    return fields < 0 ? 0 : fields;
}

int dynamic_add(struct kernel_driver *d, const struct pci_id *id)
{
    if (d->n_ids == KERNEL_IDS_MAX)
        return -ENOMEM;
    d->ids[d->n_ids++] = *id;
    return 0;
}

int dynamic_remove(struct kernel_driver *d, const struct pci_id *id)
{
    for (size_t i = 0; i < d->n_ids; i++) {
        const struct pci_id *e = &d->ids[i];
        if (e->vendor != id->vendor || e->device != id->device ||
            !field_fits(id->subvendor, e->subvendor) || !field_fits(id->subdevice, e->subdevice) ||
            ((e->class_code ^ id->class_code) & id->class_mask))
            continue;
        memmove(&d->ids[i], &d->ids[i + 1], (--d->n_ids - i) * sizeof(*e));
        return 0;
    }
    return -ENODEV;
}
