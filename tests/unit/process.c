/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which unit a process belongs to. */
#include "tree.h"

#include "host/process.h"

START_TEST(units)
{
    static const struct {
        const char *cgroup, *unit;
    } cases[] = {
        {"0::/system.slice/gdm.service\n", "gdm.service"},
        {"0::/init.scope\n", "init.scope"},
        {"0::/\n", ""},
        {"", ""},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/pipewire.service\n",
         "user@1000.service/pipewire.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/kubelet.service\n",
         "user@1000.service/a.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/x) by a signal (.service\n",
         "user@1000.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/kubepods/pod1/abc\n",
         "user@1000.service/kubepods/pod1/abc"},
        {"0::/system.slice/containers.service/payload/system.slice/libvirtd.service\n",
         "containers.service"},
        {"0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator\n",
         "machine-qemu\\x2d1\\x2dvm.scope"},
        {"0::/system.slice/docker-1234.scope/system.slice/nginx.service\n", "docker-1234.scope"},
        {"0::/system.slice/_cpu.service\n", "cpu.service"},
        {"12:cpu:/x.service\n1:name=systemd:/system.slice/a.service/sub\n0::/\n", "a.service"},
        {"0::/../../system.slice/b.service\n", "b.service"},
        {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
         "cri-containerd-abc.scope\n",
         "cri-containerd-abc.scope"},
        {"0::/kubepods/burstable/pod1234/abcdef\n", "kubepods/burstable/pod1234/abcdef"},
        {"0::/kubepods/pod1/abc/init.scope\n", "kubepods/pod1/abc/init.scope"},
        {"0::/system.slice/.service\n", ""},
    };
    CLEANUP(tree_done) struct tree t;
    char unit[PROCESS_UNIT_MAX];

    tree_init(&t);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        tree_write(&t, "proc/200/cgroup", cases[i].cgroup);
        ck_assert_int_eq(process_unit(t.fd, 200, unit), 0);
        ck_assert_str_eq(unit, cases[i].unit);
    }
}
END_TEST

UNIT_MAIN("process", units)
