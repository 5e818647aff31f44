/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hosts, and what happens on them. */
#include "host.h"

#include "base/util.h"

#define A100 "pci:v000010DEd000020F1sv000010DEsd00001463bc03sc02i00\n"
#define AUDIO "pci:v000010DEd00001AEFsv000010DEsd00001463bc04sc03i00\n"
#define CONSOLE "pci:v000010DEd000020F1sv000010DEsd00001463bc03sc00i00\n"
#define NIC "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00\n"
#define X710 "pci:v00008086d00001572sv00008086sd00000001bc02sc00i00\n"
#define X710_VF "pci:v00008086d0000154Csv00008086sd00000000bc02sc00i00\n"
#define NVME "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02\n"
#define DISK "pci:v0000144Dd0000A80Asv0000144Dsd0000A801bc01sc08i02\n"
#define FPGA "pci:v000010EEd00009038sv000010EEsd00000007bc12sc00i00\n"
#define LPC "pci:v00008086d00002918sv00001AF4sd00001100bc06sc01i00\n"
#define SATA "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01\n"
#define BRIDGE "pci:v00008086d00001901sv00000000sd00000000bc06sc04i00\n"

/* -- GPUs with their audio functions, and what must be left alone -- */

static const struct card gpus[] = {
    /* both free */
    {"0000:06:00.0", A100, "14", .driver = NULL},
    {"0000:06:00.1", AUDIO, "14", .driver = NULL},
    {"0000:07:00.0", A100, "15", .driver = NULL},
    {"0000:07:00.1", AUDIO, "15", .driver = NULL},
    /* the GPU has its native driver */
    {"0000:08:00.0", A100, "16", .driver = "nvidia"},
    {"0000:08:00.1", AUDIO, "16", .driver = NULL},
    /* the audio function has its native driver */
    {"0000:09:00.0", A100, "17", .driver = NULL},
    {"0000:09:00.1", AUDIO, "17", .driver = "snd_hda_intel"},
    /* two cards in one group */
    {"0000:0c:00.0", FPGA, "20", .driver = "fpga"},
    {"0000:0d:00.0", FPGA, "20", .driver = NULL},
    /* come later */
    {"0000:0e:00.0", A100, "22", .absent = true},
    {"0000:0e:00.1", AUDIO, "22", .absent = true},
    {"0000:0f:00.0", A100, "23", .driver = "nvidia", .absent = true},
    {"0000:10:00.0", DISK, "24", .driver = "nvme", .absent = true},
    /* nobody's business, or refused */
    {"0000:00:01.0", BRIDGE, "1", .driver = "pcieport", .attribute = "secondary_bus_number",
     .untouchable = true},
    {"0000:0a:00.0", NIC, "18", .driver = "e1000e", .untouchable = true},
    {"0000:0b:00.0", NVME, "19", .driver = "nvme", .untouchable = true},
    {"0000:11:00.0", CONSOLE, "25", .driver = "nvidia", .attribute = "boot_vga",
     .untouchable = true},
    {0},
};

static const struct step gpus_steps[] = {
    {.kind = STEP_RELEASE, .address = "0000:06:00.0"},
    {.kind = STEP_BIND, .address = "0000:06:00.0"},
    {.kind = STEP_BOOTED},
    {.kind = STEP_PLUG, .address = "0000:0e:00.0", .at_once = true},
    {.kind = STEP_PLUG, .address = "0000:0e:00.1"},
    {.kind = STEP_PLUG, .address = "0000:0f:00.0", .at_once = true},
    {.kind = STEP_UNPLUG, .address = "0000:0e:00.1"},
    {.kind = STEP_UNPLUG, .address = "0000:0f:00.0", .at_once = true},
    {.kind = STEP_PLUG, .address = "0000:0f:00.0", .at_once = true},
    {.kind = STEP_PLUG, .address = "0000:0e:00.1"},
    {.kind = STEP_PLUG, .address = "0000:10:00.0"},
    {.kind = STEP_UNBIND, .address = "0000:07:00.0"},
    {.kind = STEP_RELEASE, .address = "0000:07:00.1", .at_once = true},
    {.kind = STEP_RELEASE, .address = "0000:0c:00.0"},
    {.kind = STEP_UNPLUG, .address = "0000:0e:00.1"},
    {0},
};

