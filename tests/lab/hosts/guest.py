# SPDX-License-Identifier: GPL-2.0-or-later
"""A running guest: booted by tests/lab/boot, driven over a serial port, its hardware over QMP."""

import base64
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

LAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Every probe of every driver since power-on, in the initramfs' time too; and who lets go. A guest that
# waits for a processor of the busy machine is not stuck.
# QEMU's ahci ends with an assertion at some queued commands of Linux 7.2.
TRACE = ("kprobe_event=p:rp,really_probe,dev=+0(+0(%di)):string,drv=+0(+0(%si)):string "
         "nosoftlockup libata.force=noncq")


class GuestError(Exception):
    """The guest does not answer: what it said last is in its logs."""


def storage(cache):
    """The folder with an image of each kind of disk; made once, in a guest."""
    out = subprocess.run([LAB + "/storage"], check=True, capture_output=True, text=True,
                         env={**os.environ, **({"VFIO_BINDD_LAB_CACHE": cache} if cache else {})})
    return out.stdout.strip()


def lines(host, texts):
    return "".join(host.by_path(text) + "\n" for text in texts)


class Guest:
    running = []  # to be ended with the program
    patience = 600  # how long it may wait for a device
    root_device = "?"  # as the kernel calls it

    def __init__(self, host, out, images, tree=None, files=None, system=None, memory=None):
        self.host, self.out, self.system = host, out, system
        self.sockets = tempfile.mkdtemp(prefix="lab-host.")
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out + "/scenario/root/etc/systemd/network")
        self.write_scenario(images, files or {}, tree, memory)
        command = [LAB + "/boot", "--scenario", out + "/scenario", "--out", out, "--timeout", "14400"]
        command += ["--iommu", host.iommu]
        if tree:
            command += ["--tree", tree]
        if system:
            command += ["--system", system]
        with open(out + "/boot.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running.append(self.process)
        self.started = time.monotonic()
        self.agent = self.monitor = None
        self.buffer = b""

    def interrupts(self):
        """Since 6.3 VFIO wants to be told that interrupts from the other domain, as from a VMD, are not remapped."""
        return ["vfio_iommu_type1.allow_unsafe_interrupts=1"] if "domain_cards" in self.host.emugpu else []

    def identity(self):
        """QEMU's megasas reads where Linux 7.2 has mapped nothing for it, and hangs: without a mapping it works."""
        has = any("megasas" in argument for card in self.host.cards for argument in card.qemu)
        return ["iommu=pt"] if has and self.system == "testing" else []

    def write_scenario(self, images, files, tree, memory):
        host, root = self.host, self.out + "/scenario/root"

        def put(path, text, mode=0o644):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(root + path, mode)

        put("/etc/fstab", lines(host, host.fstab))
        put("/etc/crypttab", lines(host, host.crypttab))
        put("/lab/key", "a key that everybody knows", 0o600)
        for mac, address in host.networks.items():
            put(f"/etc/systemd/network/{address.split('/')[0]}.network",
                f"[Match]\nMACAddress={mac}\n[Network]\nAddress={address}\nConfigureWithoutCarrier=yes\n"
                "LinkLocalAddressing=no\nIPv6AcceptRA=no\n")
        os.makedirs(root + "/etc/systemd/system/multi-user.target.wants")
        os.symlink("/lib/systemd/system/systemd-networkd.service",
                   root + "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service")
        if host.native:
            put("/etc/modprobe.d/lab-native.conf",
                "options nvidia " + " ".join(f"{k}={v}" for k, v in host.native.items()) + "\n")
        # A driver that a rule may want and that only systemd loads, after the first pass.
        put("/etc/modules-load.d/lab.conf", "pci-stub\n")
        for path, text in files.items():
            put(path, text)
        # Earlier than what a host may wait for in vain, and not ended by an emergency.
        put("/etc/systemd/system/lab-agent.service",
            "[Unit]\nDescription=Commands for the guest\nDefaultDependencies=no\nIgnoreOnIsolate=yes\n"
            "[Service]\nExecStart=/lab/agent /dev/ttyS3\nKillMode=process\n")
        os.makedirs(root + "/etc/systemd/system/sysinit.target.wants")
        os.symlink("../lab-agent.service", root + "/etc/systemd/system/sysinit.target.wants/lab-agent.service")
        for f in host.fstab:
            if f.split()[1].startswith("/"):
                os.makedirs(root + f.split()[1], exist_ok=True)
        qemu = ["-qmp", f"unix:{self.sockets}/qmp,server=on,wait=off",
                "-chardev", f"socket,id=agent,path={self.sockets}/agent,server=on,wait=off",
                "-serial", "chardev:agent"]
        qemu += [self.image(a, images) for a in host.drives]
        for card in host.cards:
            pairs = zip(card.qemu[::2], card.qemu[1::2])
            if "root" not in [f.use for f in card.functions]:
                qemu += [a for pair in pairs if not card.later or pair[0] == "-netdev" for a in pair]
        settings = {"GPUS": host.gpus, "PORTS": host.ports, "EMUGPU": host.emugpu, "MACHINE": host.machine,
                    "ROOT_MODULES": host.root_modules + " ext4", "UNMASK": " ".join(host.unmask),
                    "MASK": "lab-test.service",
                    "APPEND": " ".join([TRACE, host.append, *self.interrupts(), *self.identity()]),
                    "MEMORY": memory or "1G"}
        root_disk = next(c for c in host.cards if c.functions[0].use == "root")
        with open(self.out + "/scenario/config", "w", encoding="utf-8") as f:
            f.write("# shellcheck shell=bash disable=SC2034\n")
            for name, value in settings.items():
                f.write(f"{name}={shlex.quote(str(value))}\n")
            f.write("ROOT_DISK=(" + " ".join(map(shlex.quote, root_disk.qemu)) + ")\n")
            f.write("QEMU_ARGS=(" + " ".join(map(shlex.quote, qemu)) + ")\n")
        with open(self.out + "/scenario/test", "w", encoding="utf-8") as f:
            f.write("# not run: see lab-agent.service\n")

    @staticmethod
    def image(argument, images):
        if not argument.startswith("file=@"):
            return argument
        kind = argument.split("@")[1]
        return argument.replace(f"@{kind}@", f"{images}/{kind}.img")

    def connect(self, path, deadline):
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise GuestError("the guest ended: " + self.tail())
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                return s
            except OSError:
                s.close()
                time.sleep(0.2)
        raise GuestError("no socket of the guest")

    def connect_both(self, deadline):
        self.agent = self.connect(self.sockets + "/agent", deadline)
        self.monitor = self.connect(self.sockets + "/qmp", deadline)
        self.monitor.settimeout(30)
        self.events = self.monitor.makefile("rw", encoding="utf-8")
        self.events.readline()
        self.qmp("qmp_capabilities")

    def reboot(self):
        """As an administrator does it; what is on the disks stays, and what is plugged in. The seconds it took."""
        self.qmp("set-action", reboot="reset")
        self.run("systemctl reboot", 60)
        self.started = time.monotonic()
        return self.wait_booted()

    def wait_booted(self, seconds=600):
        """Until systemd has nothing more to start; the seconds it took. A device that a rule may take does
        not come: who waits for it goes on without, as the host would when its time is over."""
        deadline = time.monotonic() + seconds
        if not self.agent:
            self.connect_both(deadline)
        if not self.read_line(deadline).endswith(b"ready"):
            raise GuestError("the agent said something else than ready")
        while time.monotonic() < deadline:
            jobs = self.run("systemctl list-jobs --no-legend --plain", 60)[1].splitlines()
            if self.lost_root():
                raise GuestError("the root file system is gone: " + self.tail())
            if not jobs:
                return time.monotonic() - self.started
            running = [job for job in jobs if "running" in job]
            if running and all(".device" in job for job in running) and \
                    time.monotonic() - self.started > self.patience:
                self.run("systemctl cancel " + " ".join(job.split()[0] for job in running), 60)
            time.sleep(2)
        raise GuestError("it does not come up: " + self.tail())

    def lost_root(self):
        """Has the console told that the root file system is gone?"""
        with open(f"{self.out}/console.log", encoding="utf-8", errors="replace") as f:
            return f"EXT4-fs error (device {self.root_device})" in f.read()

    def wait_for_uses(self, excused=(), seconds=150):
        """Disks come late behind some controllers: until what fstab names is there, and the address. What is not, in the end."""
        deadline = time.monotonic() + seconds
        while True:
            points = self.run("findmnt -rno TARGET; swapon --show=NAME --noheadings | sed 's/.*/swap/'; "
                              "ip -o -4 address show | awk '{ print $4 }'", 20)[1].split()
            wanted = {"swap" if p == "none" else p for p in (line.split()[1] for line in self.host.fstab)}
            wanted |= set(self.host.networks.values())
            missing = wanted - set(points)
            if not missing or excused or time.monotonic() > deadline:
                self.run("udevadm settle -t 30; sleep 1", 40)
                return missing
            time.sleep(2)

    def read_line(self, deadline):
        tries = 0
        while b"\n" not in self.buffer:
            self.receive(deadline)
            tries += 1
            if tries > 4 and self.lost_root():
                raise GuestError("the root file system is gone: " + self.tail())
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise GuestError("no answer in time: " + self.tail())
        self.agent.settimeout(min(left, 5))
        try:
            more = self.agent.recv(65536)
        except TimeoutError:
            return
        if not more:
            raise GuestError("the guest ended: " + self.tail())
        self.buffer += more

    def run(self, command, timeout=30, fail=False):
        """Runs a shell command in the guest; (status, output). 124: it was given up."""
        try:
            self.agent.sendall(b"%d %s\n" % (timeout, base64.b64encode(command.encode())))
        except OSError as error:
            raise GuestError(f"the guest ended: {error}: {self.tail()}") from error
        deadline = time.monotonic() + timeout + 60
        status, length = map(int, self.read_line(deadline).split())
        while len(self.buffer) < length:
            self.receive(deadline)
        text, self.buffer = self.buffer[:length], self.buffer[length:]
        text = text.decode("utf-8", "replace")
        if fail and status:
            raise GuestError(f"{command}: status {status}: {text[-500:]}")
        return status, text

    def qmp(self, command, **arguments):
        self.events.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.events.flush()
        while True:
            answer = json.loads(self.events.readline())
            if "error" in answer:
                raise GuestError(f"{command} {arguments}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def add_device(self, argument):
        """From a -device argument."""
        model, *options = argument.split(",")
        self.qmp("device_add", driver=model, **dict(o.split("=", 1) for o in options))

    def tail(self):
        text = []
        for name in ("boot.log", "console.log"):
            try:
                with open(f"{self.out}/{name}", encoding="utf-8", errors="replace") as f:
                    text.append(f"{name}: ...{f.read()[-600:]}")
            except OSError:
                pass
        return "\n".join(text)

    def close(self):
        for end in (lambda: self.monitor and self.qmp("quit"), self.process.terminate):
            try:
                end()
            except (GuestError, OSError, ValueError):
                pass
            try:
                self.process.wait(10)
                break
            except subprocess.TimeoutExpired:
                pass
        self.running.remove(self.process)
        for s in (self.agent, self.monitor):
            if s:
                s.close()
        shutil.rmtree(self.sockets, ignore_errors=True)
