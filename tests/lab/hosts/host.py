# SPDX-License-Identifier: GPL-2.0-or-later
"""A random host from a seed: what is plugged where, and what the host uses of it.

Nothing here knows vfio-bindd. A card is one physical card (or an integrated device), a function one
PCI function of it. A function's location is its path of DEVICE.FUNCTION from the root bus, "08.0/00.1":
it needs no bus numbers, so it is known before anything is booted, and it stays what it is. In another
PCI domain than 0 that comes first: "10000:00.1".
"""

import random
import re
from dataclasses import dataclass, field

# What QEMU offers, by what it means for a host. "pci": also on a conventional bus; "pcie": also in an
# Express slot; the native driver is what Debian loads for it (None: nothing does).
MODELS = {
    # Network cards.
    "e1000e": dict(kind="net", id="8086:10d3", cls="020000", where="pcie", serial=True),
    "e1000": dict(kind="net", id="8086:100e", cls="020000", where="pci"),
    "rtl8139": dict(kind="net", id="10ec:8139", cls="020000", where="pci"),
    "virtio-net-pci": dict(kind="net", id="1af4:1041", cls="020000", where="pcie", serial=False),
    "vmxnet3": dict(kind="net", id="15ad:07b0", cls="020000", where="pcie", serial=False),
    # Controllers of disks; "disk" tells how the disk itself is attached.
    "nvme": dict(kind="disk", id="1b36:0010", cls="010802", where="pcie", disk="own", modules="nvme"),
    "virtio-blk-pci": dict(kind="disk", id="1af4:1042", cls="010000", where="pcie", disk="own",
                           modules="virtio_pci virtio_blk"),
    "virtio-scsi-pci": dict(kind="disk", id="1af4:1048", cls="010000", where="pcie", disk="scsi-hd",
                            modules="virtio_pci virtio_scsi sd_mod"),
    "megasas-gen2": dict(kind="disk", id="1000:0079", cls="010400", where="pcie", disk="scsi-hd",
                         modules="megaraid_sas sd_mod"),
    "megasas": dict(kind="disk", id="1000:0060", cls="010400", where="pci", disk="scsi-hd",
                    modules="megaraid_sas sd_mod"),
    "mptsas1068": dict(kind="disk", id="1000:0054", cls="010000", where="pci", disk="scsi-hd",
                       modules="mptsas sd_mod"),
    "lsi53c895a": dict(kind="disk", id="1000:0012", cls="010000", where="pci", disk="scsi-hd",
                       modules="sym53c8xx sd_mod"),
    "ahci": dict(kind="disk", id="8086:2922", cls="010601", where="pci", disk="ide-hd",
                 modules="ahci sd_mod"),
    "sdhci-pci": dict(kind="disk", id="1b36:0007", cls="080501", where="pci", disk="sd-card",
                      modules="sdhci_pci mmc_block"),
    "qemu-xhci": dict(kind="disk", id="1b36:000d", cls="0c0330", where="pcie", disk="usb-storage",
                      modules="xhci_pci usb_storage sd_mod"),
    "usb-ehci": dict(kind="disk", id="8086:24cd", cls="0c0320", where="pci", disk="usb-storage",
                     modules="ehci_pci usb_storage sd_mod"),
    # What a host does not live on.
    "edu": dict(kind="misc", id="1234:11e8", cls="00ff00", where="pci"),
    "pci-testdev": dict(kind="misc", id="1b36:0005", cls="00ff00", where="pci"),
    "i6300esb": dict(kind="misc", id="8086:25ab", cls="088000", where="pci"),
    "virtio-rng-pci": dict(kind="misc", id="1af4:1044", cls="00ff00", where="pcie"),
    "intel-hda": dict(kind="audio", id="8086:2668", cls="040300", where="pci"),
    "ich9-intel-hda": dict(kind="audio", id="8086:293e", cls="040300", where="pci"),
    "AC97": dict(kind="audio", id="8086:2415", cls="040100", where="pci"),
    "secondary-vga": dict(kind="display", id="1234:1111", cls="038000", where="pci"),
}
GPU_IDS = ("20f1", "20f1", "20f1", "2204", "1eb8")
AUDIO_ID = "10de:1aef"