/* -- cards that change from one VFIO driver to another, and back -- */

static const struct card variants[] = {
    {"0000:06:00.0", NIC, "14", .driver = "vfio-pci"},
    {"0000:06:00.1", NIC, "14", .driver = "vfio-pci"},
    {"0000:07:00.0", NIC, "15", .driver = "mlx5_core"},
    {"0000:08:00.0", FPGA, "16", .driver = NULL},
    {"0000:08:00.1", AUDIO, "16", .driver = "snd_hda_intel", .untouchable = true},
    {0},
};

static const struct step variants_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_RESCAN},
    {.kind = STEP_RELEASE, .address = "0000:07:00.0", .at_once = true},
    {.kind = STEP_UNBIND, .address = "0000:08:00.0"},
    {.kind = STEP_BIND, .address = "0000:07:00.0"},
    {.kind = STEP_UNPLUG, .address = "0000:06:00.1", .at_once = true},
    {.kind = STEP_PLUG, .address = "0000:06:00.1"},
    {.kind = STEP_RELEASE, .address = "0000:06:00.0"},
    {.kind = STEP_BIND, .address = "0000:06:00.1"},
    {.kind = STEP_RELOAD},
    {.kind = STEP_RELEASE, .address = "0000:08:00.0"},
    {.kind = STEP_RESCAN},
    {0},
};

/* -- a group that is not viable, because of a bridge's driver in it -- */

static const struct card bridged[] = {
    {"0000:00:1f.0", LPC, "7", .driver = "lpc_ich", .untouchable = true},
    {"0000:00:1f.2", SATA, "7", .driver = NULL},
    {0},
};

static const struct step no_steps[] = {{0}};

/* -- entries that remove_id cannot tell apart, but that take different devices -- */

static const struct card two[] = {
    {"0000:06:00.0", A100, "14", .driver = NULL},
    {"0000:07:00.0", A100, "15", .driver = NULL, .absent = true},
    {0},
};

#define DISPLAYS "[device gpu]\nid = 10de:20f1\nclass = 0302\nhotplug = prevent\n"

static const struct step wider_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_RULES,
     .text = DISPLAYS "[device wide]\nid = 10de:20f1\nclass = 03\nhotplug = prevent\n"},
    {.kind = STEP_RULES, .text = DISPLAYS},
    {.kind = STEP_REST}, /* entries are removed unseen */
    {.kind = STEP_PLUG, .address = "0000:07:00.0"},
    {0},
};

#define SUBSYSTEM "[device sub]\nid = 10de:20f1\nsubsystem = 10de:1463\nhotplug = prevent\n"
#define SUBSYSTEM_CLASS \
    "[device both]\nid = 10de:20f1\nsubsystem = 10de:1463\nclass = 0302\nhotplug = prevent\n"

static const struct step narrower_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_RULES, .text = SUBSYSTEM_CLASS SUBSYSTEM},
    {.kind = STEP_RULES, .text = SUBSYSTEM_CLASS},
    {.kind = STEP_REST}, /* entries are removed unseen */
    {.kind = STEP_PLUG, .address = "0000:07:00.0"},
    {0},
};

/* -- rules that are dropped, and an entry with them -- */

static const struct card dropped[] = {
    {"0000:06:00.0", A100, "14", .driver = NULL},
    {"0000:0c:00.0", FPGA, "20", .driver = NULL},
    {0},
};

#define OTHER "[device other]\nid = 10ee:9038\n"

static const struct step dropped_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_RULES, .text = OTHER},
    {.kind = STEP_REST},
    {0},
};

/* -- a rule that is dropped while its device is being rebound -- */

static const struct card rebound[] = {
    {"0000:06:00.0", A100, "14", .driver = "nvidia"},
    {"0000:0c:00.0", FPGA, "20", .driver = NULL},
    {0},
};

static const struct step rebound_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_RULES, .text = OTHER "[device gpu]\nid = 10de:20f1\n", .at_once = true},
    {.kind = STEP_BEGUN, .address = "0000:06:00.0", .at_once = true},
    {.kind = STEP_RULES, .text = OTHER},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS,
     .address = "0000:06:00.0",
     .text = "driver=nvidia override=; shown: nothing"},
    {0},
};

/* -- a driver that somebody loads later -- */

