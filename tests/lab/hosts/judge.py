# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle: what the kernel says against what was meant, and against what vfio-bindd says.

It knows the host without vfio-bindd (the baseline), which functions are meant to go, and nothing of
policies, plans or reasons. Every violation has a kind and a subject, which do not change from run to
run, and a sentence.
"""

from dataclasses import dataclass

from facts import ADDRESS

OURS = {"vfio-pci", "pci-stub"}


@dataclass(frozen=True)
class Violation:
    kind: str
    subject: str
    text: str

    def __str__(self):
        return f"{self.kind} {self.subject}: {self.text}"


class Baseline:
    """The host without vfio-bindd, as the kernel tells it."""

    def __init__(self, facts, plugged, failed):
        self.facts, self.failed = facts, failed
        # What is plugged later was plugged here as well, to learn its driver.
        self.native = {p: d["driver"] for p, d in {**plugged.devices, **facts.devices}.items()}
        self.devices = {**plugged.devices, **facts.devices}
        self.groups = plugged.group_places()
        self.mounts = {(m["point"], m["type"]): facts.places(m["pci"]) for m in facts.mounts if m["pci"]}
        self.swaps = [facts.places(s["pci"]) for s in facts.swaps]
        self.dm = {b["dm"]: facts.places(b["pci"]) for b in facts.blocks if b["dm"]}
        self.md = [facts.places(b["pci"]) for b in facts.blocks if b["md"]]
        self.addresses = {(n["mac"], a): facts.places([n["pci"]] if n["pci"] else [])
                          for n in facts.nets for a in n["addresses"] if "." in a}
        self.routes = {r: frozenset() for r in facts.texts["route"]}
        # Registered before systemd ran, or by systemd itself before any unit: nothing of the real root is earlier.
        self.early = {drv for kind, _, drv in facts.events[:facts.handed_over()] if kind == "probe"} | {"virtio-pci"}


class Judge:
    """For one host. `state` is life's: policy, present, released, held, excused, watched, empty."""

    def __init__(self, host, baseline):
        self.host, self.base = host, baseline
        self.checks = 0
        self.found = []

    def check(self, good, kind, subject, text):
        self.checks += 1
        if not good:
            self.found.append(Violation(kind, subject, text))

    def judge(self, state, facts, said, failed_units):
        self.found = []
        self.check(facts.complete, "hung", "facts", "the kernel's facts are incomplete: something hangs")
        self.harmed_nothing(state, facts)
        self.devices(state, facts)
        self.lost_nothing(state, facts)
        self.hung_nothing(state, facts, said, failed_units)
        if said:
            for address, device in said.devices.items():
                self.lied_about_device(state, facts, address, device)
            self.lied_about_all(state, facts, said)
        if state.empty:
            self.left_nothing(facts, said)
        if state.rebooted:
            self.rebooted_without_trace(facts)
        return self.found

    # What the host had it still has.

    def harmed_nothing(self, state, facts):
        def kept(places):
            return not places & state.excused
        now = {(m["point"], m["type"]): facts.places(m["pci"]) for m in facts.mounts}
        for (point, kind), places in self.base.mounts.items():
            if kept(places):
                self.check((point, kind) in now, "harmed", "mount " + point, f"{kind} on {point} is gone ({set(places)})")
        for what, before, after in (
                ("swap", self.base.swaps, [facts.places(s["pci"]) for s in facts.swaps]),
                ("md", self.base.md, [facts.places(b["pci"]) for b in facts.blocks if b["md"]])):
            for places in before:
                if kept(places):
                    self.check(places in after, "harmed", what, f"{what} on {set(places)} is gone, there is {after}")
        names = {b["dm"] for b in facts.blocks if b["dm"]}
        for name, places in self.base.dm.items():
            if kept(places):
                self.check(name in names, "harmed", "dm " + name, "the mapping is gone")
        addresses = {(n["mac"], a) for n in facts.nets for a in n["addresses"]}
        carriers = frozenset().union(*self.base.addresses.values()) if self.base.addresses else frozenset()
        for (mac, address), places in self.base.addresses.items():
            if kept(places):
                self.check((mac, address) in addresses, "harmed", "address " + address, f"it is gone from {mac}")
        if kept(carriers):
            for route in self.base.routes:
                self.check(route in facts.texts["route"], "harmed", "route", f"{route} is gone")
        for text in self.base.facts.texts["console"]:
            self.check(text in facts.texts["console"], "harmed", "console", f"{text} is gone")

    # Each device is where it is meant to be.

    def devices(self, state, facts):
        for place in facts.devices:
            outcome = state.expected(place)
            driver, override = facts.driver(place), facts.devices[place]["override"]
            name = self.name(facts, place)
            if outcome.kind == "go":
                self.check(driver == outcome.driver, "not-taken", place, f"{name} is meant for {outcome.driver}, "
                           f"its driver is {driver}, its override {override}")
            elif outcome.kind == "stay" and place in self.base.native:
                native = self.base.native[place]
                kind = "taken" if driver in OURS else "left-without-driver" if not driver else "other-driver"
                self.check(driver == native, kind, place, f"{name} is meant to stay on {native}, its driver is {driver}")
                self.check(override in ("(null)", None), "override-left", place,
                           f"{name} is meant to stay, its driver_override is {override}")

    # No native driver was asked.

    def lost_nothing(self, state, facts):
        self.check(not facts.lost_events, "lab", "trace", f"the kernel dropped {facts.lost_events} events")
        for place, since in state.watched.items():
            if place not in facts.devices or state.expected(place).kind != "go":
                continue
            natives = self.native_probes(facts, place, since) - self.base.early
            self.check(not natives, "lost", place, f"{self.name(facts, place)} was probed by {', '.join(sorted(natives))}")

    @staticmethod
    def native_probes(facts, place, since):
        address = facts.devices[place]["address"]
        return {drv for kind, dev, drv in facts.events[since:] if kind == "probe" and dev == address} - OURS

    # What is said is so.

    def lied_about_device(self, state, facts, address, said):
        place = facts.place.get(address)
        self.check(place is not None, "lie-gone", address, "the bus has a device that the kernel has not")
        if place is None:
            return
        device, group = facts.devices[place], facts.devices[place]["group"]
        def same(what, real, kind):
            self.check(said[what] == real, kind, place, f"{self.name(facts, place)}: {what} is {said[what]}, really {real}")
        same("Driver", device["driver"] or "", "lie-driver")
        same("Id", device["id"], "lie-id")
        same("IommuGroup", 4294967295 if group is None else group, "lie-group")
        if group is not None:
            self.check(sorted(said["GroupMembers"]) == sorted(facts.groups.get(group, [])), "lie-members", place,
                       f"GroupMembers is {said['GroupMembers']}, really {facts.groups.get(group)}")
        if said["State"] == "bound":
            self.check(device["driver"] == state.expected(place).driver, "lie-bound", place,
                       f"{self.name(facts, place)} is said to be bound, its driver is {device['driver']}")
        if said["State"] == "released":
            self.check(device["driver"] not in OURS, "lie-released", place, f"its driver is {device['driver']}")
        self.usable(state, facts, place, said)
        since = state.present.get(place, 0)
        touched = bool(self.native_probes(facts, place, since))
        # That a native driver was asked and failed does not show.
        if not self.host.native.get("probe_fail") and (self.base.native.get(place) or not touched):
            self.check(said["Untouched"] != touched, "lie-untouched", place,
                       f"{self.name(facts, place)}: Untouched is {said['Untouched']}, probed by "
                       f"{self.native_probes(facts, place, since) or 'nobody'}")

    def usable(self, state, facts, place, said):
        device = facts.devices[place]
        vfio = facts.vfio.get(device["group"])
        name = self.name(facts, place)
        if not vfio or device["driver"] not in ("vfio-pci",):
            self.check(not said["Usable"], "lie-usable", place, f"{name} is said to be usable, and is on {device['driver']}")
            return
        if vfio["open"] == "EBUSY":
            return  # somebody has it, whom the life of this host has let in
        real = vfio["devices"].get(device["address"]) == "ok"
        self.check(said["Usable"] == real, "lie-usable", place,
                   f"{name}: Usable is {said['Usable']}, opening group {device['group']} says {vfio}")
        if vfio["viable"] is not None:
            self.check(("group-not-viable" in said["Problems"]) == (not vfio["viable"]), "lie-viable", place,
                       f"{name}: Problems are {said['Problems']}, the kernel says viable: {vfio['viable']}")

    def lied_about_all(self, state, facts, said):
        devices, manager = said.devices.values(), said.manager
        bound = sum(d["State"] == "bound" for d in devices)
        usable = sum(d["Usable"] or (d["State"] == "bound" and "vfio" not in d["Driver"]) for d in devices)
        for name, real in (("Bound", bound), ("Usable", usable), ("Matched", len(devices))):
            self.check(manager[name] == real, "lie-count", name, f"{name} is {manager[name]}, its devices say {real}")
        self.check(bool(manager["PolicyErrors"]) == bool(state.policy.mistake), "lie-errors", "policy",
                   f"PolicyErrors is {manager['PolicyErrors']}, the mistake is {state.policy.mistake!r}")
        if manager["State"] == "ready":
            unmet = [p for p in facts.devices if state.expected(p).kind == "go"
                     and facts.driver(p) != state.expected(p).driver]
            self.check(not unmet and not state.policy.mistake, "lie-ready", "manager", f"it is said to be ready; not taken: {unmet}")

    # Everything answers.

    def hung_nothing(self, state, facts, said, failed_units):
        self.check(said is not None or state.stopped, "hung", "bus", "nobody answers on the bus")
        more = failed_units - self.base.failed
        if not state.excused:
            self.check(not more, "failed-unit", " ".join(sorted(more)), f"failed: {more}")
        # A native driver whose remove() hangs is reported by the kernel's watchdog: that is no mistake of ours.
        new = [t for t in facts.texts["kernel"] if t not in self.base.facts.texts["kernel"]
               and not ("blocked for more than" in t and self.host.native)]
        self.check(not new, "kernel", "log", "; ".join(new[:5]))
        for path, text in facts.run.items():
            self.check("sanitizer" not in path, "sanitizer", path.rsplit("/", 1)[-1].split(".")[0], text[:1500])
        if not state.stopped:
            self.check(len(facts.daemons) >= 1, "hung", "daemon", "no process of vfio-bindd")
            fds = max((d["fds"] for d in facts.daemons), default=0)
            self.check(fds < 40, "leak", "descriptors", f"{fds} descriptors")

    # Nothing is left behind.

    def left_nothing(self, facts, said):
        for place, device in facts.devices.items():
            self.check(device["override"] in ("(null)", None), "left", "override " + place,
                       f"{self.name(facts, place)} has the override {device['override']} under the empty policy")
        if said:
            self.check(not said.devices, "left", "objects", f"the bus still has {sorted(said.devices)}")
        for path, text in facts.run.items():
            words = [w for w in text.replace("=", " ").split() if ADDRESS.match(w)]
            self.check(not words, "left", "run", f"{path} still names {words}")

    def rebooted_without_trace(self, facts):
        for place in self.base.facts.devices:
            self.check(place in facts.devices, "harmed", "device " + place, "it is gone after the reboot")
        asked = {dev for kind, dev, drv in facts.events if kind == "probe" and drv in OURS}
        self.check(not asked, "left", "probe", f"{sorted(asked)} were probed after the reboot, under the empty policy")

    def name(self, facts, place):
        device = facts.devices[place]
        card = self.host.card_of(place)
        return f"{device['address']} ({device['id']}, {card.name if card else 'of the chip set'})"