ROOT_DISKS = ("virtio-blk-pci", "virtio-blk-pci", "nvme", "ahci", "virtio-scsi-pci", "megasas-gen2",
              "mptsas1068", "lsi53c895a", "sdhci-pci", "qemu-xhci", "usb-ehci")
DATA_DISKS = ("nvme", "nvme", "virtio-blk-pci", "ahci", "virtio-scsi-pci", "megasas", "megasas-gen2",
              "mptsas1068", "lsi53c895a", "sdhci-pci", "sdhci-pci", "qemu-xhci", "usb-ehci")
NETWORK = ("e1000e", "e1000e", "e1000", "rtl8139", "virtio-net-pci", "vmxnet3")
# Several functions in one slot, thus in one IOMMU group: in an Express slot, on the root bus.
MANY = (("e1000e", "e1000e"), ("e1000e", "e1000e"), ("nvme", "nvme"), ("e1000e", "e1000e", "e1000e"),
        ("virtio-net-pci", "virtio-net-pci"), ("ich9-intel-hda", "e1000e"))
MANY_CONVENTIONAL = (("e1000", "e1000"), ("rtl8139", "rtl8139"), ("e1000e", "e1000e"), ("ich9-intel-hda", "e1000"),
                     ("sdhci-pci", "e1000"))
PORTS = ("e1000e", "e1000e"), ("virtio-net-pci", "virtio-net-pci"), ("e1000e", "e1000e", "e1000e")
OTHERS = ("edu", "pci-testdev", "i6300esb", "virtio-rng-pci", "intel-hda", "ich9-intel-hda", "AC97",
          "secondary-vga")
# How the host uses a disk; "md" and "btrfs" take two of them.
USES = ("uuid", "label", "by-path", "swap", "lvm", "crypt", "md", "btrfs", "random-swap")
BY_PATH_USES = ("by-path", "random-swap")
# The name udev gives a disk of such a controller below /dev/disk/by-path.
BY_PATH = {"nvme": "pci-{}-nvme-1", "virtio-blk-pci": "virtio-pci-{}", "ahci": "pci-{}-ata-1"}


@dataclass
class Function:
    location: str
    model: str
    kind: str  # net, disk, misc, audio, display, gpu
    id: str
    cls: str
    use: str = ""  # root, a word of USES, address; empty: the host does not use it
    mac: str = ""


@dataclass
class Card:
    name: str  # for people: "nvme in slot 3"
    functions: list
    slot: int = 0  # the number of its Express slot, 0: none
    later: bool = False  # plugged while the host runs
    emulated: bool = False  # by the module emugpu, not by QEMU
    integrated: bool = False  # part of the machine
    physical: str = ""  # the location of the function whose virtual functions these are
    autoprobe: bool = True  # does the kernel offer virtual functions to native drivers?
    qemu: list = field(default_factory=list)  # its -device arguments; the first is the card's own

    @property
    def used(self):
        return any(f.use for f in self.functions)


