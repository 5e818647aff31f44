/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: other tools that would bind the same devices, or hand them back. */
#include <ctype.h>

#include "check/boot.h"
#include "check/containers.h"
#include "check/files.h"
#include "check/parts.h"
#include "cmdline-files.h"

/* Counts the tools that were found. */
struct claimant_search {
    size_t found;
    bool proxmox; /* one virtual machine is sufficient */
};

/* Says, once, that the configuration of a tool just found can be imported. */
static void point_to_import(struct check *c, struct claimant_search *search)
{
    if (search->found++ == 0)
        check_remedy(c,
                     "%svfio-bindctl import   # prints a policy that takes this over, and how "
                     "to retire it",
                     ctl_sudo());
}

/* Without any rule there is no conflict yet; then the finding is that something can be imported. */
static bool has_no_policy(const struct check *c)
{
    return c->s->policy.n_rules == 0 && c->s->diags.errors == 0;
}

/* Is it a device that a rule selects, or would have to? */
static bool is_concerned(const struct check *c, const struct row *r, bool to_vfio)
{
    return r && (r->selected || (to_vfio && has_no_policy(c)));
}

static const struct row *row_of(const struct check *c, struct pci_addr a)
{
    const struct device *d = snapshot_find(&c->s->snapshot, a);

    return d ? &c->s->rows[d - c->s->snapshot.devices] : NULL;
}

/* -- driverctl -- */

/* /etc/driverctl.d/pci-0000:06:00.0 holds the driver's name. */
static void see_override(struct check *c, const char *path, const char *name, void *data)
{
    struct claimant_search *search = data;
    const char *word = after_prefix(name, "pci-");
    struct pci_addr a;

    if (pci_addr_parse(word ? word : name, &a) < 0)
        return;
    const struct row *r = row_of(c, a);
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *driver = text ? check_line(&rest) : NULL;
    bool same = driver && driver_is_vfio(driver);
    if (!is_concerned(c, r, same))
        return;
    check_add(c, same ? FINDING_WARN : FINDING_FAIL, "driverctl",
              "driverctl has its own override for %s (%s)%s", pci_addr_text(a).s,
              driver ? driver : "not readable",
              !same              ? ": it and vfio-bindd would fight"
              : has_no_policy(c) ? ", and no rule does"
                                 : ", and would write it again");
    point_to_import(c, search);
    check_remedy(c, "%smv /%s /root/   # driverctl unset-override would unbind the device too",
                 ctl_sudo(), path);
}

/* -- a module's own list of IDs -- */

static void check_cmdline_ids(struct check *c, const char *module, struct claimant_search *search)
{
    char name[32], parameter[256];

    snprintf(name, sizeof(name), "%s.ids=", module);
    const char *ids = check_cmdline(c, name);
    if (!ids)
        return;
    ids -= strlen(name); /* the name as it is written there, with '-' or '_', so that it can be
                            searched for */
    snprintf(parameter, sizeof(parameter), "%.*s", (int)strcspn(ids, " \n\""), ids);
    check_add(c, FINDING_WARN, "ids",
              "%s on the kernel command line: %s takes every device of these IDs, whatever "
              "the policy says",
              parameter, module);
    point_to_import(c, search);
    check_remove_parameter(c, parameter);
}

/* "options vfio-pci ids=10de:20f1,10de:1aef disable_vga=1" */
static void see_modprobe(struct check *c, const char *path, const char *name, void *data)
{
    struct claimant_search *search = data;
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line;
    (void)name;

    while (text && (line = check_line(&rest))) {
        char module[32];
        if (sscanf(line, "options %31s", module) != 1 || !strstr(line, " ids="))
            continue;
        bool stub = streq(module, "pci-stub") || streq(module, "pci_stub");
        if (!stub && !streq(module, "vfio-pci") && !streq(module, "vfio_pci"))
            continue;
        check_add(c, FINDING_WARN, "ids",
                  "/%s has \"%s\": %s takes every device of these IDs, whatever the policy "
                  "says",
                  path, line, stub ? "pci-stub" : "vfio-pci");
        point_to_import(c, search);
        check_remedy(c, "%ssed -i 's/^ *options %s .*ids=/#&/' /%s", ctl_sudo(),
                     stub ? "pci[-_]stub" : "vfio[-_]pci", path);
        check_rebuild_initramfs(c);
    }
}

