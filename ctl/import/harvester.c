/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: Harvester. Its configuration is in the cluster, as PCIDeviceClaims. The host has only
 * cloud-init's files in /oem, which generate others at each boot. (/oem/grubenv belongs to the boot
 * loader.) */
#include "import/ids.h"
#include "import/lines.h"
#include "import/sources.h"

/* Returns whether the line contains such a kernel parameter. */
static bool claim_in_line(struct found *f, const char *line, const char *path, unsigned number)
{
    struct ids_found ids;
    bool found = false;

    for (size_t i = 0; i < IDS_MODULES; i++) {
        char what[40];
        if (!ids_find(line, ids_modules[i], &ids))
            continue;
        snprintf(what, sizeof(what), "Harvester, %s.ids=", ids_modules[i]);
        ids_claim(f, ids.value, &(struct ids_place){ids_modules[i], path, number, what, false});
        found = true;
    }
    return found;
}

/* The files are YAML with whole files inside. A line that claims devices has the same form
 * there. */
static void see_oem_file(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    bool ours = false;
    char *line;
    (void)name;

    while ((line = lines_next(&lines))) {
        line += strspn(line, "- \t");
        bool found = claim_in_line(f, line, path, lines.first);
        if (!found && strstr(line, "ATTR{driver_override}"))
            import_udev_line(f, path, lines.first, line);
        else if (!found && strstr(line, "driver_override"))
            found_remark(f, path, lines.first,
                         "a command that writes driver_override: write a rule for its device");
        else if (!found && !import_options_line(f, path, lines.first, line))
            continue;
        ours = true;
    }
    if (ours)
        found_step(f, STAGE_FILES,
                   "# take out of /%s what the remarks and origins above name; Harvester keeps "
                   "copies in /oem/install",
                   path);
}

static bool is_harvester(struct found *f)
{
    return tree_exists(&f->tree, "etc/harvester-release.yaml") ||
           tree_exists(&f->tree, "oem/harvester.config");
}

void import_harvester(struct found *f)
{
    found_each(f, "oem", ".yaml", see_oem_file);
    f->harvester = is_harvester(f);
    if (!f->harvester)
        return;
    found_remark(f, "oem", 0,
                 "this is a node of Harvester. Its PCIDeviceClaims are in the cluster and cannot "
                 "be read here: \"kubectl get pcideviceclaims.devices.harvesterhci.io -o yaml\" "
                 "lists them; for each with this node's name write a rule with its address");
    found_remark(f, "oem", 0,
                 "leave the claims: a device that is bound already is all they ask for. Whoever "
                 "deletes one has the device unbound, and when Harvester's pcidevices-controller "
                 "starts it unbinds what is on vfio-pci without a claim");
}