static const struct card stubs[] = {
    {"0000:0c:00.0", FPGA, "20", .driver = NULL},
    {"0000:0d:00.0", FPGA, "21", .driver = NULL},
    {0},
};

#define STUB "[device stub]\nid = 10ee:9038\naddress = 0000:0c:00.0\ndriver = pci-stub\n"

static const struct step stubs_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:0c:00.0", .text = "driver= override=pci-stub"},
    {.kind = STEP_LOAD, .text = "pci-stub"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS,
     .address = "0000:0c:00.0",
     .text = "driver=pci-stub override=pci-stub; shown: bound"},
    {.kind = STEP_SHOWS, .address = "0000:0d:00.0", .text = "driver= override=;"},
    {.kind = STEP_RULES, .text = "# none\n"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:0c:00.0", .text = "driver=fpga override=;"},
    {0},
};

/* Nobody loads the driver, and the rule is dropped. */
static const struct step unstubbed_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_REST},
    {.kind = STEP_RULES, .text = "# none\n"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:0c:00.0", .text = "driver=fpga override=;"},
    {0},
};

/* -- identical devices, of which a rule selects one; their native driver is loaded meanwhile -- */

static const struct card identical[] = {
    {"0000:06:00.0", A100, "14", .driver = NULL},
    {"0000:07:00.0", A100, "15", .driver = NULL},
    {"0000:08:00.0", A100, "16", .driver = NULL},
    {0},
};

static const struct step identical_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_LOAD, .text = "nvidia"},
    {0},
};

/* -- devices that go back, past an entry that still fits them, while their driver is loaded -- */

#define FIRST "[device first]\nid = 10de:20f1\naddress = 0000:06:00.0\nhotplug = prevent\n"
#define SECOND "[device second]\nid = 10de:20f1\naddress = 0000:07:00.0\nhotplug = prevent\n"

static const struct card going_back[] = {
    {"0000:06:00.0", A100, "14", .driver = NULL},
    {"0000:07:00.0", A100, "15", .driver = NULL},
    {0},
};

static const struct step going_back_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_REST},
    {.kind = STEP_RULES, .text = FIRST},
    {.kind = STEP_REST},
    {.kind = STEP_RELEASE, .address = "0000:06:00.0"},
    {.kind = STEP_REST},
    {.kind = STEP_LOAD, .text = "nvidia"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:06:00.0", .text = "driver=nvidia override="},
    {.kind = STEP_SHOWS, .address = "0000:07:00.0", .text = "driver=nvidia override="},
    {0},
};

/* -- virtual functions: made when the native driver is ready, half of them for the host, changed,
 *    taken away -- */

static const struct card virtual_functions[] = {
    {"0000:3b:00.0", X710, "30", .driver = NULL},
    {"0000:3b:02.0", X710_VF, "40", .physical = "0000:3b:00.0", .absent = true},
    {"0000:3b:02.1", X710_VF, "41", .physical = "0000:3b:00.0", .absent = true},
    {"0000:3b:02.2", X710_VF, "42", .physical = "0000:3b:00.0", .absent = true},
    {0},
};

#define VF_RULES "[device vfs]\nvf-of = 0000:3b:00.0\naddress = !0000:3b:02.1\n"
#define PF_RULE(n) "[device x710]\naddress = 0000:3b:00.0\nvfs = " n "\n"

static const struct step virtual_functions_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_LOAD, .text = "i40e"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS,
     .address = "0000:3b:02.0",
     .text = "driver=vfio-pci override=as-bound node; shown: bound"},
    {.kind = STEP_SHOWS, .address = "0000:3b:02.1", .text = "driver=iavf override="},
    {.kind = STEP_RULES, .text = PF_RULE("3") VF_RULES},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:3b:00.0", .text = "vfs=3"},
    {.kind = STEP_RELEASE, .address = "0000:3b:00.0"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:3b:00.0", .text = "vfs=0 autoprobe=1"},
    {.kind = STEP_BIND, .address = "0000:3b:00.0"},
    {.kind = STEP_REST},
    {0},
};

static const struct step dropped_vfs_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_LOAD, .text = "i40e"},
    {.kind = STEP_REST},
    {.kind = STEP_RULES, .text = "# none\n"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS,
     .address = "0000:3b:00.0",
     .text = "driver=i40e override= vfs=0 autoprobe=1"},
    {.kind = STEP_SHOWS, .address = "0000:3b:02.0", .text = "absent"},
    {0},
};

