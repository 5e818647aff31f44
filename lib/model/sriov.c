/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sriov.h"

#include "base/util.h"

bool sriov_is_vf_of(const struct device *vf, const struct device *pf)
{
    return vf->vf && pci_addr_cmp(vf->pf, pf->addr) == 0;
}

const struct device *sriov_next_vf(const struct snapshot *s, const struct device *pf, size_t *i)
{
    while (!pf->vf && *i < s->n) {
        const struct device *d = &s->devices[(*i)++];
        if (sriov_is_vf_of(d, pf))
            return d;
    }
    return NULL;
}

char *sriov_vfs_text(const struct snapshot *s, const struct device *pf)
{
    const struct device *vf;
    size_t n = 0, used = 0;

    for (size_t i = 0; sriov_next_vf(s, pf, &i);)
        n++;
    const size_t size =
        n * PCI_ADDR_MAX + 1; /* each address is followed by a blank or the final NUL */
    char *text = calloc(1, size);
    for (size_t i = 0; text && (vf = sriov_next_vf(s, pf, &i));)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "",
                                 pci_addr_text(vf->addr).s);
    return text;
}