/* Finds the beginning of a list of IDs in a command line, or in a line like "vfio-pci
 * ids=10de:20f1"; NULL: there is none. */
static const char *list_of_ids(const char *line, const char **ret_module)
{
    static const char *const lists[][2] = {{"vfio-pci.ids=", "vfio-pci"},
                                           {"vfio_pci.ids=", "vfio-pci"},
                                           {"pci-stub.ids=", "pci-stub"},
                                           {"pci_stub.ids=", "pci-stub"}};
    const char *found = NULL;

    for (size_t i = 0; i < ELEMENTS(lists) && !found; i++) {
        found = strstr(line, lists[i][0]);
        *ret_module = lists[i][1];
    }
    return found;
}

/* A file from which the running kernel's command line was not made, or that has changed since. The
 * list on that command line has been reported already. */
static void see_next_cmdline(struct check *c, const char *path, const char *name, void *data)
{
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line, running[32];
    const char *module, *list;
    (void)name;

    while (text && (line = check_line(&rest))) {
        if (!(list = list_of_ids(line, &module)))
            continue;
        snprintf(running, sizeof(running), "%s.ids=", module);
        if (check_cmdline(c, running))
            return;
        check_add(c, FINDING_WARN, "ids",
                  "/%s has %.*s, which the running kernel has not: from the next boot on %s may "
                  "take every device of these IDs, whatever the policy says",
                  path, (int)strcspn(list, " \"'"), list, module);
        point_to_import(c, data);
        return;
    }
}

static void check_next_cmdline(struct check *c, struct claimant_search *search)
{
    for (size_t i = 0; i < CMDLINE_FILES; i++) {
        const struct cmdline_file *file = &cmdline_files[i];
        if (file->ending)
            check_each(c, file->path, file->ending, see_next_cmdline, search);
        else if (check_exists(c, file->path))
            see_next_cmdline(c, file->path, NULL, search);
    }
}

/* Each line has a module and its options. */
static void check_initramfs_modules(struct check *c, struct claimant_search *search)
{
    static const char path[] = "etc/initramfs-tools/modules";
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line, module[32];

    while (text && (line = check_line(&rest))) {
        if (sscanf(line, "%31s", module) != 1 || !strstr(line, " ids=") ||
            (!streq(module, "vfio-pci") && !streq(module, "vfio_pci") &&
             !streq(module, "pci-stub") && !streq(module, "pci_stub")))
            continue;
        check_add(c, FINDING_WARN, "ids",
                  "/%s has \"%s\": %s takes every device of these IDs in the initramfs, whatever "
                  "the policy says",
                  path, line, module);
        point_to_import(c, search);
    }
}

/* -- udev -- */

static void see_rules(struct check *c, const char *path, const char *name, void *data)
{
    struct claimant_search *search = data;
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line;

    while (text && (line = check_line(&rest))) {
        if (!strstr(line, "driver_override"))
            continue;
        check_add(c, FINDING_WARN, "udev", "the udev rules in /%s write driver_override", path);
        point_to_import(c, search);
        if (after_prefix(path, "etc/"))
            check_remedy(c, "%smv /%s /root/ && %sudevadm control --reload", ctl_sudo(), path,
                         ctl_sudo());
        else
            check_remedy(c, "%sln -s /dev/null /etc/udev/rules.d/%s && %sudevadm control --reload",
                         ctl_sudo(), name, ctl_sudo());
        return;
    }
}

/* -- gpu-operator -- */

/* kubelet's folder with the logs of a pod: NAMESPACE_POD_UID. */
static void see_pod(struct check *c, const char *path, const char *name, void *data)
{
    struct claimant_search *search = data;
    (void)c;
    (void)path;

    if (strstr(name, "nvidia-vfio-manager"))
        search->found++;
}

