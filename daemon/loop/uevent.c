/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/uevent.h"

#include "base/util.h"
#include "host/viommu.h"

bool uevent_read(const char *action, const char *sysname, const char *synth_uuid,
                 const char *error_event, enum hotplug_action *ret_action,
                 struct pci_addr *ret_addr)
{
    static const char *const words[] = {[HOTPLUG_ADD] = "add",
                                        [HOTPLUG_REMOVE] = "remove",
                                        [HOTPLUG_BIND] = "bind",
                                        [HOTPLUG_UNBIND] = "unbind"};
    struct pci_addr a;

    if (!action || !sysname || synth_uuid || pci_addr_parse(sysname, &a) < 0)
        return false;
    int i = word_index(words, ELEMENTS(words), action);
    /* sent by pci_uevent_ers() when the recovery from an error has failed */
    bool failed = streq(action, "change") && error_event && streq(error_event, "FAILED_RECOVERY");
    if (i < 0 && !failed)
        return false;
    *ret_action = failed ? HOTPLUG_DOUBT : (enum hotplug_action)i;
    *ret_addr = a;
    return true;
}

bool uevent_is_iommu(const char *action, const char *subsystem, const char *driver)
{
    return action && subsystem && driver && streq(action, "bind") && streq(subsystem, "virtio") &&
           streq(driver, VIOMMU_MODULE);
}

bool uevent_is_driver(const char *subsystem, const char *devpath)
{
    return subsystem && devpath && streq(subsystem, "drivers") &&
           after_prefix(devpath, "/bus/pci/drivers/");
}