/* They vanish while they are being bound, because somebody writes to sriov_numvfs. */
static const struct step vanishing_vfs_steps[] = {
    {.kind = STEP_BOOTED},
    {.kind = STEP_LOAD, .text = "i40e", .at_once = true},
    {.kind = STEP_BEGUN, .address = "0000:3b:02.0", .at_once = true},
    {.kind = STEP_VFS, .address = "0000:3b:00.0", .text = "0"},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:3b:02.0", .text = "absent"},
    {.kind = STEP_SHOWS,
     .address = "0000:3b:00.0",
     .text = "driver=i40e override= vfs=0 autoprobe=1"},
    {.kind = STEP_RELOAD},
    {.kind = STEP_REST},
    {.kind = STEP_SHOWS, .address = "0000:3b:00.0", .text = "vfs=2 autoprobe=0"},
    {.kind = STEP_SHOWS,
     .address = "0000:3b:02.1",
     .text = "driver=vfio-pci override=as-bound node; shown: bound"},
    {0},
};

const struct script scripts[] = {
    {"gpus",
     "[device console]\nid = 10de:20f1\nclass = 0300\n"
     "[device a100]\nid = 10de:20f1\n"
     "[device nic]\nid = 8086:10d3\n"
     "[device nvme]\nid = 144d:a80a\nhotplug = rebind\n"
     "[device fpga]\nid = 10ee:9038\naddress = 0000:0c:00.0\ngroup = all\n",
     "vfio-pci nvidia snd_hda_intel fpga pcieport e1000e nvme", gpus, gpus_steps, .late = NULL},
    {"variants",
     "[device mlx]\nid = 8086:10d3\naddress = 0000:06:00.*, 0000:07:00.0\ndriver = mlx5_vfio_pci\n"
     "[device fpga]\nid = 10ee:9038\ngroup = matched\n",
     "vfio-pci mlx5_vfio_pci mlx5_core fpga snd_hda_intel", variants, variants_steps, .late = NULL},
    {"bridged", "[device sata]\nid = 8086:2922\naddress = 0000:00:1f.2\n", "vfio-pci lpc_ich ahci",
     bridged, no_steps, .late = NULL},
    {"wider", DISPLAYS, "vfio-pci nvidia", two, wider_steps, .late = NULL, .dynids_wait = true},
    {"narrower", SUBSYSTEM_CLASS, "vfio-pci nvidia", two, narrower_steps, .late = NULL,
     .dynids_wait = true},
    {"stubs", STUB, "vfio-pci fpga", stubs, stubs_steps, .late = NULL, .unseen = true,
     .faultless = true},
    {"unstubbed", STUB, "vfio-pci fpga", stubs, unstubbed_steps, .late = NULL, .unseen = true},
    {"dropped", OTHER "[device gpu]\nid = 10de:20f1\n", "vfio-pci nvidia", dropped, dropped_steps,
     .late = NULL, .unseen = true},
    {"rebound", OTHER, "vfio-pci nvidia fpga", rebound, rebound_steps, .late = NULL,
     .unseen = true},
    {"virtual-functions", PF_RULE("2") VF_RULES, "vfio-pci iavf", virtual_functions,
     virtual_functions_steps, .late = NULL, .unseen = true,
     .faultless = true}, /* what a request comes to is looked up in what is shown of a device */
    {"dropped-vfs", PF_RULE("2") "[device vfs]\nvf-of = 0000:3b:00.0\n", "vfio-pci iavf",
     virtual_functions, dropped_vfs_steps, .late = NULL, .unseen = true},
    {"vanishing-vfs", PF_RULE("2") "[device vfs]\nvf-of = 0000:3b:00.0\n", "vfio-pci iavf",
     virtual_functions, vanishing_vfs_steps, .late = NULL, .unseen = true},
    {"identical", "[device gpu]\nid = 10de:20f1\naddress = 0000:06:00.0\nhotplug = prevent\n",
     "vfio-pci", identical, identical_steps, .late = "nvidia", .unseen = true, .dynids_wait = true},
    {"going-back", FIRST SECOND, "vfio-pci", going_back, going_back_steps, .late = "nvidia",
     .unseen = true, .late_only = true},
};
const size_t n_scripts = ELEMENTS(scripts);
