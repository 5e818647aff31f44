/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: selected devices, their IOMMU groups and nodes, their BARs. */
#include "check/devices.h"

#include <errno.h>
#include <pci/pci.h>

#include "check/boot.h"
#include "check/files.h"
#include "check/parts.h"
#include "host/bar-addresses.h"
#include "host/bars.h"
#include "model/kinds.h"
#include "plan/counts.h"

static bool is_in_state(const struct row *r, enum device_state state)
{
    return r->selected && streq(r->state, state_word(state));
}

bool check_is_taken(const struct row *r)
{
    return is_in_state(r, STATE_BOUND) || is_in_state(r, STATE_PENDING);
}

/* -- states -- */

static void remedy_of_state(struct check *c, const struct row *r)
{
    const char *sudo = ctl_sudo(), *address = pci_addr_text(r->d->addr).s;

    if (is_in_state(r, STATE_RELEASED))
        check_remedy(c, "%svfio-bindctl bind %s", sudo, address);
    else if (is_in_state(r, STATE_REFUSED))
        check_remedy(c, "vfio-bindctl explain %s && %svfio-bindctl edit", address, sudo);
    else if (is_in_state(r, STATE_STUCK))
        check_remedy(c, "vfio-bindctl show %s", address);
    else if (c->s->this_host && is_in_state(r, STATE_PENDING))
        check_remedy(c, "vfio-bindctl wait; vfio-bindctl show %s", address);
    else
        check_remedy(c, "vfio-bindctl explain %s; %ssystemctl reload vfio-bindd", address, sudo);
}

/* Is the device in order? It is if vfio-bindd has bound it, or would bind it at its next start. */
static bool is_well(const struct check *c, const struct row *r)
{
    return is_in_state(r, STATE_BOUND) || (is_in_state(r, STATE_PENDING) && !c->s->live.running);
}

/* All devices with the same remedy share a finding. */
static void say_bad_state(struct check *c, const struct row *r)
{
    bool mild = is_in_state(r, STATE_RELEASED) || is_in_state(r, STATE_PENDING);
    struct pci_addr leader = r->comes_along ? r->leader : r->d->addr;
    const char *use = r->d->use ? r->d->use : r->d->evidence;
    char cause[400];

    /* A released card has a bind command of its own, and each use of a device a remedy of its
     * own. */
    snprintf(cause, sizeof(cause), "%s %s %s %s", r->state, r->reason, r->rule,
             is_in_state(r, STATE_RELEASED) ? pci_addr_text(leader).s
             : use                          ? use
                                            : "");
    if (check_joins(c, "device", cause, r->d->addr))
        return;
    /* What fstab names so that it can be found early is evidence, and refused then. */
    bool lost_at_boot =
        is_in_state(r, STATE_BUSY) && device_may_carry_host(r->d) && !r->d->evidence;
    check_add(c, mild ? FINDING_WARN : FINDING_FAIL, "device", "%s%s", r->sentence,
              lost_at_boot ? ". The next boot takes it unless it is in use so early" : "");
    check_concerns(c, cause, r->d->addr);
    remedy_of_state(c, r);
}

static void check_states(struct check *c)
{
    struct device_counts all = {0}, bound = {0};
    size_t pending = 0, bad = 0;
    char text[COUNTS_TEXT_MAX];

    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (!r->selected)
            continue;
        counts_add(&all, r->d->addr, r->comes_along, r->leader);
        if (is_in_state(r, STATE_BOUND))
            counts_add(&bound, r->d->addr, r->comes_along, r->leader);
        pending += is_in_state(r, STATE_PENDING);
        if (is_well(c, r))
            continue;
        bad++;
        say_bad_state(c, r);
    }
    counts_part_text(counts_total(&bound) > 0 ? &bound : &all, &all, text);
    if (bad == 0 && pending > 0 && counts_total(&bound) == 0)
        check_add(c, FINDING_OK, "device", "none is bound yet; vfio-bindd will bind %s", text);
    else if (bad == 0 && pending > 0)
        check_add(c, FINDING_OK, "device", "%s are bound; vfio-bindd will bind the rest", text);
    else if (bad == 0 && counts_total(&all) > 0)
        check_add(c, FINDING_OK, "device", "%s %s bound", text,
                  counts_total(&all) == 1 ? "is" : "are");
}

/* -- groups and their nodes -- */

