# SPDX-License-Identifier: GPL-2.0-or-later
"""A random policy for a host. The intent comes first: which functions are meant to go.

Then rules are written that say so, and a few that name more than can be meant: a network card by its
ID alone, every disk of a vendor. Those must not take anything the host may live on. Whoever judges
sees the outcome of each function, never the rules:

    go    must be on the rule's driver, and no native driver may have been asked if it was there at
          boot, or if the rule prevents that for what is plugged in: otherwise it may have been faster
    stay  must be where it is without vfio-bindd
    free  the documentation leaves it open, or it depends on timing: only lies are judged
"""

from dataclasses import dataclass, field

# At a cold boot nothing shows yet whether the host lives on one of these; of "misc", a class that
# nobody has heard of, nothing is known at all.
RISKY = ("net", "disk", "misc")
# Where "driver = auto" does not mean vfio-pci: the lab has a variant driver for these (modules/lab_vfio_pci.c).
VARIANTS = {"10de:20f1": "lab-vfio-pci"}
# With one of these a rule prevents native probes only if it says so.
NARROWING = ("address", "slot", "serial", "class", "subsystem")


@dataclass
class Outcome:
    kind: str  # go, stay, free
    driver: str = "vfio-pci"
    selected: bool = False  # a rule fits it, whatever comes of it
    prevented: bool = False  # no native driver is asked when it is plugged in


@dataclass
class Policy:
    rules: list = field(default_factory=list)  # (name, [(key, value)]) in the order of decision
    here: dict = field(default_factory=dict)  # location → Outcome, for what is there when it is read
    plugged: dict = field(default_factory=dict)  # the same for what is plugged in afterwards
    excused: set = field(default_factory=set)  # whose use by the host may end: named or forced
    error: str = ""
    level: str = ""
    split: int = 0  # so many rules are in a drop-in

    def files(self):
        def text(rules):
            return "\n".join("[device %s]\n%s" % (name, "".join(f"{k} = {v}\n" for k, v in keys))
                             for name, keys in rules)
        main = (f"[daemon]\nlog-level = {self.level}\n\n" if self.level else "# the host's policy\n")
        return {"/etc/vfio-bindd.conf": main + text(self.rules[self.split:]) + self.error,
                "/etc/vfio-bindd.conf.d/50-lab.conf": "# a drop-in\n" + text(self.rules[:self.split])}

    def describe(self):
        rules = "\n".join(f"  [{n}] " + "; ".join(f"{k} = {v}" for k, v in keys) for n, keys in self.rules)
        outcomes = " ".join(f"{p}={o.kind}" for p, o in sorted(self.here.items()) if o.kind != "stay")
        return rules + (f"\n  error: {self.error.strip()}" if self.error else "") + \
            f"\n  meant: {outcomes or 'nothing'}"


def empty():
    return Policy()


