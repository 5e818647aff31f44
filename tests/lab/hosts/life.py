# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a host: what happens to it, what is meant after each step, and the check of it."""

import time

import policy as policies
from facts import Facts, Said
from guest import GuestError
from judge import OURS, Violation

FACTS = "/lab/facts"
OBJECTS = ("busctl --json=short --timeout=20 call org.vfio.Bindd1 /org/vfio/Bindd1 "
           "org.freedesktop.DBus.ObjectManager GetManagedObjects && "
           "busctl --json=short --timeout=20 call org.vfio.Bindd1 /org/vfio/Bindd1 "
           "org.freedesktop.DBus.Properties GetAll s org.vfio.Bindd1.Manager")
CALL = "busctl --timeout=60 call org.vfio.Bindd1 /org/vfio/Bindd1 org.vfio.Bindd1.Manager "
LISTED = "systemctl list-units --failed --no-legend --plain | cut -d' ' -f1"
EMUGPU = "/sys/module/emugpu/parameters/"
# What may pass: a rescan that is on its way, an event that udev has not handled.
PATIENCE = 12


def plug(guest, card, facts):
    """A card that comes while the host runs, or the virtual functions of one."""
    if card.physical:
        at = f"/sys/bus/pci/devices/{facts.devices[card.physical]['address']}/sriov_"
        guest.run(f"echo {int(card.autoprobe)} >{at}drivers_autoprobe; echo {len(card.functions)} >{at}numvfs", 60)
    elif card.emulated:
        guest.run(f"echo {card.slot} >{EMUGPU}plug", 60)
    else:
        guest.add_device(card.qemu[card.qemu.index("-device") + 1])


class State:
    """What is meant now, location by location."""

    def __init__(self, policy):
        self.policy = policy
        self.rebooted = False
        self.split = set()  # those with virtual functions, which would vanish with their driver
        self.outcomes = dict(policy.here)
        self.released, self.held, self.excused = set(), set(), set(policy.excused)
        self.present = {}  # location → how many events there were when it appeared
        self.watched = {}  # location → since when no native driver may be asked
        self.spared = {}  # location → since when no driver of ours may be asked
        self.refused = set()  # what was refused because the host may need it
        self.stopped = self.empty = False

    def expected(self, location):
        if location in self.released:
            return policies.Outcome("stay")
        if location in self.split:
            return policies.Outcome("stay", selected=True)
        return self.outcomes.get(location, policies.Outcome("stay"))

    def appears(self, location, events):
        outcome = self.policy.plugged.get(location, policies.Outcome("stay"))
        if location in self.refused:
            outcome = policies.Outcome("stay", selected=True)
        self.outcomes[location] = outcome
        self.present[location] = events
        if outcome.kind == "go" and outcome.prevented and location not in self.released:
            self.watched[location] = events

    def goes(self, location):
        if self.expected(location).kind == "stay" and self.expected(location).selected:
            self.refused.add(location)
        for table in (self.outcomes, self.present, self.watched, self.spared):
            table.pop(location, None)

    def joined(self, location):
        """Its virtual functions are gone: may it be taken then, or only at the next reload?"""
        self.split.discard(location)
        if self.expected(location).kind == "go":
            self.outcomes[location] = policies.Outcome("free", self.outcomes[location].driver, True)

    def reload(self, policy, facts):
        """What is held by somebody is not handed back, and not taken either."""
        before, self.policy = self.outcomes, policy
        self.outcomes = {p: o for p, o in policy.here.items() if p in facts.devices}
        for location, outcome in self.outcomes.items():
            # It was taken by another rule, with a location perhaps: the host does not use it, and a rule fits it,
            # which may be for another driver.
            if outcome.kind == "stay" and outcome.selected and facts.driver(location) in OURS:
                self.outcomes[location] = policies.Outcome("free", outcome.driver, True)
            # "hotplug = off" holds for what was plugged in under an earlier policy as well.
            elif outcome.kind == "go" and self.present.get(location) and policy.plugged.get(location, outcome).kind == "stay":
                self.outcomes[location] = policies.Outcome("free", outcome.driver, True)
        for location in self.held:
            if location in before and self.expected(location) != before[location]:
                self.outcomes[location] = policies.Outcome("free", before[location].driver)
        self.watched = {p: n for p, n in self.watched.items()
                        if p not in self.released and self.expected(p).kind == "go"}
        self.released.clear()
        self.refused.clear()
        self.spared = {p: n for p, n in self.spared.items() if self.expected(p).kind == "stay"}
        self.excused |= policy.excused


