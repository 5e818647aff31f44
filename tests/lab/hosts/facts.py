# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest's kernel says (tests/lab/guest/facts.c), and what vfio-bindd says on the bus."""

import json
import re

ADDRESS = re.compile(r"^([0-9a-f]{4,}):[0-9a-f]{2}:([0-9a-f]{2}\.[0-7])$")
MARK = "handing over"


def location_of(path):
    """The path of DEVICE.FUNCTION below the root bus, which is that of domain 0 if none is said."""
    hops = [m for m in map(ADDRESS.match, path.split("/")) if m]
    return ("" if hops[0][1] == "0000" else hops[0][1] + ":") + "/".join(m[2] for m in hops)


class Facts:
    def __init__(self, text):
        self.devices, self.groups, self.vfio, self.events = {}, {}, {}, []
        self.mounts, self.swaps, self.nets, self.blocks = [], [], [], []
        self.texts = {"route": set(), "console": set(), "kernel": [], "fb": set()}
        self.run, self.daemons, self.complete, self.lost_events, self.late = {}, [], False, 0, []
        for line in text.splitlines():
            if line.startswith("{"):
                self.take(json.loads(line))
        self.location = {d["address"]: p for p, d in self.devices.items()}

    def take(self, o):
        kind = o.pop("t")
        if kind == "device":
            o["id"] = f"{o['vendor']}:{o['device']}".replace("0x", "")
            o["subsystem"] = f"{o['subvendor']}:{o['subdevice']}".replace("0x", "")
            o["class"] = o["class"].replace("0x", "")
            self.devices[location_of(o["path"])] = o
        elif kind == "group":
            self.groups[o["group"]] = o["devices"]
        elif kind == "vfio":
            self.vfio[o["group"]] = o
        elif kind in ("probe", "mark"):
            self.events.append((kind, o.get("dev", ""), o.get("drv", o.get("text", ""))))
        elif kind == "mount":
            self.mounts.append(o)
        elif kind == "swap":
            self.swaps.append(o)
        elif kind == "net":
            self.nets.append(o)
        elif kind == "block":
            self.blocks.append(o)
        elif kind == "kernel":
            self.texts["kernel"].append(o["text"])
        elif kind in self.texts:
            self.texts[kind].add(o["text"])
        elif kind == "run":
            self.run[o["path"]] = o["text"]
        elif kind == "daemon":
            self.daemons.append(o)
        elif kind == "tracelost":
            self.lost_events += o["count"]
        elif kind == "timeout":
            self.late.append(o["section"])
        elif kind == "end":
            self.complete = not self.late

    def locations(self, addresses):
        return frozenset(self.location.get(a, a) for a in addresses)

    def group_locations(self):
        return {n: [self.location[a] for a in members if a in self.location] for n, members in self.groups.items()}

    def untraced(self):
        """Devices with a driver whose probe() the trace does not have: then it proves nothing."""
        probes = {(dev, drv) for kind, dev, drv in self.events if kind == "probe"}
        return [p for p, d in self.devices.items() if d["driver"] and (d["address"], d["driver"]) not in probes]

    def driver(self, location):
        return self.devices[location]["driver"] if location in self.devices else None

    def handed_over(self):
        """How many events there were when the initramfs ended."""
        return next((n for n, e in enumerate(self.events) if e[0] == "mark" and MARK in e[2]), 0)


class Said:
    """What vfio-bindd says: the answers to GetManagedObjects and GetAll of the manager, a line each."""

    def __init__(self, text):
        objects, manager = text.splitlines()
        self.devices = {}
        for interfaces in json.loads(objects)["data"][0].values():
            if "org.vfio.Bindd1.Device" in interfaces:
                device = self.values(interfaces["org.vfio.Bindd1.Device"])
                self.devices[device["Address"]] = device
        self.manager = self.values(json.loads(manager)["data"][0])

    @staticmethod
    def values(properties):
        return {name: value["data"] for name, value in properties.items()}