@dataclass
class Host:
    seed: int
    machine: str = "q35"
    iommu: str = "intel"
    noiommu: bool = False
    cards: list = field(default_factory=list)
    gpus: int = 0
    ports: int = 0
    emugpu: str = ""
    drives: list = field(default_factory=list)  # -drive arguments; @KIND@ is the image
    root_disk: list = field(default_factory=list)
    root_modules: str = ""
    fstab: list = field(default_factory=list)
    required: set = field(default_factory=set)  # the uses without which the boot waits
    crypttab: list = field(default_factory=list)
    networks: dict = field(default_factory=dict)  # MAC → address
    native: dict = field(default_factory=dict)  # parameters of the module nvidia
    append: str = ""
    unmask: list = field(default_factory=list)
    bridge_slots: list = field(default_factory=list)

    def functions(self):
        return [f for c in self.cards for f in c.functions]

    def function(self, location):
        return next(f for f in self.functions() if f.location == location)

    def card_of(self, location):
        return next((c for c in self.cards if any(f.location == location for f in c.functions)), None)

    def address(self, location):
        """Where firmware numbers buses from 1 in the order of ports: "0000:03:00.0"."""
        hops = location.split("/")
        if len(hops) == 1:
            return f"0000:00:{location}"
        device, function = hops[0].split(".")
        slot = (int(device, 16) - 8) * 8 + int(function) + 1
        bridges = sum(1 for n in self.bridge_slots if n < slot)
        return "0000:%02x:%s" % (slot + bridges + len(hops) - 2, hops[-1])

    def by_path(self, text):
        """Puts names below /dev/disk/by-path in place of @LOCATION@."""
        def name(match):
            f = next(f for f in self.functions() if f.location == match[1])
            return "/dev/disk/by-path/" + BY_PATH[f.model].format(self.address(f.location))
        return re.sub(r"@([^@]*)@", name, text)

    def describe(self):
        lines = [f"machine {self.machine}, IOMMU {self.iommu}" +
                 (", unsafe no-IOMMU mode" if self.noiommu else "") +
                 (f", nvidia: {self.native}" if self.native else "")]
        for card in self.cards:
            for f in card.functions:
                lines.append(f"  {f.location:<12} {f.id} {f.cls} {f.model}"
                             + (f" slot {card.slot}" if card.slot else "")
                             + (f" use={f.use}" if f.use else "")
                             + (" later" if card.later else ""))
        return "\n".join(lines + ["  fstab: " + line for line in self.fstab])