struct group_check {
    uint32_t group;
    const struct row *wanted;    /* the first member that is bound or will be */
    const struct row *hindrance; /* the first that prevents the group from being viable */
    const struct row *nodeless;  /* the first on a VFIO driver without /dev/vfio/GROUP */
};

static int rows_by_group(const void *x, const void *y)
{
    const struct row *a = *(const struct row *const *)x, *b = *(const struct row *const *)y;

    if (a->d->group != b->d->group)
        return a->d->group < b->d->group ? -1 : 1;
    return pci_addr_cmp(a->d->addr, b->d->addr);
}

static void say_hindered(struct check *c, const struct group_check *g)
{
    const struct row *h = g->hindrance;
    struct pci_addr_text address = pci_addr_text(h->d->addr);
    bool alone = device_is_bridge(h->d) || h->selected; /* the remedy names this device */
    char cause[160];

    snprintf(cause, sizeof(cause), "hindered %s %s", g->wanted->rule, alone ? address.s : "");
    if (check_joins(c, "group", cause, g->wanted->d->addr))
        return;
    check_add(c, FINDING_FAIL, "group",
              "IOMMU group %u of %s is not viable: %s (%04x:%04x) of the same group %s %s",
              g->group, pci_addr_text(g->wanted->d->addr).s, address.s, h->d->vendor, h->d->device,
              h->selected ? "cannot be taken and is on" : "stays on", h->driver);
    check_concerns(c, cause, g->wanted->d->addr);
    if (device_is_bridge(h->d))
        check_remedy(c,
                     "echo %s > /sys/bus/pci/drivers/%s/unbind   # only if the host can do without "
                     "it; else put the card into another slot (behind a port with ACS)",
                     address.s, h->driver);
    else if (h->selected)
        check_remedy(c, "vfio-bindctl explain %s", address.s);
    else
        check_remedy(c, "%svfio-bindctl edit   # set \"group = all\" in [device %s]", ctl_sudo(),
                     g->wanted->rule);
}

static void say_nodeless(struct check *c, const struct group_check *g)
{
    struct pci_addr a = g->nodeless->d->addr;
    char path[48];

    snprintf(path, sizeof(path), "dev/vfio/noiommu-%u", g->group);
    bool without = check_exists(c, path);
    const char *cause = without ? "without an IOMMU" : "without a node";
    if (check_joins(c, "node", cause, a))
        return;
    if (without) {
        check_add(c, FINDING_FAIL, "node",
                  "%s is bound without an IOMMU (/%s): no virtual machine can have it",
                  pci_addr_text(a).s, path);
        check_remedy(c, "vfio-bindctl check   # turn the IOMMU on first: see \"iommu\"");
    } else {
        check_add(c, FINDING_FAIL, "node", "%s is on %s, but /dev/vfio/%u is missing",
                  pci_addr_text(a).s, g->nodeless->driver, g->group);
        check_remedy(c, "findmnt /dev; ls -l /dev/vfio   # devtmpfs makes the node");
    }
    check_concerns(c, cause, a);
}

/* A problem of one member is a problem of the whole group, which gets one finding. */
static void take_member(struct group_check *g, const struct row *r)
{
    if (check_is_taken(r) && !g->wanted)
        g->wanted = r;
    if (!check_is_taken(r) && !device_is_viable(r->d) && !g->hindrance)
        g->hindrance = r;
    if (is_in_state(r, STATE_BOUND) && driver_is_vfio(r->driver) && !r->d->node && !r->d->cdev &&
        !g->nodeless)
        g->nodeless = r;
}

static void check_groups(struct check *c)
{
    const struct source *s = c->s;
    CLEANUP_FREE const struct row **rows = calloc(s->snapshot.n + 1, sizeof(*rows));
    struct group_check g = {.group = NO_GROUP};
    size_t wanted = 0, hindered = 0;

    if (!rows) {
        c->tree.failed = true;
        return;
    }
    for (size_t i = 0; i < s->snapshot.n; i++)
        rows[i] = &s->rows[i];
    qsort(rows, s->snapshot.n, sizeof(*rows), rows_by_group); /* NO_GROUP comes last */
    for (size_t i = 0; i < s->snapshot.n && rows[i]->d->group != NO_GROUP; i++) {
        if (i == 0 || rows[i]->d->group != g.group)
            g = (struct group_check){.group = rows[i]->d->group};
        take_member(&g, rows[i]);
        if (rows[i + 1] && rows[i + 1]->d->group == g.group)
            continue;
        wanted += g.wanted != NULL;
        hindered += g.wanted && g.hindrance;
        if (g.wanted && g.hindrance)
            say_hindered(c, &g);
        if (g.nodeless)
            say_nodeless(c, &g);
    }
    if (wanted > 0 && hindered == 0)
        check_add(c, FINDING_OK, "group",
                  "the IOMMU groups of the selected devices (%zu) are viable", wanted);
}

