/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: DPDK and SPDK: Debian's /etc/dpdk/interfaces, which dpdk.service binds at boot, and the
 * administrator's services that call dpdk-devbind.py or SPDK's setup.sh. */
#include "import/lines.h"
#include "import/sources.h"

#define INTERFACES "etc/dpdk/interfaces"

/* Converts the driver and the address to the form of rules; returns false if the device is given by
 * its interface. */
static bool make_selection(const char *address, const char *driver, struct selection *ret)
{
    struct pci_addr a;

    if (pci_addr_parse(address, &a) < 0 || strlen(driver) >= sizeof(ret->driver))
        return false;
    snprintf(ret->address, sizeof(ret->address), "%s", pci_addr_text(a).s);
    snprintf(ret->driver, sizeof(ret->driver), "%s", driver);
    return true;
}

/* -- Debian's list: "pci 0000:04:00.0 vfio-pci" -- */

static void see_interface(struct found *f, unsigned line, char *text)
{
    const char *bus = lines_word(&text), *address = lines_word(&text), *driver = lines_word(&text);
    struct selection s = {0};

    if (!bus || !address || !driver) {
        found_remark(f, INTERFACES, line, "is incomplete, and dpdk.service ignores it");
        return;
    }
    if (!streq(bus, "pci") || !make_selection(address, driver, &s)) {
        found_remark(f, INTERFACES, line, "does not name a PCI device by address");
        return;
    }
    if (found_claim(f, &s, INTERFACES, line, "dpdk.service"))
        found_edit(f, INTERFACES, "%ssed -i '/^[ \\t]*pci[ \\t]*%s[ \\t]/s/^/# /' /%s", ctl_sudo(),
                   address, INTERFACES);
}

/* -- services -- */

/* "-b vfio-pci", "--bind=vfio-pci" and the devices after it */
static void see_devbind(struct found *f, const char *path, unsigned line, char *at)
{
    const char *driver = NULL, *word;
    bool claimed = false;

    while ((word = lines_word(&at))) {
        struct selection s = {0};
        const char *value = after_prefix(word, "--bind=");
        if (value)
            driver = value;
        else if (streq(word, "-b") || streq(word, "--bind"))
            driver = lines_word(&at);
        else if (*word == '-' || !driver)
            continue;
        else if (make_selection(word, driver, &s))
            claimed = found_claim(f, &s, path, line, "dpdk-devbind.py") || claimed;
        else
            found_remark(f, path, line,
                         "binds %s by a name other than its address: write a rule for it", word);
    }
    if (claimed)
        found_step(f, STAGE_FILES,
                   "# /%s:%u: take dpdk-devbind.py out, or disable the service if it does nothing "
                   "else",
                   path, line);
}

static void see_service_line(struct found *f, const char *path, unsigned line, char *text)
{
    char *tool = strstr(text, "dpdk-devbind");

    if (tool)
        see_devbind(f, path, line, tool);
    else if (strstr(text, "spdk") && strstr(text, "setup.sh") && !strstr(text, "setup.sh reset") &&
             !strstr(text, "setup.sh status"))
        found_remark(f, path, line,
                     "SPDK's setup.sh binds every NVMe disk and I/OAT engine that nothing uses, or "
                     "those in PCI_ALLOWED: write rules for them by address, and call it with "
                     "PCI_ALLOWED=none for the huge pages alone");
}

static void see_service(struct found *f, const char *path, const char *name)
{
    CLEANUP_FREE char *text = found_read(f, path);
    struct lines lines = lines_of(text);
    char *line;
    (void)name;

    while (text && (line = lines_next(&lines)))
        if (after_prefix(line, "Exec"))
            see_service_line(f, path, lines.first, line);
}

void import_dpdk(struct found *f)
{
    CLEANUP_FREE char *text = found_read(f, INTERFACES);
    struct lines lines = lines_of(text);
    char *line;

    found_each(f, "etc/systemd/system", ".service", see_service);
    while (text && (line = lines_next(&lines)))
        see_interface(f, lines.first, line);
}
