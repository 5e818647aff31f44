/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expected.h"

#include "base/util.h"

/* How a device is left after a fault that no real kernel has: a write that reports success and does
 * nothing, or an ENODEV for a device that is there. No rule names these devices, so the daemon does
 * not look at them again. */
#define PLACEHOLDER "there driver= override=vfio-bindd-placeholder"
#define KEPT "there driver=vfio-pci override=as-bound node; shown: nothing"
#define LEFT "there driver=nvidia override=vfio-pci; shown: nothing"
/* Once 0 was written, those that are there are somebody else's. */
#define VFS_LEFT "vfs=2 autoprobe=0; shown: nothing"
#define OVERRIDDEN "there driver= override=pci-stub; shown: nothing"

/* The override was refused, so that nothing was done to the device. It had no driver before. */
#define UNTOUCHED "there driver= override=; shown: nothing"

static const struct {
    const char *script, *variant; /* NULL: no fault; "*": any fault, and at least one */
    const char *text;             /* part of what the run says */
    bool rare;                    /* it depends on the moment, and may pass as well */
} expected[] = {
    {"identical", "ENODEV", PLACEHOLDER, .rare = false},
    {"identical", "ENODEV-once", PLACEHOLDER, .rare = false},
    {"identical", "no-effect", PLACEHOLDER, .rare = false},
    {"dropped", "no-effect", KEPT, .rare = false},
    {"dropped-vfs", "no-effect", VFS_LEFT, .rare = false},
    {"rebound", "no-effect", KEPT, .rare = true},
    {"unstubbed", "no-effect", OVERRIDDEN, .rare = false},
    {"unstubbed", ANY_VARIANT, UNTOUCHED, .rare = true},
    /* Two writers wait for a device's lock. The first of them, from before a SIGKILL, is the last
     * to get it. The kernel's mutex lets them in in their order. */
    {"rebound", "kill-waiting", LEFT, .rare = true},
};

static bool is_entry(size_t i, const char *script, const char *variant)
{
    return streq(expected[i].script, script) && streq_null(expected[i].variant, variant);
}

bool is_expected(const char *script, const char *variant, const char *problem)
{
    for (size_t i = 0; i < ELEMENTS(expected); i++)
        if ((is_entry(i, script, variant) || (variant && is_entry(i, script, ANY_VARIANT))) &&
            strstr(problem, expected[i].text))
            return true;
    return false;
}

bool is_listed(const char *script, const char *variant)
{
    for (size_t i = 0; i < ELEMENTS(expected); i++)
        if (is_entry(i, script, variant) && !expected[i].rare)
            return true;
    return false;
}