/* Without an active IOMMU there are no groups at all; that is another finding. */
static void check_groupless(struct check *c)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (!is_in_state(r, STATE_BOUND) || r->d->group != NO_GROUP)
            continue;
        check_add(c, FINDING_FAIL, "group", "%s is bound, but in no IOMMU group",
                  pci_addr_text(r->d->addr).s);
        check_remedy(c, "ls /sys/kernel/iommu_groups   # empty: the IOMMU is off; see \"iommu\"");
        return;
    }
}

/* Problems of the device itself: the node that its rule asks for, an answer, or a reset method is
 * missing. */
static void check_unfit(struct check *c)
{
    static const enum problem problems[] = {PROBLEM_INTERFACE_MISSING, PROBLEM_NOT_RESPONDING,
                                            PROBLEM_RESET_METHOD};

    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        char cause[160] = "";
        for (size_t k = 0; r->problem && !*cause && k < ELEMENTS(problems); k++)
            if (strstr(r->problems, problem_word(problems[k])))
                snprintf(cause, sizeof(cause), "%s %s", problem_word(problems[k]), r->rule);
        if (!*cause || check_joins(c, "fit", cause, r->d->addr))
            continue;
        check_add(c, FINDING_FAIL, "fit", "%s", r->problem);
        check_concerns(c, cause, r->d->addr);
        check_remedy(c, "vfio-bindctl explain %s", pci_addr_text(r->d->addr).s);
    }
}

/* -- BARs -- */

/* Such a device binds, and VFIO cannot open it. */
static void check_bar_addresses(struct check *c)
{
    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        uint16_t missing = r->d->unassigned;
        int seen = 0;
        if (!check_is_taken(r))
            continue;
        if (!r->d->bars_read) /* it is not bound yet */
            seen = bar_addresses_missing(c->tree.root_fd, r->d->addr, &missing);
        if (seen < 0)
            check_unseen(c, "resource", seen);
        if (missing == 0 || check_joins(c, "bar-address", r->rule, r->d->addr))
            continue;
        check_add(
            c, FINDING_FAIL, "bar-address",
            "the kernel has no address for BAR %d of %s, so no virtual machine can open it: "
            "enable \"Above 4G decoding\" in the firmware setup, or let the kernel assign the "
            "addresses; after a hot-plug, reboot",
            __builtin_ctz(missing), pci_addr_text(r->d->addr).s);
        check_concerns(c, r->rule, r->d->addr);
        check_add_parameter(c, "pci=realloc");
    }
}

/* Only displays can have the firmware's framebuffer. */
static void check_bars(struct check *c)
{
    CLEANUP(bars_done) struct bars bars;
    int known = bars_read(c->tree.root_fd, &bars);

    for (size_t i = 0; i < c->s->snapshot.n; i++) {
        const struct row *r = &c->s->rows[i];
        if (!check_is_taken(r) || r->d->class_code >> 16 != PCI_BASE_CLASS_DISPLAY)
            continue;
        if (!bars_visible(c->tree.root_fd) && check_exists(c, "proc/iomem"))
            check_unseen(c, "/proc/iomem", -EACCES);
        CLEANUP_FREE char *claimant = NULL;
        int seen = known < 0 ? known : bars_claimant(c->tree.root_fd, &bars, r->d->addr, &claimant);
        if (seen < 0)
            check_unseen(c, "/proc/iomem", seen);
        if (!claimant)
            continue;
        check_add(
            c, FINDING_FAIL, "bar",
            "the firmware's framebuffer (%s) claims memory of %s: a virtual machine that gets "
            "it fails with \"can't reserve\"",
            claimant, pci_addr_text(r->d->addr).s);
        check_add_parameter(c, "initcall_blacklist=sysfb_init");
    }
}

void check_devices(struct check *c)
{
    check_states(c);
    check_groups(c);
    check_groupless(c);
    check_unfit(c);
    check_bar_addresses(c);
    check_bars(c);
}