static size_t check_vfio_manager(struct check *c)
{
    struct claimant_search pods = {0};
    bool marked = check_exists(c, "run/nvidia/validations/vfio-pci-ready");

    check_each(c, "var/log/pods", "", see_pod, &pods);
    if (!marked && pods.found == 0)
        return 0;
    check_add(c, FINDING_WARN, "gpu-operator",
              "NVIDIA's gpu-operator has prepared GPUs for VFIO here (%s): its vfio-manager binds "
              "GPUs, and unbinds them when it stops",
              pods.found > 0 ? "a pod nvidia-vfio-manager"
                             : "/run/nvidia/validations/vfio-pci-ready");
    check_remedy(c, "kubectl patch clusterpolicies.nvidia.com --type merge -p "
                    "'{\"spec\":{\"vfioManager\":{\"enabled\":false}}}' cluster-policy");
    return 1;
}

/* -- NVIDIA's DRA driver -- */

/* Its feature gate is in the environment of its container. */
static void see_gate(const char *description, void *data)
{
    bool *found = data;

    *found = *found || (strstr(description, "gpu-kubelet-plugin") &&
                        strstr(description, "PassthroughSupport=true"));
}

/* With the gate, it binds a GPU to vfio-pci for a claim, and to nvidia when the claim ends, whoever
 * had bound it before (dra-driver-nvidia-gpu of May 2026,
 * cmd/gpu-kubelet-plugin/vfio-device.go). */
static size_t check_dra(struct check *c)
{
    bool found = false;

    check_containers(c, see_gate, &found);
    if (!found)
        return 0;
    check_add(c, FINDING_WARN, "dra",
              "NVIDIA's DRA driver runs here with its gate PassthroughSupport: it binds GPUs to "
              "nvidia when a virtual machine ends");
    check_remedy(c, "helm list -A   # then upgrade it with featureGates.PassthroughSupport=false, "
                    "or exclude this node");
    return 1;
}

/* -- libvirt -- */

/* The number in NAME='0x06' within the element; returns false if there is none. */
static bool attribute(const char *at, const char *end, const char *name, unsigned *ret)
{
    size_t n = strlen(name);

    for (; at + n + 4 < end; at++)
        if (isspace((unsigned char)*at) && strncmp(at + 1, name, n) == 0 && at[n + 1] == '=')
            return sscanf(at + n + 3, "%x", ret) == 1;
    return false;
}