def port_location(number):
    """Of the root port with that slot number, as tests/lab/boot lays them."""
    return "%02x.%d" % (8 + (number - 1) // 8, (number - 1) % 8)


class Builder:
    """Adds cards to a host. Disks and MAC addresses are numbered through."""

    def __init__(self, rng, host):
        self.rng, self.host = rng, host
        self.disks = self.macs = self.ids = self.slots = self.bridges = 0
        self.root_bus = "pcie.0" if host.machine == "q35" else "pci.0"
        self.free = [0x10 + n for n in range(12)]  # devices on the root bus
        rng.shuffle(self.free)

    def drive(self, kind):
        self.disks += 1
        name = f"disk{self.disks}"
        # Images are shared between runs; snapshot: nothing is ever written to them.
        self.host.drives += ["-drive", f"file=@{kind}@,format=raw,if=none,id={name},snapshot=on,cache=unsafe"]
        return name

    def function(self, model, where, location, use="", image="plain", drive=None):
        """A function and its arguments for QEMU; `where` is "bus=…,addr=…"."""
        m = MODELS[model]
        f = Function(location, model, m["kind"], m["id"], m["cls"], use)
        self.ids += 1
        me = f"d{self.ids}"
        if m["kind"] == "net":
            self.macs += 1
            f.mac = "52:54:00:77:00:%02x" % self.macs
            return f, ["-netdev", f"user,id=n{me},restrict=on",
                       "-device", f"{model},netdev=n{me},mac={f.mac},id={me},{where}"]
        if m["kind"] == "disk":
            drive = drive or self.drive(image)
            if m["disk"] == "own":
                serial = f",serial={drive}" if model == "nvme" else ""
                return f, ["-device", f"{model},drive={drive}{serial},id={me},{where}"]
            # An SD card finds the last controller's bus by itself.
            bus = "" if m["disk"] == "sd-card" else f",bus={me}.0"
            bus += ",wwn=0x5000c50015ea71aa" if model == "mptsas1068" else ""  # its disk is not seen without
            return f, ["-device", f"{model},id={me},{where}", "-device", f"{m['disk']},drive={drive}{bus}"]
        return f, ["-device", f"{model},id={me},{where}"]

    def next_slot(self):
        self.slots += 1
        return self.slots

    def add(self, model, use="", image="plain", drive=None, slot=None, later=False):
        """A card with one function: in an Express slot, on a bridge's bus or on the root bus."""
        if slot is None:
            slot = MODELS[model]["where"] == "pcie" and self.host.machine == "q35" and \
                (later or self.rng.random() < 0.8)
        if slot:
            n = self.next_slot()
            f, args = self.function(model, f"bus=slot{n},addr=0", port_location(n) + "/00.0", use, image, drive)
            card = Card(f"{model} in slot {n}", [f], slot=n, later=later, qemu=args)
        else:
            at = self.free.pop()
            f, args = self.function(model, f"bus={self.root_bus},addr={at:x}", f"{at:02x}.0", use, image, drive)
            if f.kind == "net" or model.startswith("virtio"):
                # Without Express around it a virtio device has its transitional ID.
                f.id = self.transitional(f.id, model)
            card = Card(f"{model} at {at:02x}.0", [f], qemu=args)
        self.host.cards.append(card)
        return card

    def transitional(self, ident, model):
        plain = {"virtio-net-pci": "1af4:1000", "virtio-blk-pci": "1af4:1001",
                 "virtio-scsi-pci": "1af4:1004", "virtio-rng-pci": "1af4:1005"}
        return plain.get(model, ident)

    def add_many(self, models, slot=True, use="", user=0):
        """A card with several functions in an Express slot or on the root bus, in one IOMMU group."""
        n, functions, args = self.next_slot() if slot else 0, [], []
        bus, at = (f"slot{n}", 0) if slot else (self.root_bus, self.free.pop())
        for number, model in enumerate(models):
            multi = ",multifunction=on" if number == 0 else ""
            location = f"{port_location(n)}/00.{number}" if slot else f"{at:02x}.{number}"
            f, a = self.function(model, f"bus={bus},addr={at:x}.{number}{multi}", location, use if number == user else "")
            functions.append(f)
            args += a
        card = Card(f"{'+'.join(models)} {f'in slot {n}' if slot else f'at {at:02x}'}", functions, slot=n, qemu=args)
        self.host.cards.append(card)
        return card

    def add_virtual(self, count, autoprobe):
        """An nvme that can have so many virtual functions, which come while the host runs."""
        n, disk = self.next_slot(), self.drive("plain")
        location, me = port_location(n) + "/00.", f"sriov{n}"
        self.host.drives += ["-device", f"nvme-subsys,id=subsys{n}"]
        qemu = ["-device", f"nvme,serial={disk},subsys=subsys{n},id={me},bus=slot{n},addr=0,sriov_max_vfs={count},"
                f"sriov_vq_flexible={2 * count},sriov_vi_flexible={count},max_ioqpairs={2 * count + 2},"
                f"msix_qsize={count + 1}", "-device", f"nvme-ns,drive={disk},bus={me}"]
        def function(number):
            return Function(location + str(number), "nvme-vf" if number else "nvme-sriov", "disk", "1b36:0010", "010802")
        self.host.cards.append(Card(f"nvme with SR-IOV in slot {n}", [function(0)], slot=n, qemu=qemu))
        self.host.cards.append(Card(f"virtual functions of slot {n}", [function(v + 1) for v in range(count)],
                                    later=True, physical=location + "0", autoprobe=autoprobe))

    def add_chip_set(self):
        """What q35 has beside its ISA bridge 1f.0, and in its IOMMU group; the host uses none of it."""
        self.host.cards.append(Card("chip set", [Function("1f.2", "ich9-ahci", "disk", "8086:2922", "010601"),
                                                 Function("1f.3", "ich9-smbus", "misc", "8086:2930", "0c0500")],
                                    integrated=True))

    def add_domain(self, count, audio):
        """GPUs in a PCI domain beyond 16 bits."""
        for n in range(count):
            location = f"10000:{n:02x}."
            functions = [Function(location + "0", "gpu", "gpu", "10de:20f1", "030200")]
            if audio:
                functions.append(Function(location + "1", "gpu-audio", "companion-function", AUDIO_ID, "040300"))
            self.host.cards.append(Card(f"GPU {n} of domain 10000", functions, emulated=True))
        self.host.emugpu += f" domain_cards={count}"

    def add_bridge(self, models):
        """A PCIe-to-PCI bridge: everything behind it is one IOMMU group."""
        n = self.next_slot()
        self.bridges += 1
        self.host.bridge_slots.append(n)
        self.host.drives += ["-device", f"pcie-pci-bridge,id=bridge{self.bridges},bus=slot{n}"]
        for at, model in enumerate(models, 1):
            f, a = self.function(model, f"bus=bridge{self.bridges},addr={at:x}",
                                 port_location(n) + f"/00.0/{at:02x}.0")
            f.id = self.transitional(f.id, model)
            self.host.cards.append(Card(f"{model} behind the bridge in slot {n}", [f], qemu=a))

    def add_gpu(self, ident, audio, usb, cls, later=False):
        n = self.next_slot()
        location = port_location(n) + "/00."
        functions = [Function(location + "0", "gpu", "gpu", "10de:" + ident, cls + "00")]
        if audio or usb:
            functions.append(Function(location + "1", "gpu-audio", "companion-function", AUDIO_ID, "040300"))
        if usb:
            functions.append(Function(location + "2", "gpu-usb", "companion-function", "10de:1ad6", "0c0330"))
            functions.append(Function(location + "3", "gpu-usb-c", "companion-function", "10de:1ad7", "0c8000"))
        self.host.cards.append(Card(f"GPU {ident} in slot {n}", functions, slot=n, later=later, emulated=True))


def pick(rng, host, models):
    """QEMU's lsi53c895a reads its scripts past the IOMMU, which refuses that without end."""
    model = rng.choice(models)
    return "virtio-scsi-pci" if model == "lsi53c895a" and host.iommu != "none" else model


def add_use(host, builder, rng, use):
    """A disk or two that the host uses, as its configuration says."""
    label = use.replace("-", "")
    kinds = tuple(BY_PATH) if use in BY_PATH_USES else DATA_DISKS
    models = [pick(rng, host, kinds) for _ in range(2 if use in ("md", "btrfs") else 1)]
    for number, model in enumerate(models):
        builder.add(model, use=use, image=f"{use}{number}" if len(models) > 1 else use)
    # As installers write it, or so that the boot goes on without it.
    options = rng.choice(("defaults", "nofail")) + ",x-systemd.device-timeout=600s"
    source = {"uuid": "UUID=11111111-2222-3333-4444-555555555555", "label": "LABEL=datalabel",
              "lvm": "/dev/labvg/data", "crypt": "/dev/mapper/labcrypt", "md": "LABEL=datamd",
              "btrfs": "LABEL=databtrfs", "by-path": f"@{host.cards[-1].functions[0].location}@",
              "swap": "LABEL=dataswap", "random-swap": "/dev/mapper/labswap"}[use]
    if "nofail" not in options or use in ("crypt", "random-swap"):
        host.required.add(use)
    if use == "crypt":
        host.crypttab.append("labcrypt UUID=99999999-2222-3333-4444-555555555555 /lab/key luks")
    if use == "random-swap":
        host.crypttab.append(f"labswap @{host.cards[-1].functions[0].location}@ /dev/urandom swap,cipher=aes-xts-plain64,size=256")
    if use in ("swap", "random-swap"):
        host.fstab.append(f"{source} none swap {options.replace('defaults', 'sw')} 0 0")
    else:
        kind = "btrfs" if use == "btrfs" else "ext4"
        host.fstab.append(f"{source} /srv/{label} {kind} {options} 0 0")


def generate(seed, iommu=None):
    """The host of a seed. The same seed gives the same host, for ever: draw in a fixed order."""
    rng = random.Random(f"host {seed}")
    host = Host(seed)
    host.iommu = iommu or "intel"
    if rng.random() < 0.10:
        host.machine, host.iommu = "pc", "none"
    elif rng.random() < 0.06:
        host.iommu = "none"
    if host.iommu == "none":
        host.noiommu = rng.random() < 0.5
    b = Builder(rng, host)
    q35 = host.machine == "q35"

    root = pick(rng, host, ROOT_DISKS)
    card = b.add(root, use="root", drive="root", slot=q35 and MODELS[root]["where"] == "pcie" and rng.random() < 0.5)
    host.root_modules = MODELS[root]["modules"]

    for use in rng.sample(USES, rng.choice((0, 1, 1, 2))):
        add_use(host, b, rng, use)
    for _ in range(rng.choice((0, 0, 1, 2))):
        b.add(pick(rng, host, DATA_DISKS))
    for number in range(rng.choice((1, 1, 2, 3))):
        if number == 0 and q35 and rng.random() < 0.3:
            models = rng.choice(PORTS)
            card = b.add_many(models, use="address", user=rng.randrange(len(models)))
        else:
            card = b.add(rng.choice(NETWORK), use="address" if number == 0 else "")
        if number == 0:
            host.networks[next(f.mac for f in card.functions if f.use)] = "10.77.1.2/24"
    for _ in range(rng.choice((0, 1, 2))):
        b.add(rng.choice(OTHERS))
    if rng.random() < 0.25:
        b.add_many(rng.choice(MANY_CONVENTIONAL), slot=False)
    if q35:
        b.add_chip_set()
        if rng.random() < 0.40:
            b.add_many(rng.choice(MANY))
        if rng.random() < 0.20:
            b.add_virtual(rng.choice((1, 2)), rng.random() < 0.5)
        if rng.random() < 0.35:
            b.add_bridge([rng.choice(("e1000", "rtl8139", "edu", "AC97", "intel-hda", "pci-testdev"))
                          for _ in range(rng.choice((2, 3)))])
        gpus(host, b, rng)
        domain = rng.choice((0, 0, 0, 0, 0, 0, 1, 2))
        if domain and host.iommu in ("intel", "none"):
            b.add_domain(domain, "audio=1" in host.emugpu)
        for _ in range(rng.choice((0, 1, 2))):
            b.add(rng.choice(("e1000e", "e1000e", "nvme", "virtio-net-pci")), slot=True, later=True)
        host.ports = b.slots
    trouble = rng.random()
    if trouble < 0.10:
        host.native["probe_fail"] = 5
    elif trouble < 0.20:
        host.native["remove_sleep_ms"] = 8000
    if host.noiommu:
        host.append = "vfio.enable_unsafe_noiommu_mode=1"
    host.unmask = ["systemd-networkd.service", "systemd-networkd.socket"]
    return host


def gpus(host, b, rng):
    """Emulated GPUs: those of the boot in lower slots than those that come later."""
    count, later = rng.choice((1, 2, 2, 3, 4, 6, 8)), rng.choice((0, 1, 1, 2))
    audio, usb = rng.random() < 0.85, rng.random() < 0.12
    kinds = rng.sample(sorted(set(GPU_IDS)), rng.choice((1, 1, 2)))
    ids, classes = {}, {}
    for number in range(count + later):
        ident, cls = rng.choice(kinds), rng.choice(("0302", "0302", "0302", "0300"))
        b.add_gpu(ident, audio, usb, cls, later=number >= count)
        ids[b.slots], classes[b.slots] = ident, cls
    host.gpus = count
    lists = [",".join(table[n] and "0x" + table[n] if n in table else "0" for n in range(1, b.slots + 1))
             for table in (ids, classes)]
    host.emugpu = f"devices={lists[0]} classes={lists[1]} audio={int(audio or usb)} usb={int(usb)}"
