# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle: what the kernel says against what was meant, and against what vfio-bindd says.

It knows the host without vfio-bindd (the baseline), which functions are meant to go, and nothing of
policies, plans or reasons. Every violation has a kind and a subject, which do not change from run to
run, and a sentence.
"""

from dataclasses import dataclass

from facts import ADDRESS

VFIO = {"vfio-pci", "lab-vfio-pci"}
OURS = VFIO | {"pci-stub"}


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
        self.groups = plugged.group_locations()
        self.mounts = {(m["point"], m["type"]): facts.locations(m["pci"]) for m in facts.mounts if m["pci"]}
        self.swaps = [facts.locations(s["pci"]) for s in facts.swaps]
        self.dm = {b["dm"]: facts.locations(b["pci"]) for b in facts.blocks if b["dm"]}
        self.md = [facts.locations(b["pci"]) for b in facts.blocks if b["md"]]
        self.addresses = {(n["mac"], a): facts.locations([n["pci"]] if n["pci"] else [])
                          for n in facts.nets for a in n["addresses"] if "." in a}
        self.routes = {r: frozenset() for r in facts.texts["route"]}
        # Registered before systemd ran, or by systemd itself before any unit: nothing of the real root is earlier.
        self.early = {drv for kind, _, drv in facts.events[:facts.handed_over()] if kind == "probe"} | {"virtio-pci"}


class Judge:
    """For one host. `state` is life's: policy, present, released, held, excused, watched, spared, empty."""

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
        self.check(facts.complete, "hung", "facts", f"the kernel's facts are incomplete: {facts.late or 'cut off'}")
        if not facts.lost_events:
            self.check(not facts.untraced(), "lab", "trace", f"no probe of {facts.untraced()} was traced")
        self.harmed_nothing(state, facts)
        self.devices(state, facts)
        self.lost_nothing(state, facts)
        self.hung_nothing(state, facts, said, failed_units)
        if said:
            self.named_all(state, facts, said)
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
        def kept(locations):
            return not locations & state.excused
        now = {(m["point"], m["type"]): facts.locations(m["pci"]) for m in facts.mounts}
        for (point, kind), locations in self.base.mounts.items():
            if kept(locations):
                self.check(now.get((point, kind)) == locations, "harmed", "mount " + point,
                           f"{kind} on {point} was on {set(locations)}, is on {now.get((point, kind), 'nothing')}")
        for what, before, after in (
                ("swap", self.base.swaps, [facts.locations(s["pci"]) for s in facts.swaps]),
                ("md", self.base.md, [facts.locations(b["pci"]) for b in facts.blocks if b["md"]])):
            for locations in before:
                if kept(locations):
                    self.check(locations in after, "harmed", what, f"{what} on {set(locations)} is gone, there is {after}")
        names = {b["dm"] for b in facts.blocks if b["dm"]}
        for name, locations in self.base.dm.items():
            if kept(locations):
                self.check(name in names, "harmed", "dm " + name, "the mapping is gone")
        addresses = {(n["mac"], a) for n in facts.nets for a in n["addresses"]}
        carriers = frozenset().union(*self.base.addresses.values()) if self.base.addresses else frozenset()
        for (mac, address), locations in self.base.addresses.items():
            if kept(locations):
                self.check((mac, address) in addresses, "harmed", "address " + address, f"it is gone from {mac}")
        if kept(carriers):
            for route in self.base.routes:
                self.check(route in facts.texts["route"], "harmed", "route", f"{route} is gone")
        for location in state.present:
            self.check(location in facts.devices, "harmed", "device " + location, "it is gone, and nobody unplugged it")
        for text in self.base.facts.texts["console"]:
            self.check(text in facts.texts["console"], "harmed", "console", f"{text} is gone")

    # Each device is where it is meant to be.

    def devices(self, state, facts):
        for location in facts.devices:
            outcome = state.expected(location)
            driver, override = facts.driver(location), facts.devices[location]["override"]
            name = self.name(facts, location)
            if outcome.kind == "go" and not self.shows_console(facts, location):
                self.check(driver == outcome.driver, "not-taken", location, f"{name} is meant for {outcome.driver}, "
                           f"its driver is {driver}, its override {override}")
            elif outcome.kind == "stay" and location in self.base.native:
                native = self.base.native[location]
                kind = "taken" if driver in OURS else "left-without-driver" if not driver else "other-driver"
                self.check(driver == native or (not driver and self.cannot_drive(facts, location, native)), kind, location,
                           f"{name} is meant to stay on {native}, its driver is {driver}")
                self.check(override == "(null)", "override-left", location,
                           f"{name} is meant to stay, its driver_override is {override}")

    @staticmethod
    def shows_console(facts, location):
        """The kernel may choose another display than at the boot when one comes or goes."""
        return bool(facts.devices[location].get("boot_vga"))

    @staticmethod
    def has_given_up(facts, native):
        """snd_hda_intel finds nothing that works in an emulated GPU, keeps the number it had for it, and
        has 32 of them."""
        return native == "snd_hda_intel" and sum(e[2] == native for e in facts.events if e[0] == "probe") >= 32

    def cannot_drive(self, facts, location, native):
        """The kernel has taken an address of the device away, to make room for another one: no driver can enable it."""
        return facts.devices[location].get("lacks_address") or self.has_given_up(facts, native)

    # No native driver was asked.

    def lost_nothing(self, state, facts):
        self.check(not facts.lost_events, "lab", "trace", f"the kernel dropped {facts.lost_events} events")
        for location, since in state.watched.items():
            if location not in facts.devices or state.expected(location).kind != "go" or self.shows_console(facts, location):
                continue
            # A driver that was registered before vfio-pci is asked first.
            natives = self.native_probes(facts, location, since) - self.base.early
            self.check(not natives, "lost", location, f"{self.name(facts, location)} was probed by {', '.join(sorted(natives))}")

        # Not even for a moment.
        for location, since in state.spared.items():
            if location in facts.devices and state.expected(location).kind == "stay":
                address = facts.devices[location]["address"]
                ours = {drv for kind, dev, drv in facts.events[since:] if kind == "probe" and dev == address} & OURS
                self.check(not ours, "taken", location, f"{self.name(facts, location)} was probed by {', '.join(sorted(ours))}")

    @staticmethod
    def native_probes(facts, location, since):
        address = facts.devices[location]["address"]
        return {drv for kind, dev, drv in facts.events[since:] if kind == "probe" and dev == address} - OURS

    # What is said is so.

    def named_all(self, state, facts, said):
        for location, device in facts.devices.items():
            outcome, name = state.expected(location), self.name(facts, location)
            state_said = said.devices.get(device["address"], {}).get("State")
            if outcome.kind == "go" and device["driver"] == outcome.driver:
                self.check(state_said == "bound", "lie-state", location, f"{name} is on {outcome.driver}, and said to be {state_said}")
            if location in state.released and state.outcomes.get(location) and state.outcomes[location].kind == "go":
                self.check(state_said == "released", "lie-state", location, f"{name} was released, and is said to be {state_said}")

    def lied_about_device(self, state, facts, address, said):
        location = facts.location.get(address)
        self.check(location is not None, "lie-gone", address, "the bus has a device that the kernel has not")
        if location is None:
            return
        device, group = facts.devices[location], facts.devices[location]["group"]
        def same(what, real, kind):
            self.check(said[what] == real, kind, location, f"{self.name(facts, location)}: {what} is {said[what]}, really {real}")
        same("Driver", device["driver"] or "", "lie-driver")
        same("Id", device["id"], "lie-id")
        same("IommuGroup", 4294967295 if group is None else group, "lie-group")
        if group is not None:
            self.check(sorted(said["GroupMembers"]) == sorted(facts.groups.get(group, [])), "lie-members", location,
                       f"GroupMembers is {said['GroupMembers']}, really {facts.groups.get(group)}")
        if said["State"] == "bound":
            self.check(device["driver"] == state.expected(location).driver, "lie-bound", location,
                       f"{self.name(facts, location)} is said to be bound, its driver is {device['driver']}")
        if said["State"] == "released":
            self.check(device["driver"] not in OURS, "lie-released", location, f"its driver is {device['driver']}")
        self.usable(state, facts, location, said)
        since = state.present.get(location, 0)
        touched = bool(self.native_probes(facts, location, since))
        # That a native driver was asked and failed does not show.
        if not self.host.native.get("probe_fail") and not self.has_given_up(facts, self.base.native.get(location)) and (self.base.native.get(location) or not touched):
            self.check(said["Untouched"] != touched, "lie-untouched", location,
                       f"{self.name(facts, location)}: Untouched is {said['Untouched']}, probed by "
                       f"{self.native_probes(facts, location, since) or 'nobody'}")

    def usable(self, state, facts, location, said):
        device = facts.devices[location]
        vfio = facts.vfio.get(device["group"])
        name = self.name(facts, location)
        if not vfio or device["driver"] not in VFIO:
            self.check(not said["Usable"], "lie-usable", location, f"{name} is said to be usable, and is on {device['driver']}")
            return
        if vfio["open"] == "EBUSY":
            self.check(location in state.held, "leak", "group", f"{name}: its group is open, and not by the virtual machine")
            return
        real = vfio["devices"].get(device["address"]) == "ok"
        self.check(said["Usable"] == real, "lie-usable", location,
                   f"{name}: Usable is {said['Usable']}, opening group {device['group']} says {vfio}")
        if vfio["viable"] is not None:
            self.check(("group-not-viable" in said["Problems"]) == (not vfio["viable"]), "lie-viable", location,
                       f"{name}: Problems are {said['Problems']}, the kernel says viable: {vfio['viable']}")

    def lied_about_all(self, state, facts, said):
        devices, manager = said.devices.values(), said.manager
        bound = sum(d["State"] == "bound" for d in devices)
        usable = sum(d["Usable"] or (d["State"] == "bound" and "vfio" not in d["Driver"]) for d in devices)
        for name, real in (("Bound", bound), ("Usable", usable), ("Matched", len(devices))):
            self.check(manager[name] == real, "lie-count", name, f"{name} is {manager[name]}, its devices say {real}")
        self.check(bool(manager["PolicyErrors"]) == bool(state.policy.error), "lie-errors", "policy",
                   f"PolicyErrors is {manager['PolicyErrors']}, the error is {state.policy.error!r}")
        if manager["State"] == "ready":
            unmet = [p for p in facts.devices if state.expected(p).kind == "go"
                     and facts.driver(p) != state.expected(p).driver]
            self.check(not unmet and not state.policy.error, "lie-ready", "manager", f"it is said to be ready; not taken: {unmet}")

    # Everything answers.

    def hung_nothing(self, state, facts, said, failed_units):
        self.check(said is not None or state.stopped, "hung", "bus", "nobody answers on the bus")
        more = failed_units - self.base.failed
        if not state.excused:
            self.check(not more, "failed-unit", " ".join(sorted(more)), f"failed: {more}")
        # A native driver whose remove() hangs is reported by the kernel's watchdog: that is no error of ours.
        # Nor is what the kernel says without us as well, at another time.
        def untimed(text):
            return text.split("] ", 1)[-1]
        before = set(map(untimed, self.base.facts.texts["kernel"]))
        new = [t for t in facts.texts["kernel"] if untimed(t) not in before
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
        for location, device in facts.devices.items():
            self.check(device["override"] == "(null)", "left", "override " + location,
                       f"{self.name(facts, location)} has the override {device['override']} under the empty policy")
        if said:
            self.check(not said.devices, "left", "objects", f"the bus still has {sorted(said.devices)}")
        for path, text in facts.run.items():
            words = [w for w in text.replace("=", " ").split() if ADDRESS.match(w)]
            self.check(not words, "left", "run", f"{path} still names {words}")

    def rebooted_without_trace(self, facts):
        for location in self.base.facts.devices:
            self.check(location in facts.devices, "harmed", "device " + location, "it is gone after the reboot")
        asked = {dev for kind, dev, drv in facts.events if kind == "probe" and drv in OURS}
        self.check(not asked, "left", "probe", f"{sorted(asked)} were probed after the reboot, under the empty policy")

    def name(self, facts, location):
        device = facts.devices[location]
        card = self.host.card_of(location)
        return f"{device['address']} ({device['id']}, {card.name if card else 'of the chip set'})"
