/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the virtual functions that rules ask for. */
#include "check/files.h"
#include "check/parts.h"
#include "check/vf-makers.h"

static void say_vfs(struct check *c, const struct physical *p)
{
    bool pending = streq(p->state, state_word(STATE_PENDING));

    if (streq(p->state, state_word(STATE_BOUND)) || (pending && !c->s->live.running)) {
        check_add(c, FINDING_OK, "vfs", "%s", p->sentence);
        return;
    }
    bool mild = pending || streq(p->state, state_word(STATE_RELEASED));
    check_add(c, mild ? FINDING_WARN : FINDING_FAIL, "vfs", "%s", p->sentence);
    if (streq(p->state, state_word(STATE_RELEASED)))
        check_remedy(c, "%svfio-bindctl bind %s", ctl_sudo(), p->address);
    else if (streq(p->reason, reason_word(REASON_VFS_NOT_OURS)))
        check_remedy(c,
                     "echo 0 | %stee /sys/bus/pci/devices/%s/sriov_numvfs && %ssystemctl reload "
                     "vfio-bindd   # once nothing else creates them",
                     ctl_sudo(), p->address, ctl_sudo());
    else
        check_remedy(c, "vfio-bindctl show %s; %ssystemctl reload vfio-bindd", p->address,
                     ctl_sudo());
}

void check_vfs(struct check *c)
{
    struct physicals p = {0};

    if (physicals_read(c->s, &p) < 0) {
        c->tree.failed = true;
        return;
    }
    check_vf_makers(c, &p);
    for (size_t i = 0; i < p.n; i++)
        say_vfs(c, &p.v[i]);
    physicals_done(&p);
}
