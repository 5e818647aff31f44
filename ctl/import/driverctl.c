/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: driverctl's overrides. There is a file for each device, named BUS-DEVICE, which contains
 * the driver. */
#include "import/lines.h"
#include "import/sources.h"

static void retire_override(struct found *f, const char *path)
{
    CLEANUP_FREE char *quoted = found_quoted("/", path);

    found_step(f, STAGE_FILES,
               "# only the files, because \"driverctl unset-override\" would also unbind the "
               "devices; afterwards the package can be removed, too");
    if (quoted)
        found_step(f, STAGE_FILES, "%srm %s", ctl_sudo(), quoted);
    else
        found_step(f, STAGE_FILES, "# remove /%s, by hand for its name", path);
}

/* driverctl reads the whole file, but writes a single line with a name. */
static void see_saved_override(struct found *f, const char *path, const char *name)
{
    const char *word = after_prefix(name, "pci-");
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    struct selection s = {0};
    struct pci_addr a;
    const char *driver = lines_next(&lines);

    if (!text)
        return;
    if (!word || pci_addr_parse(word, &a) < 0) {
        found_remark(f, path, 0, "is not an override of a PCI device");
    } else if (!driver) {
        found_remark(f, path, 0, "is empty, and driverctl ignores it");
    } else if (streq(driver, "none")) {
        found_remark(f, path, lines.first,
                     "keeps all drivers off %s; vfio-bindd has no such rule: \"driver = pci-stub\" "
                     "would come near it",
                     pci_addr_text(a).s);
    } else if (strlen(driver) >= sizeof(s.driver)) {
        found_remark(f, path, lines.first, "has no driver's name");
    } else {
        snprintf(s.address, sizeof(s.address), "%s", pci_addr_text(a).s);
        snprintf(s.driver, sizeof(s.driver), "%s", driver);
        if (found_claim(f, &s, path, lines.first, "driverctl"))
            retire_override(f, path);
    }
}

void import_driverctl(struct found *f)
{
    found_each(f, "etc/driverctl.d", "", see_saved_override);
}
