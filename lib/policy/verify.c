/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/verify.h"

#include "policy/load.h"

bool policy_verify(int root_fd, char *const *files, size_t n, bool quiet)
{
    CLEANUP(diags_done) struct diags d = {0};
    CLEANUP(policy_done) struct policy p;
    bool off;

    policy_init(&p);
    if (n > 0)
        policy_load_files(files, n, &p, &d);
    else
        policy_load(root_fd, &p, &d, &off);
    if (quiet)
        return d.errors == 0;
    diags_print(&d, stderr);
    if (d.errors > 0) {
        fprintf(stderr, "%zu error%s; vfio-bindd.conf(5) explains each key\n", d.errors,
                d.errors == 1 ? "" : "s");
        return false;
    }
    if (p.n_rules == 0)
        puts("the policy is valid and selects nothing");
    else
        printf("the policy is valid: %zu rule%s\n", p.n_rules, p.n_rules == 1 ? "" : "s");
    return true;
}