/* The address in <source>; the other <address> is the one in the guest. */
static bool source_address(const char *at, const char *end, struct pci_addr *ret)
{
    unsigned domain = 0, bus, slot, function;
    const char *source = strstr(at, "<source"), *address;

    if (!source || source >= end || !(address = strstr(source, "<address")) || address >= end)
        return false;
    const char *close = strchr(address, '>');
    if (!close || close > end)
        return false;
    attribute(address, close, "domain", &domain);
    if (!attribute(address, close, "bus", &bus) || !attribute(address, close, "slot", &slot) ||
        !attribute(address, close, "function", &function))
        return false;
    *ret = (struct pci_addr){domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
    return true;
}

/* libvirt writes these files itself, so their form is known: no comments inside, and these
 * quotes. */
static void see_elements(struct check *c, char *text, const char *start, const char *stop,
                         const char *domain, struct claimant_search *search)
{
    for (char *at = text; (at = strstr(at, start)); at++) {
        const char *end = strstr(at, stop), *head = strchr(at, '>');
        struct pci_addr a;
        if (!end || !head)
            return;
        if (head[-1] == '/') /* empty */
            continue;
        const char *managed = strstr(at, "managed='yes'");
        if (!managed || managed > head || !source_address(at, end, &a))
            continue;
        const struct row *r = row_of(c, a);
        if (!is_concerned(c, r, true))
            continue;
        check_add(c, FINDING_WARN, "libvirt",
                  "libvirt's domain %s has %s with managed='yes': libvirt may hand it back to its "
                  "native driver when the domain ends",
                  domain, pci_addr_text(a).s);
        point_to_import(c, search);
        check_remedy(c, "%svirsh edit '%s'   # write managed='no'", ctl_sudo(), domain);
    }
}

static void see_domain(struct check *c, const char *path, const char *name, void *data)
{
    CLEANUP_FREE char *text = check_read(c, path);
    char domain[256];

    if (!text)
        return;
    snprintf(domain, sizeof(domain), "%.*s", (int)(strlen(name) - strlen(".xml")), name);
    see_elements(c, text, "<hostdev ", "</hostdev>", domain, data);
    see_elements(c, text, "<interface type='hostdev'", "</interface>", domain, data);
}

/* -- Proxmox, DPDK -- */

/* Proxmox itself binds a device when its virtual machine starts, which does not conflict with a
 * rule. A section is a snapshot. */
static void see_pve(struct check *c, const char *path, const char *name, void *data)
{
    struct claimant_search *search = data;
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line;
    (void)name;

    while (text && !search->proxmox && (line = check_line(&rest)) && *line != '[') {
        if (!after_prefix(line, "hostpci") || strstr(line, "mdev="))
            continue;
        search->proxmox = true;
        check_add(c, FINDING_WARN, "proxmox",
                  "/%s gives a virtual machine devices (%s), and no rule does: they are on their "
                  "native drivers until it starts",
                  path, line);
        point_to_import(c, search);
    }
}

/* "pci 0000:06:00.0 vfio-pci" */
static void check_dpdk(struct check *c, struct claimant_search *search)
{
    static const char path[] = "etc/dpdk/interfaces";
    CLEANUP_FREE char *text = check_read(c, path);
    char *rest = text, *line, address[32], driver[32];
    struct pci_addr a;

    while (text && (line = check_line(&rest))) {
        if (sscanf(line, "pci %31s %31s", address, driver) != 2 || pci_addr_parse(address, &a) < 0)
            continue;
        bool same = driver_is_vfio(driver);
        if (!is_concerned(c, row_of(c, a), same))
            continue;
        check_add(c, same ? FINDING_WARN : FINDING_FAIL, "dpdk", "/%s binds %s to %s%s", path,
                  pci_addr_text(a).s, driver,
                  !same              ? ": it and vfio-bindd would fight"
                  : has_no_policy(c) ? ", and no rule does"
                                     : " as well");
        point_to_import(c, search);
    }
}

/* -- whoever it was -- */

/* If there is no rule yet, devices that are bound for virtual machines were bound by something
 * else. */
static void check_unexplained(struct check *c, struct claimant_search *search)
{
    for (size_t i = 0; i < c->s->snapshot.n && has_no_policy(c); i++) {
        const struct device *d = &c->s->snapshot.devices[i];
        if (!d->driver || (!driver_is_vfio(d->driver) && !streq(d->driver, "pci-stub")))
            continue;
        check_add(c, FINDING_WARN, "claimants",
                  "%s is on %s, and no tool was found that explains it", pci_addr_text(d->addr).s,
                  d->driver);
        point_to_import(c, search);
        return;
    }
}

void check_claimants(struct check *c)
{
    struct claimant_search search = {0};

    check_each(c, "etc/driverctl.d", "", see_override, &search);
    check_cmdline_ids(c, "vfio-pci", &search);
    check_cmdline_ids(c, "pci-stub", &search);
    check_next_cmdline(c, &search);
    check_each_config(c, "modprobe.d", ".conf", see_modprobe, &search);
    check_initramfs_modules(c, &search);
    check_each_config(c, "udev/rules.d", ".rules", see_rules, &search);
    search.found += check_vfio_manager(c);
    search.found += check_dra(c);
    check_each(c, "etc/libvirt/qemu", ".xml", see_domain, &search);
    if (has_no_policy(c))
        check_each(c, "etc/pve/qemu-server", ".conf", see_pve, &search);
    check_dpdk(c, &search);
    if (search.found == 0)
        check_unexplained(c, &search);
    if (search.found == 0)
        check_add(c, FINDING_OK, "claimants", "no other tool was found that binds these devices");
}