class Writer:
    """Chooses what is meant for the functions of each ID, and writes the rules."""

    def __init__(self, rng, host, devices, groups, running):
        """devices: location → what the kernel says of it, those to be plugged later included."""
        self.rng, self.host, self.devices, self.groups, self.running = rng, host, devices, groups, running
        self.policy = Policy()
        self.decided = set()  # locations for which an earlier rule fits, or that stay beside one
        self.unnamed = set()  # those that stay or go beside one: a later rule may fit them
        self.prevented = self.prevention_asked_for = False  # by the rule that is being written

    # Outcomes.

    def settle(self, function, here, plugged, driver="vfio-pci", selected=True):
        self.policy.here[function.location] = Outcome(here, driver, selected)
        prevented = function.kind != "companion-function" and \
            (self.prevention_asked_for if function.kind in RISKY else self.prevented)
        self.policy.plugged[function.location] = Outcome(plugged, driver, selected, prevented)
        self.decided.add(function.location)
        self.unnamed.discard(function.location)

    def by_id(self, function, hotplug=""):
        """A rule without a location and without force fits it."""
        later = "stay" if hotplug == "off" else "go"
        device = self.devices[function.location]
        if function.kind in RISKY:
            # After the boot only what no driver has is taken by its ID.
            self.settle(function, "free" if not device["driver"] and not function.use else "stay", later)
        else:
            # The first VGA device is the boot's display, if anything shows the console there.
            self.settle(function, "free" if device.get("boot_vga") else "go", later)

    def by_location(self, function, hotplug="", driver="vfio-pci", force=False):
        later = "stay" if hotplug == "off" else "go"
        if function.use == "root":
            self.settle(function, "stay", "stay")
        elif function.use and not self.running:
            # Nothing shows yet that the host uses it: naming it is the administrator's word.
            self.settle(function, "free", "free")
            self.policy.excused.add(function.location)
        elif function.use:
            self.settle(function, "free" if force else "stay", "free")
            if force:
                self.policy.excused.add(function.location)
        else:
            self.settle(function, "free" if self.devices[function.location].get("boot_vga") else "go", later, driver)

    def companion_functions(self, function, matched=False):
        """What cannot carry a host goes where the function of its card goes, the rest stays."""
        mates = [f for f in self.mates(function) if f.location not in self.decided]
        for other in sorted(mates, key=lambda f: f.kind not in RISKY):
            mine, mine_later = self.policy.here[function.location], self.policy.plugged[function.location]
            if not matched and other.kind not in RISKY:
                driver = "vfio-pci" if mine.driver in VARIANTS.values() else mine.driver
                self.settle(other, mine.kind, mine_later.kind, driver)
                self.unnamed.add(other.location)
                continue
            # A second port is not taken unless it is named; and then the first is of no use.
            self.settle(other, "stay", "stay", selected=False)
            self.unnamed.add(other.location)
            if not matched and any(other.location in g and function.location in g for g in self.groups.values()):
                self.settle(function, *("free" if m.kind == "go" else m.kind for m in (mine, mine_later)), mine.driver)

    def mates(self, function):
        """The other functions of its slot; virtual ones are each for themselves."""
        card = self.host.card_of(function.location)
        return [f for f in card.functions if f is not function and not card.physical]

    def fits_as_well(self, fits, force=False):
        """A rule without a location fits what stays or goes beside an earlier one: it decides then."""
        for location in sorted(filter(fits, self.unnamed)):
            stays = self.host.function(location).kind in RISKY and self.devices[location]["driver"] and not force
            certain = not self.devices[location]["class"].startswith("0c")  # a GPU's USB-C port
            for table in (self.policy.here, self.policy.plugged):
                if table[location].kind == "go":
                    table[location].driver = "vfio-pci"
                if table[location].kind != "go" or stays or not certain:
                    table[location] = Outcome("stay" if stays else "free", table[location].driver, True)

    # Rules.

    def rule(self, name, *keys, hotplug=""):
        extra = [("hotplug", hotplug)] if hotplug else []
        by_id, narrowed = any(k == "id" for k, _ in keys), any(k in NARROWING for k, _ in keys)
        self.prevention_asked_for = by_id and hotplug == "prevent"
        self.prevented = self.prevention_asked_for or (by_id and not hotplug and not narrowed)
        self.policy.rules.append((f"{name}-{len(self.policy.rules)}", list(keys) + extra))

    def hotplug(self):
        return self.rng.choice(("", "", "", "prevent", "rebind", "off"))

    def location_keys(self, function, whole=False):
        """Keys that fit this function and no other (whole: all functions of its slot, no other).

        An address names nothing without an ID."""
        device, rng, card = self.devices[function.location], self.rng, self.host.card_of(function.location)
        ids = ", ".join(dict.fromkeys(f.id for f in card.functions)) if whole else device["id"]
        locations = [[("id", ids), ("address", device["address"][:-1] + "*" if whole else device["address"])]]
        single = len(card.functions) == 1 and not any(function.location == c.physical or c.physical and c is card
                                                      for c in self.host.cards)
        if device["slot"] and (whole or single):
            locations += [[("slot", device["slot"])]] * 2
        if device["serial"] and single:
            locations += [[("serial", device["serial"])]]
        if len({f.id for f in card.functions}) == 1 or not whole:
            locations += [[("id", device["id"]), keys[-1]] for keys in locations]
        return rng.choice(locations)

    def take(self, function, force=False):
        hotplug = self.hotplug()
        driver = self.rng.choice(["", "", "", "", "", "auto", "pci-stub"]) if not function.use else ""
        keys = self.location_keys(function)
        if driver:
            keys = keys + [("driver", driver)]
        matched = bool(self.mates(function)) and self.rng.random() < 0.2
        if matched:
            keys = keys + [("group", "matched")]
        if force:
            keys = keys + [("force", "yes")]
        self.rule("take", *keys, hotplug=hotplug)
        self.by_location(function, hotplug, self.target(function, driver), force)
        self.companion_functions(function, matched)

    def target(self, function, driver):
        variant = VARIANTS.get(self.devices[function.location]["id"], "vfio-pci")
        return {"": "vfio-pci", "auto": variant}.get(driver, driver)

    def keep(self, function):
        device = self.devices[function.location]
        where = ("slot", device["slot"]) if device["slot"] and self.rng.random() < 0.6 else \
            ("address", device["address"])
        self.rule("keep", ("id", device["id"]), where, ("driver", "native"))
        for f in self.host.card_of(function.location).functions:
            if f is function or f.kind == "companion-function":
                self.settle(f, "stay", "stay", selected=False)

    def all_of(self, functions, form):
        hotplug = self.hotplug()
        self.rule("all", form, hotplug=hotplug)
        self.fits_as_well(lambda location: self.devices[location]["id"] == form[1])
        for f in functions:
            self.by_id(f, hotplug)
            self.companion_functions(f)

    def gpus(self, functions):
        ident = self.devices[functions[0].location]["id"]
        way = self.rng.random()
        if way < 0.40:
            self.all_of(functions, ("id", ident))
        elif way < 0.65:
            for f in self.rng.sample(functions, self.rng.randint(1, len(functions))):
                self.take(f)
        elif way < 0.85:
            for f in self.rng.sample(functions, self.rng.randint(1, max(1, len(functions) - 1))):
                self.keep(f)
            self.all_of([f for f in functions if f.location not in self.decided], ("id", ident))

    def risky(self, functions):
        ident = self.devices[functions[0].location]["id"]
        way = self.rng.random()
        unused = [f for f in functions if not f.use and not self.shared(f)]
        if way < 0.30:
            self.trap(functions, ident)
        elif way < 0.70 and unused:
            for f in self.rng.sample(unused, self.rng.randint(1, len(unused))):
                if f.location not in self.decided or f.location in self.unnamed:
                    self.take_or_all(f)
            if self.rng.random() < 0.5:
                self.trap([f for f in functions if f.location not in self.decided], ident)
        elif way < 0.78 and len(unused) == len(functions):
            self.rule("force", ("id", ident), ("force", "yes"))
            self.fits_as_well(lambda location: self.devices[location]["id"] == ident, force=True)
            for f in functions:
                self.by_location(f, force=True)
                self.companion_functions(f)
        elif way < 0.84:
            # Without what it is told to mount the host does not come up, as it was told.
            f = self.rng.choice(functions)
            if not self.shared(f) and f.use not in self.host.required:
                self.take(f)

    def shared(self, function):
        return function.location in self.decided

    def take_or_all(self, function):
        """All functions of its slot by one rule, or only this one, which must not take the others."""
        card = [function, *self.mates(function)]
        if len(card) > 1 and self.rng.random() < 0.5 and not any(f.use or f.location in self.decided for f in card):
            self.rule("ports", *self.location_keys(function, whole=True))
            for f in card:
                self.by_location(f)
        else:
            self.take(function)

    def trap(self, functions, ident):
        """Names what the host may live on, but no location."""
        if not functions:
            return
        narrow = self.rng.choice(([], [], [("address", "0000:*:*")], [("address", "!0000:00:00.0")],
                                  [("class", self.devices[functions[0].location]["class"][:2])]))
        self.rule("trap", ("id", ident), *narrow)
        self.fits_as_well(lambda location: self.devices[location]["id"] == ident)
        for f in functions:
            self.by_id(f)
            self.companion_functions(f)

    def harmless(self, functions):
        way = self.rng.random()
        if way < 0.4:
            self.take_or_all(self.rng.choice(functions))
        elif way < 0.6:
            self.all_of(functions, ("id", self.devices[functions[0].location]["id"]))

    def wide(self):
        """A last rule that fits whatever of a vendor, a class or a board no earlier rule fits."""
        key, value = self.rng.choice((("id", "8086:*"), ("id", "1af4:*"), ("id", "1b36:*"), ("id", "1000:*"),
                                      ("class", "01"), ("class", "02"), ("class", "08"), ("class", "0c03"),
                                      ("class", "03"), ("class", "0302"), ("id", "10de:*"),
                                      ("subsystem", "1af4:1100")))
        def fits(location):
            device = self.devices[location]
            return (device["id"].startswith(value[:5]) if key == "id" else
                    device["class"].startswith(value) if key == "class" else device["subsystem"] == value)
        known = {f.location: f for f in self.host.functions()}
        hit = [p for p in self.devices if p not in self.decided and fits(p)]
        self.rule("wide", (key, value))
        self.fits_as_well(fits)
        for location in hit:
            if location in known and location not in self.decided:
                self.by_id(known[location])
        for location in hit:
            if location in known:
                self.companion_functions(known[location])
            elif self.devices[location]["header"] == 0 and not self.devices[location]["class"].startswith("06"):
                # The chip set's own: some of it may go, by what it is.
                outcome = "stay" if self.devices[location]["class"][:2] in ("01", "02", "0c") else "free"
                self.policy.here[location] = self.policy.plugged[location] = Outcome(outcome, selected=True)

    def whole_group(self):
        """One function of a bridge's group, of a card or of the chip set, and with it the group but its bridges."""
        for members in self.groups.values():
            known = [f for f in self.host.functions() if f.location in members]
            bridges = [p for p in members if self.devices[p]["class"].startswith("06")]
            if len(known) < 2 or len(known) + len(bridges) < len(members) or \
                    any(f.use or f.location in self.decided or f.kind in ("gpu", "companion-function") for f in known):
                continue
            if self.rng.random() < (0.1 if self.host.card_of(known[0].location).integrated else 0.3):
                first = self.rng.choice(known)
                device = self.devices[first.location]
                self.rule("group", ("id", device["id"]), ("address", device["address"]), ("group", "all"))
                for f in known:
                    self.settle(f, "go", "go")
                self.unnamed |= {f.location for f in known if f is not first}

    def leave_the_lab_open(self):
        """The lab has devices of its own, which are on no host's list; a rule by ID may fit one."""
        ids = {value for _, keys in self.policy.rules for key, value in keys if key == "id"}
        known = {f.location for f in self.host.functions()}
        for location, device in self.devices.items():
            if location not in known and location not in self.policy.here and device["id"] in ids:
                self.policy.here[location] = self.policy.plugged[location] = Outcome("free", selected=True)

    # What holds for IOMMU groups and hosts as a whole.

    def groups_settle(self):
        for members in self.groups.values():
            for table in (self.policy.here, self.policy.plugged):
                kept = [p for p in members if p in table and table[p].selected and table[p].kind != "go"]
                if kept:
                    for p in members:
                        if p in table and table[p].kind == "go":
                            table[p] = Outcome("free", table[p].driver, True)

    def no_iommu(self):
        for table in (self.policy.here, self.policy.plugged):
            for location, o in table.items():
                if o.kind == "go" and "vfio" in o.driver:
                    table[location] = Outcome("free" if self.host.noiommu else "stay", o.driver, True)


