#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle is wrong if it finds nothing: each promise is broken once, and it has to say so.

A small host is made up as the kernel would tell it; each case changes one thing.
"""

import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import host as hosts  # noqa: E402
import policy as policies  # noqa: E402
from facts import Facts, Said, location_of  # noqa: E402
from judge import Baseline, Judge  # noqa: E402
from life import State  # noqa: E402

GPU, NIC, DISK = "08.0/00.0", "08.1/00.0", "02.0"
ADDRESS = {GPU: "0000:01:00.0", NIC: "0000:02:00.0", DISK: "0000:00:02.0"}
PATH = {GPU: "0000:00:08.0/0000:01:00.0", NIC: "0000:00:08.1/0000:02:00.0", DISK: "0000:00:02.0"}


def kernel(drivers, **more):
    """What facts prints: drivers by location, and `more` lines in place of the usual ones."""
    lines = []
    for number, (location, ident, cls) in enumerate(((GPU, "10de:20f1", "030200"), (NIC, "8086:10d3", "020000"),
                                                  (DISK, "1af4:1001", "010000"))):
        vendor, device = ident.split(":")
        lines.append({"t": "device", "address": ADDRESS[location], "path": "/sys/devices/pci0000:00/" + PATH[location],
                      "vendor": vendor, "device": device, "class": cls, "subvendor": "1af4", "subdevice": "1100",
                      "driver": drivers[location], "override": more.get("override", {}).get(location, "(null)"),
                      "group": number, "header": 0, "serial": None, "slot": None})
        if location in more.get("gone", ()):
            lines.pop()
        lines.append({"t": "group", "group": number, "devices": [ADDRESS[location]]})
    viable = more.get("viable", True)
    lines.append({"t": "vfio", "group": 0, "node": True, "open": more.get("open", "ok"), "viable": viable,
                  "devices": {ADDRESS[GPU]: "ok" if viable else None}})
    lines += more.get("mounts", [{"t": "mount", "point": "/", "type": "ext4", "source": "/dev/vda", "devno": "254:0",
                                  "pci": [ADDRESS[DISK]]}])
    lines += more.get("swaps", [{"t": "swap", "source": "/dev/vdb", "pci": [ADDRESS[DISK]]}])
    lines += more.get("nets", [{"t": "net", "name": "eth0", "mac": "52:54:00:77:00:01", "pci": ADDRESS[NIC], "up": True,
                                "carrier": True, "addresses": ["10.77.1.2/24"]}])
    lines += [{"t": "route", "text": t} for t in more.get("routes", ["10.77.1.0/24 dev eth0"])]
    lines += [{"t": "mark", "time": 1, "text": "lab: handing over to systemd"}]
    probes = more.get("probes", []) + [(p, d) for p, d in drivers.items() if d and not more.get("untraced")]
    lines += [{"t": "probe", "time": 2, "dev": ADDRESS[p], "drv": d} for p, d in probes]
    lines += [{"t": "timeout", "section": s} for s in more.get("late", [])]
    lines += [{"t": "kernel", "text": t} for t in more.get("kernel", [])]
    lines += [{"t": "run", "path": "/run/vfio-bindd/state", "text": more.get("run", "newest 9\n")}]
    lines += [{"t": "daemon", "pid": 1, "fds": more.get("fds", 14)}, {"t": "end"}][:1 if more.get("cut") else 2]
    return Facts("\n".join(map(json.dumps, lines)))


def bus(device=None, manager=None, address=ADDRESS[GPU]):
    def values(properties):
        return {k: {"type": "v", "data": v} for k, v in properties.items()}
    objects = {}
    if device is not None:
        usual = {"Address": address, "Driver": "vfio-pci", "Id": "10de:20f1", "IommuGroup": 0, "GroupMembers": [address],
                 "State": "bound", "Usable": True, "Untouched": True, "Problems": [], "Reason": ""}
        objects["/d"] = {"org.vfio.Bindd1.Device": values({**usual, **device})}
    one = int(device is not None)
    usual = {"State": "ready", "Bound": one, "Usable": one, "Matched": one, "PolicyErrors": []}
    return Said(json.dumps({"data": [objects]}) + "\n" + json.dumps({"data": [values({**usual, **(manager or {})})]}))


NATIVE = {GPU: "nvidia", NIC: "e1000e", DISK: "virtio-pci"}
TAKEN = {**NATIVE, GPU: "vfio-pci"}
OVERRIDE = {"override": {GPU: "vfio-pci"}}


class OracleTest(unittest.TestCase):
    def setUp(self):
        host = hosts.Host(1)
        for location, model in ((GPU, "gpu"), (NIC, "e1000e"), (DISK, "virtio-blk-pci")):
            host.cards.append(hosts.Card(model, [hosts.Function(location, model, model, "", "")]))
        native = kernel(NATIVE)
        self.judge = Judge(host, Baseline(native, native, set()))
        policy = policies.Policy(here={GPU: policies.Outcome("go", selected=True)})
        self.state = State(policy)
        self.state.present = dict.fromkeys(ADDRESS, 0)
        self.state.watched = {GPU: 0}
        self.state.spared = {NIC: 0, DISK: 0}

    def found(self, facts, said, failed=()):
        return {v.kind for v in self.judge.judge(self.state, facts, said, set(failed))}

    def test_good_host(self):
        self.assertEqual(self.found(kernel(TAKEN, **OVERRIDE, probes=[(GPU, "vfio-pci")]), bus({})), set())

    def test_broken_promises(self):
        good = OVERRIDE
        lost_net = [{"t": "net", "name": "eth0", "mac": "52:54:00:77:00:01", "pci": ADDRESS[NIC], "up": False,
                     "carrier": None, "addresses": []}]
        for wanted, facts, said in (
                ("harmed", kernel(TAKEN, **good, mounts=[]), bus({})),
                ("harmed", kernel(TAKEN, **good, swaps=[]), bus({})),
                ("harmed", kernel(TAKEN, **good, gone=[NIC]), bus({})),
                ("harmed", kernel(TAKEN, **good, mounts=[{"t": "mount", "point": "/", "type": "ext4", "pci": []}]), bus({})),
                ("harmed", kernel(TAKEN, **good, nets=lost_net), bus({})),
                ("harmed", kernel(TAKEN, **good, routes=[]), bus({})),
                ("taken", kernel({**TAKEN, NIC: "vfio-pci"}, **good), bus({})),
                ("taken", kernel(TAKEN, **good, probes=[(NIC, "vfio-pci")]), bus({})),
                ("left-without-driver", kernel({**TAKEN, NIC: None}, **good), bus({})),
                ("override-left", kernel(TAKEN, override={GPU: "vfio-pci", NIC: "vfio-pci"}), bus({})),
                ("override-left", kernel(TAKEN, override={GPU: "vfio-pci", NIC: None}), bus({})),
                ("lab", kernel(TAKEN, **good, untraced=True), bus({})),
                ("not-taken", kernel(NATIVE), bus({"State": "pending", "Driver": "nvidia", "Usable": False})),
                ("lost", kernel(TAKEN, **good, probes=[(GPU, "nvidia")]), bus({"Untouched": False})),
                ("lie-driver", kernel(TAKEN, **good), bus({"Driver": "nvidia"})),
                ("lie-state", kernel(TAKEN, **good), bus({"State": "failed"})),
                ("lie-state", kernel(TAKEN, **good), bus()),
                ("lie-bound", kernel(NATIVE), bus({"Driver": "nvidia"})),
                ("lie-usable", kernel(TAKEN, **good, viable=False), bus({"Problems": ["group-not-viable"]})),
                ("lie-usable", kernel(TAKEN, **good), bus({"Usable": False})),
                ("lie-viable", kernel(TAKEN, **good, viable=False), bus({"Usable": False})),
                ("lie-untouched", kernel(TAKEN, **good, probes=[(GPU, "nvidia")]), bus({})),
                ("lie-members", kernel(TAKEN, **good), bus({"GroupMembers": []})),
                ("lie-gone", kernel(TAKEN, **good), bus({}, address="0000:09:00.0")),
                ("lie-count", kernel(TAKEN, **good), bus({}, {"Bound": 2})),
                ("lie-ready", kernel(NATIVE), bus(None)),
                ("lie-errors", kernel(TAKEN, **good), bus({}, {"PolicyErrors": ["x"]})),
                ("kernel", kernel(TAKEN, **good, kernel=["WARNING: CPU: 0"]), bus({})),
                ("hung", kernel(TAKEN, **good), None),
                ("hung", kernel(TAKEN, **good, cut=True), bus({})),
                ("hung", kernel(TAKEN, **good, late=["trace"]), bus({})),
                ("leak", kernel(TAKEN, **good, open="EBUSY"), bus({})),
                ("leak", kernel(TAKEN, **good, fds=100), bus({}))):
            with self.subTest(wanted):
                self.assertIn(wanted, self.found(facts, said))

    def test_what_the_kernel_says_anyway(self):
        self.judge.base.facts.texts["kernel"] = ["[    1.5] UBSAN: in mptsas.c"]
        self.assertEqual(self.found(kernel(TAKEN, **OVERRIDE, kernel=["[   22.0] UBSAN: in mptsas.c"]), bus({})), set())
        self.assertIn("kernel", self.found(kernel(TAKEN, **OVERRIDE, kernel=["[   22.0] WARNING: CPU: 0"]), bus({})))

    def test_failed_unit(self):
        self.assertIn("failed-unit", self.found(kernel(TAKEN, **OVERRIDE), bus({}), ["x.service"]))

    def test_what_is_left(self):
        self.state = State(policies.empty())
        self.state.empty = True
        self.assertEqual(self.found(kernel(NATIVE), bus()), set())
        self.assertIn("left", self.found(kernel(NATIVE, override={GPU: "vfio-pci"}), bus()))
        self.assertIn("left", self.found(kernel(NATIVE, run="device 0000:01:00.0 released\n"), bus()))
        self.assertIn("left", self.found(kernel(NATIVE), bus({"State": "refused", "Driver": "nvidia", "Usable": False})))
        self.state.rebooted = True
        self.assertEqual(self.found(kernel(NATIVE, probes=[(GPU, "nvidia")]), bus()), set())
        self.assertIn("left", self.found(kernel(NATIVE, probes=[(GPU, "vfio-pci")]), bus()))
        self.judge.base.facts.devices["1c.0"] = None
        self.assertIn("harmed", self.found(kernel(NATIVE), bus()))

    def test_named_use_is_excused(self):
        self.state.excused = {DISK}
        self.assertEqual(self.found(kernel(TAKEN, **OVERRIDE, mounts=[], swaps=[]), bus({})), set())


class StateTest(unittest.TestCase):
    def test_virtual_functions_keep_their_physical_one(self):
        state = State(policies.Policy(here={DISK: policies.Outcome("go", selected=True)}))
        state.split.add(DISK)
        self.assertEqual(state.expected(DISK).kind, "stay")
        state.joined(DISK)
        self.assertEqual(state.expected(DISK).kind, "free")


class HostsTest(unittest.TestCase):
    def test_locations(self):
        self.assertEqual(location_of("/sys/devices/pci0000:00/0000:00:08.0/0000:01:00.1"), "08.0/00.1")
        self.assertEqual(location_of("/sys/devices/pci10000:00/10000:00:01.0"), "10000:01.0")

    def test_same_seed_same_host(self):
        for seed in range(200):
            self.assertEqual(hosts.generate(seed).describe(), hosts.generate(seed).describe())

    def test_hosts_are_possible(self):
        for seed in range(500):
            host = hosts.generate(seed)
            locations = [f.location for f in host.functions()]
            self.assertEqual(len(locations), len(set(locations)), seed)
            self.assertEqual(sum(f.use == "root" for f in host.functions()), 1, seed)
            self.assertLessEqual(host.ports, 64, seed)


if __name__ == "__main__":
    unittest.main()
