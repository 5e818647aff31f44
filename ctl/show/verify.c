/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify: prints the errors of the policy like "vfio-bindd --check-policy", and hints about its
 * warnings from the devices of this host. */
#include "policy/verify.h"

#include <errno.h>

#include "base/rootfs.h"
#include "ctl.h"
#include "device-ids.h"
#include "host/scan.h"
#include "open.h"
#include "plan/counts.h"
#include "policy/load.h"

/* Prints the IDs of devices for rules that have only addresses. Needs /sys. */
static void name_ids(const struct ctl *c, int root_fd)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    CLEANUP(snapshot_done) struct snapshot s = {0};
    bool off;

    policy_init(&p);
    if (c->n_args > 0)
        policy_load_files(c->args, (size_t)c->n_args, &p, &d);
    else
        policy_load(root_fd, &p, &d, &off);
    if (scan_all(root_fd, &p, &s) < 0)
        return;
    for (size_t i = 0; i < p.n_rules; i++) {
        const struct rule *r = &p.rules[i];
        CLEANUP_FREE char *ids = rule_trusts_addresses(r) ? ids_of_rule(&s, &p, r) : NULL;
        if (ids && *ids)
            ctl_note(c, "[device %s] matches on this host: id = %s", r->name, ids);
    }
}

/* A report contains the policy of its host. */
static int verify_report(const struct ctl *c)
{
    CLEANUP(source_done) struct source s;
    int r = source_open(c, SOURCE_FILES, &s);

    if (r != 0)
        return r;
    diags_print(&s.diags, stderr);
    if (s.diags.errors > 0)
        return EXIT_FAILURE;
    printf("the policy is valid: %zu rule%s\n", s.policy.n_rules, plural_s(s.policy.n_rules));
    return EXIT_SUCCESS;
}

int verb_verify(const struct ctl *c)
{
    CLEANUP_CLOSE int root_fd = rootfs_open_root(c->root ? c->root : "/");

    if (root_fd == -ENOTDIR && c->n_args == 0)
        return verify_report(c);
    if (root_fd < 0)
        return ctl_error("%s: %s", c->root, strerror(-root_fd));
    bool valid = policy_verify(root_fd, c->args, (size_t)c->n_args, false);
    name_ids(c, root_fd);
    return valid ? EXIT_SUCCESS : EXIT_FAILURE;
}