def write(rng, host, devices, groups, running):
    w = Writer(rng, host, devices, groups, running)
    w.policy.level = rng.choice(("", "debug", "info", "warning"))
    by_id = {}
    for f in host.functions():
        if f.kind != "companion-function" and f.location in devices:
            by_id.setdefault(devices[f.location]["id"], []).append(f)
    w.whole_group()
    order = sorted(by_id)
    rng.shuffle(order)
    for ident in order:
        functions = [f for f in by_id[ident] if f.location not in w.decided]
        if not functions:
            continue
        kind = functions[0].kind
        if all(host.card_of(f.location).integrated for f in functions) and rng.random() < 0.6:
            continue
        (w.gpus if kind == "gpu" else w.risky if kind in RISKY else w.harmless)(functions)
    if rng.random() < 0.35:
        w.wide()
    w.leave_the_lab_open()
    w.groups_settle()
    if host.iommu == "none":
        w.no_iommu()
    if not running and rng.random() < 0.12:
        w.policy.error = rng.choice(("\n[device broken]\nids = 10de:20f1\n", "\n[device]\nid = 10de:20f1\n",
                                       "\n[device broken]\nid = 10DE-20f1\n", "\n[device broken]\nid=10de:20f1 # all\n"))
    w.policy.split = rng.randint(0, len(w.policy.rules)) if rng.random() < 0.3 else 0
    return w.policy