class Life:
    def __init__(self, host, guest, judge, state, rng, log):
        self.host, self.guest, self.judge, self.state, self.rng, self.log = host, guest, judge, state, rng, log
        self.violations = []  # (step, violation)
        self.steps = 0
        self.soaking = False
        self.facts = self.said = None
        self.plugged = {c.name for c in host.cards if not c.later}

    # Looking.

    def look(self):
        opens = "" if not self.state.held else " --no-open" if len(self.state.held) > 40 else ""
        status, text = self.guest.run(FACTS + opens, 60)
        facts = Facts(text)
        status, text = self.guest.run(OBJECTS, 30)
        said = Said(text) if status == 0 and text.startswith("{") else None
        if not said and not self.state.stopped:
            self.log(f"    the bus: status {status}: {text[:200]}")
        return facts, said

    def settle(self):
        self.guest.run("udevadm settle -t 15", 20)
        deadline = time.monotonic() + 45
        while time.monotonic() < deadline and not self.state.stopped:
            status, text = self.guest.run(OBJECTS, 30)
            if status == 0 and text.startswith("{"):
                said = Said(text)
                # No object: the daemon has just begun.
                if said.manager.get("State") not in (None, "starting") and \
                        not any(d["State"] == "pending" and not d["Reason"] for d in said.devices.values()):
                    return
            time.sleep(1)

    def check(self, step):
        """Judges; what is over a moment later was no violation, but for what cannot be undone."""
        self.steps += 1
        self.settle()
        said_before = {(v.kind, v.subject) for _, v in self.violations}
        found = None
        for attempt in range(PATIENCE):
            self.facts, self.said = self.look()
            units = set(self.guest.run(LISTED, 20)[1].split())
            new = self.judge.judge(self.state, self.facts, self.said, units)
            found = new if found is None else [v for v in new if (v.kind, v.subject) in {(f.kind, f.subject) for f in found}]
            found = [v for v in found if (v.kind, v.subject) not in said_before]
            if all(v.kind in ("lost", "kernel") for v in found):
                break
            time.sleep(2)
        for violation in found:
            self.log(f"    BROKEN {violation}")
            self.violations.append((step, violation))
        for location in self.facts.devices:
            if self.state.expected(location).kind == "go" and self.facts.driver(location) == self.state.expected(location).driver:
                self.state.watched.setdefault(location, len(self.facts.events))
            if self.state.expected(location).kind != "stay":
                self.state.spared.pop(location, None)
            elif self.facts.driver(location) == self.judge.base.native.get(location):
                self.state.spared.setdefault(location, len(self.facts.events))

    # Acting. Each does something, and says what is meant from then on.

    def booted(self):
        self.guest.wait_for_uses(self.state.excused, 120)
        facts, _ = self.look()
        since = facts.handed_over()
        for location in self.judge.base.facts.devices:
            self.state.present[location] = self.state.spared[location] = 0
            if self.state.expected(location).kind == "go":
                self.state.watched[location] = since
        self.ready_in_time()
        self.check("boot")

    def ready_in_time(self):
        """boot-deadline is 10 s; the rest is for a busy machine."""
        times = self.guest.run("systemctl show -P InactiveExitTimestampMonotonic -P ActiveEnterTimestampMonotonic "
                               "vfio-bindd", 20)[1].split()
        took = abs(int(times[1]) - int(times[0])) / 1e6 if len(times) == 2 else None
        if took is None or "0" in times or took > 60:
            self.violations.append(("boot", Violation("hung", "ready", f"READY after {took} s: {times}")))

    def random_steps(self, count):
        for _ in range(count):
            choices = [step for step, weight in self.possible() for _ in range(weight)]
            step = self.rng.choice(choices)
            name = step.__name__.replace("_", "-")
            self.log(f"  step {name}")
            detail = step() or ""
            self.log(f"    {detail}")
            self.check(name)

    def soak(self, minutes):
        """Lives on; descriptors, memory, processes and what is kept in /run must be flat."""
        self.soaking = True
        series, end = [], time.monotonic() + minutes * 60
        first = self.guest.run("systemctl show -P MainPID vfio-bindd", 20)[1]
        while time.monotonic() < end:
            self.random_steps(1)
            ours = {d["pid"] for d in self.facts.daemons}
            for daemon in self.facts.daemons:
                if daemon.get("parent") not in ours:
                    series.append((daemon["fds"], daemon["anonymous_kib"], len(ours) - 1,
                                   sum(map(len, self.facts.run.values()))))
        quarter = len(series) // 4
        self.log(f"  soak: {self.steps} steps")
        if not quarter or self.guest.run("systemctl show -P MainPID vfio-bindd", 20)[1] != first:
            self.violations.append(("soak", Violation("lab", "soak", f"{self.steps} steps, and not by one process")))
            return
        for number, (name, slack) in enumerate((("descriptors", 2), ("anonymous KiB", 600), ("workers", 1), ("bytes in /run", 2048))):
            values = [row[number] for row in series]
            first, last = sorted(values[:quarter])[quarter // 2], sorted(values[-quarter:])[quarter // 2]
            tenth = max(1, len(values) // 10)
            tenths = [sorted(values[i:i + tenth])[tenth // 2] for i in range(0, len(values) - tenth + 1, tenth)]
            self.log(f"  soak: {name}: {first} in the first quarter, {last} in the last, {max(values)} at most; "
                     f"tenth by tenth {tenths}")
            if last > first + slack:
                self.violations.append(("soak", Violation("leak", name.replace(" ", "-"), f"{first} became {last}")))

    def possible(self):
        s = self.state
        bound = [p for p in self.facts.devices if s.expected(p).kind == "go" and p not in s.held]
        steps = [(self.rescan, 1), (self.rescan_starved, 1), (self.kill, 1), (self.restart, 1), (self.stop_and_start, 1),
                 (self.reload_another, 3), (self.refused_reload, 1), (self.restart_journal, 1), (self.restart_bus, 1)]
        if self.soaking:  # by one process
            steps = [s for s in steps if s[0] not in (self.kill, self.restart, self.stop_and_start)]
        if self.cards_to_come():
            steps.append((self.plug, 4))
        if self.cards_to_go():
            steps.append((self.unplug, 2))
        if any(c.slot for c in self.cards_to_go()):
            steps.append((self.remove_and_rescan, 2))
        if bound:
            steps += [(self.release, 3)]
            if not s.held and self.usable():
                steps.append((self.virtual_machine, 2))
        if s.held:
            steps.append((self.end_of_virtual_machine, 3))
        if s.released & set(self.facts.devices):
            steps += [(self.bind, 3), (self.released_and_starved, 2)]
        if not self.host.native and any(f.kind == "gpu" for f in self.host.functions()):
            steps.append((self.load_native_anew, 1))
        return steps

    def cards_to_come(self):
        """Virtual functions are made by the native driver of their physical one, and only by it."""
        return [c for c in self.host.cards if c.later and c.name not in self.plugged and
                (not c.physical or self.facts.driver(c.physical) == self.judge.base.native[c.physical])]

    def cards_to_go(self):
        """In a slot or virtual, of no use to the host, and nobody has them."""
        return [c for c in self.host.cards if c.name in self.plugged and (c.slot or c.physical) and not c.used
                and (c.later or c.emulated) and not any(f.location in self.state.held for f in c.functions)]

    def usable(self):
        return [p for p, d in self.facts.devices.items() if self.state.expected(p).kind == "go"
                and self.facts.vfio.get(d["group"], {}).get("devices", {}).get(d["address"]) == "ok"]

    def events(self):
        return len(Facts(self.guest.run(FACTS + " --no-open", 60)[1]).events)

    def wait_for(self, command, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.guest.run(command, 20)[0] == 0:
                return True
            time.sleep(0.5)
        return False

    def there(self, card):
        paths = [f"/sys/bus/pci/devices/{self.address(f.location)}" for f in card.functions]
        return " && ".join(f"[ -e {p} ]" for p in paths)

    def address(self, location):
        return self.judge.base.devices[location]["address"]

    def plug_card(self, card):
        events = self.events()
        for f in card.functions:
            self.state.appears(f.location, events)
        if card.physical:
            self.state.split.add(card.physical)
            if card.autoprobe:  # the native driver fails with them, if it is asked first
                for f in card.functions:
                    self.state.watched.pop(f.location, None)
        plug(self.guest, card, self.facts)
        self.plugged.add(card.name)
        if not self.wait_for(self.there(card)):
            raise GuestError(f"{card.name} does not appear")

    def plug(self):
        card = self.rng.choice(self.cards_to_come())
        self.plug_card(card)
        return card.name

    def unplug(self):
        card = self.rng.choice(self.cards_to_go())
        surprise = card.emulated and self.rng.random() < 0.4
        if card.emulated:
            self.guest.run(f"echo {card.slot} >{EMUGPU}{'surprise' if surprise else 'unplug'}", 60)
        elif card.physical:
            self.guest.run(f"echo 0 >/sys/bus/pci/devices/{self.address(card.physical)}/sriov_numvfs", 60)
            self.state.joined(card.physical)
        else:
            name = next(o[3:] for o in card.qemu[card.qemu.index("-device") + 1].split(",") if o.startswith("id="))
            self.guest.qmp("device_del", id=name)
        if not self.wait_for(f"! {{ {self.there(card)}; }}", 40):
            raise GuestError(f"{card.name} does not go")
        for f in card.functions:
            self.state.goes(f.location)
        if card.later or card.emulated:
            self.plugged.discard(card.name)
            card.later = True
        return card.name + (" by surprise" if surprise else "")

    def remove_and_rescan(self):
        card = self.rng.choice([c for c in self.cards_to_go() if c.slot])
        for f in reversed(card.functions):
            self.guest.run(f"echo 1 >/sys/bus/pci/devices/{self.address(f.location)}/remove", 60)
            self.state.goes(f.location)
        events = self.events()
        for f in card.functions:
            self.state.appears(f.location, events)
        self.guest.run("echo 1 >/sys/bus/pci/rescan", 60)
        return card.name

    def group_of(self, location):
        group = self.facts.devices[location]["group"] if location in self.facts.devices else None
        return [self.facts.location[a] for a in self.facts.groups.get(group, [])] if group is not None else [location]

    def release(self):
        location = self.rng.choice([p for p in self.facts.devices if self.state.expected(p).kind == "go"])
        status, text = self.guest.run(CALL + f"Release st {self.address(location)} 0", 70)
        members = self.group_of(location)
        if status == 0 and any(p in self.state.held for p in members):
            self.violations.append(("release", Violation("lie-release", location, "released though somebody has it open")))
        elif status and not any(p in self.state.held or p in self.state.split for p in members):
            self.refused("release", location, text)
        if status == 0:
            gone = {p for p in members if self.state.expected(p).kind == "go"}
            self.state.released |= gone
            for p in gone:
                self.state.watched.pop(p, None)
        return f"{self.address(location)}: {text.strip() or 'done'}"

    def bind(self):
        location = self.rng.choice(sorted(self.state.released & set(self.facts.devices)))
        status, text = self.guest.run(CALL + f"Bind st {self.address(location)} 0", 70)
        if status == 0:
            self.state.released -= set(self.group_of(location))
        elif self.state.outcomes.get(location) and self.state.outcomes[location].kind == "go":
            self.refused("bind", location, text)
        return f"{self.address(location)}: {text.strip() or 'done'}"

    def refused(self, what, subject, text):
        self.log(f"    BROKEN refused {subject}: {what}: {text.strip()}")
        self.violations.append((what, Violation("refused", subject, f"{what}: {text.strip()[:300]}")))

    def does(self, command, timeout):
        """What can always be done."""
        status, text = self.guest.run(command, timeout)
        if status:
            self.refused("status %d" % status, command.split("/")[0].strip()[:40].replace(" ", "-"), text)

    def virtual_machine(self):
        location = self.rng.choice(self.usable())
        self.guest.run(f"/lab/vfio-open {self.address(location)} 7200 >/run/vm.log 2>&1 & echo $! >/run/vm.pid", 20)
        self.wait_for("[ -s /run/vm.log ]", 10)
        if self.guest.run("kill -0 $(cat /run/vm.pid)", 20)[0]:
            self.refused("open", location, self.guest.run("cat /run/vm.log", 20)[1])
            return f"{self.address(location)}: refused"
        self.state.held = set(self.group_of(location))
        return self.address(location)

    def end_of_virtual_machine(self):
        # Its descriptors are closed when it has ended, which may take a while.
        self.guest.run("p=$(cat /run/vm.pid); kill $p; for i in $(seq 150); do "
                       "[ -z \"$(ls /proc/$p/fd 2>/dev/null)\" ] && break; sleep 0.1; done", 30)
        self.state.held = set()
        # What a reload could not hand back while it was held, the next reload does. A policy with an error came
        # with the boot: a reload refuses it, and has handed back nothing.
        if not self.state.policy.error and any(o.kind == "free" for o in self.state.outcomes.values()):
            self.does("systemctl reload vfio-bindd", 100)
            self.state.reload(self.state.policy, self.facts)

    def put(self, files):
        for path, text in files.items():
            quoted = text.replace("'", "'\\''")
            self.guest.run(f"mkdir -p $(dirname {path}); printf '%s' '{quoted}' >{path}", 20)

    def reload_to(self, policy):
        self.put(policy.files())
        status, text = self.guest.run("systemctl reload vfio-bindd", 100)
        if status:
            self.violations.append(("reload", Violation("lie-reload", "policy", f"a valid policy was refused: {text}")))
            self.log(self.guest.run("vfio-bindd --check-policy", 20)[1])
            return
        self.state.reload(policy, self.facts)

    def reload_another(self):
        policy = policies.write(self.rng, self.host, self.judge.base.devices, self.judge.base.groups, running=True)
        self.log(policy.describe())
        self.reload_to(policy)

    def refused_reload(self):
        """An error refuses the whole; then the policy in force is read again."""
        good = self.state.policy.files()
        self.put({"/etc/vfio-bindd.conf": good["/etc/vfio-bindd.conf"] + "\n[device bad]\nid = 10de-20f1\n"})
        status, text = self.guest.run("systemctl reload vfio-bindd", 100)
        if status == 0:
            self.violations.append(("refused-reload", Violation("lie-reload", "policy", "an error was not refused")))
        if not self.state.policy.error:
            self.put(good)
            self.reload_to(self.state.policy)

    def rescan(self):
        self.does(CALL + "Rescan", 70)

    def rescan_starved(self):
        """A rescan for which there are no descriptors, and one when there are again."""
        self.guest.run("p=$(systemctl show -P MainPID vfio-bindd); prlimit --pid $p --nofile=15:1024; "
                       + CALL + "Rescan; sleep 2; prlimit --pid $p --nofile=1024:524288; " + CALL + "Rescan; sleep 1", 100)

    def released_and_starved(self):
        self.rescan_starved()

    def wait_active(self):
        self.wait_for("systemctl is-active -q vfio-bindd && busctl status org.vfio.Bindd1 >/dev/null 2>&1", 60)

    def kill(self):
        self.does("systemctl kill -s KILL --kill-whom=main vfio-bindd && sleep 2", 20)
        self.wait_active()

    def restart(self):
        self.does("systemctl restart vfio-bindd", 100)
        self.wait_active()

    def stop_and_start(self):
        self.does("systemctl stop vfio-bindd", 60)
        self.state.stopped = True
        self.check("stopped")
        self.state.stopped = False
        self.does("systemctl start vfio-bindd", 100)
        self.wait_active()

    def restart_journal(self):
        self.does("systemctl restart systemd-journald", 60)

    def restart_bus(self):
        self.does("systemctl restart dbus && sleep 3", 60)
        self.wait_active()

    def load_native_anew(self):
        self.guest.run("modprobe -r nvidia; modprobe nvidia", 60)

    def end(self):
        """The empty policy leaves nothing behind."""
        if self.state.held:
            self.end_of_virtual_machine()
        self.log("  step empty-policy")
        self.state.empty = True
        self.reload_to(policies.empty())
        self.check("empty-policy")
        # An entry that was left in vfio-pci's table shows only when something comes that it fits.
        cards = [c for c in self.cards_to_go() if c.emulated]
        if cards:
            card = cards[0]
            self.log(f"  step unplug-and-plug\n    {card.name}")
            self.guest.run(f"echo {card.slot} >{EMUGPU}unplug", 60)
            if not self.wait_for(f"! {{ {self.there(card)}; }}", 40):
                raise GuestError(f"{card.name} does not go")
            for f in card.functions:
                self.state.goes(f.location)
            self.plug_card(card)
            self.check("plug-under-the-empty-policy")

    def reboot(self):
        """Under the empty policy the host boots as it does without vfio-bindd."""
        excused = self.state.excused
        self.state = State(policies.empty())
        self.state.empty = self.state.rebooted = True
        # What was taken from the host by the administrator's word may have left half of a RAID behind.
        self.state.excused = excused
        self.log(f"  step reboot: up after {self.guest.reboot():.0f} s")
        self.guest.wait_for_uses(excused, 120)
        self.check("reboot")
