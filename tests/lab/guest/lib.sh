# shellcheck shell=bash
# For the tests of the lab's scenarios, sourced before them in the guest.
#
# A test is bash. It says what it finds with these, and its last line is `done`,
# printed by finish. There is no `set -e`: a check that fails is reported, and
# the test goes on.
#
#   check "description" COMMAND…   ok if the command succeeds
#   check_not "description" COMMAND…   ok if it fails
#   check_equal "description" WANTED FOUND
#   note "text"                    a comment
#   show COMMAND…                  a command and its output, as comments
#   finish                         the end of the test was reached

LAB_RESULTS=/run/lab-results
EMUGPU=/sys/module/emugpu/parameters
PCI=/sys/bus/pci/devices

# The console of the results, and a copy which run-test looks at.
emit() {
    printf '%s\n' "$@" | tee -a "$LAB_RESULTS" >/dev/ttyS1
}

comment() {
    sed 's/^/# /' | tee -a "$LAB_RESULTS" >/dev/ttyS1
}

note() {
    printf '%s\n' "$*" | comment
}

show() {
    note "\$ $*"
    "$@" 2>&1 </dev/null | comment
}

report() { # STATUS DESCRIPTION OUTPUT
    if (($1 == 0)); then
        emit "ok - $2"
        return 0
    fi
    emit "not ok - $2"
    [[ -z $3 ]] || printf '%s\n' "$3" | comment
    return 1
}

# Commands run in this shell, not in a subshell: `wait` works, variables stay.
check() {
    local description=$1 output=/run/lab-output status=0
    shift
    "$@" >"$output" 2>&1 || status=$?
    report "$status" "$description" "$* => $status"$'\n'"$(<"$output")"
}

check_not() {
    local description=$1 output=/run/lab-output status=1
    shift
    "$@" >"$output" 2>&1 || status=0
    report "$status" "$description" "$* => 0"$'\n'"$(<"$output")"
}

check_equal() { # DESCRIPTION WANTED FOUND
    local status=0
    [[ $2 == "$3" ]] || status=1
    report "$status" "$1" "wanted: $2"$'\n'"found:  $3"
}

# Whether a virtual machine can have a device, said by the daemon and by VFIO, which is asked as a
# virtual machine monitor would ask. A group that somebody has cannot be tried.
differing_verdicts() {
    local said=/run/lab-said facts=/run/lab-facts
    wait_for 60 busctl status org.vfio.Bindd1 >/dev/null || return
    busctl --json=short --timeout=60 call org.vfio.Bindd1 /org/vfio/Bindd1 \
        org.freedesktop.DBus.ObjectManager GetManagedObjects >"$said" || return
    /lab/facts >"$facts" || return
    jq -r --slurpfile facts "$facts" '
        ([$facts[] | select(.t == "vfio") | select(.open == "EBUSY") | .devices | keys[]]) as $busy
        | ([$facts[] | select(.t == "vfio") | .devices | to_entries[] | select(.value == "ok") | .key]) as $ok
        | .data[0][] | ."org.vfio.Bindd1.Device" // empty | map_values(.data)
        | select([.Address] - $busy != []) | select(.Usable != ([.Address] - $ok == []))
        | "\(.Address): Usable is \(.Usable), Problems are \(.Problems)"' "$said"
    grep '"t":"vfio"' "$facts" >"$facts.vfio" || true
}

# The last check of every test that leaves the daemon running.
finish() {
    local differing
    if systemctl is-active -q vfio-bindd.service; then
        differing=$(differing_verdicts 2>&1) || differing="cannot be compared: $differing"
        check_equal "usable is what VFIO lets a virtual machine have" "" "$differing" ||
            comment </run/lab-facts.vfio
    fi
    check_not "vfio-bindd has not failed" systemctl is-failed -q vfio-bindd.service
    emit "done"
}

# The guest boots with this initramfs from now on (INITRAMFS=own), and with more words on the kernel
# command line.
hand_over() { # FILE [WORD…]
    local disk=/dev/disk/by-id/virtio-initramfs
    wait_for 60 test -b $disk || return
    { stat -c %s "$1"; echo "${*:2}"; } | dd of="$disk" bs=512 iflag=fullblock conv=sync,notrunc status=none &&
        dd if="$1" of="$disk" bs=64k oflag=seek_bytes seek=512 conv=notrunc status=none && sync
}

# Which boot of a test this is, 1 the first.
this_boot() {
    grep -oP 'lab\.boot=\K\S+' /proc/cmdline || echo 1
}
# Reboots into that boot of the test, with an initramfs.
next_boot() { # BOOT FILE [WORD…]
    check "the initramfs is handed over" hand_over "$2" "lab.boot=$1" "${@:3}"
    sync
    systemctl reboot
    sleep infinity # run-test would end the guest
}

# Which drivers other than vfio-pci the kernel has let probe the device since power-on (PROBES=on).
native_probes() { # ADDRESS…
    local address
    mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
    for address in "$@"; do
        grep -F "dev=\"$address\"" /sys/kernel/tracing/trace | grep -oP 'drv="\K[^"]+' | grep -vx vfio-pci |
            sed "s/^/$address /"
    done
}

on_vfio() { # ADDRESS…
    local address
    for address in "$@"; do
        test_driver vfio-pci "$address" || return
    done
}

said_in_initramfs() { # PATTERN
    journalctl -b -t vfio-bindd-initramfs --no-pager -o cat | grep -E -- "$1"
}

# Waits until a command succeeds, at most so many seconds.
wait_for() { # SECONDS COMMAND…
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# The addresses of the PCI functions with a vendor (and device), one a line.
functions_of() { # VENDOR [DEVICE]
    local dir vendor device
    for dir in "$PCI"/*; do
        { read -r vendor <"$dir/vendor" && read -r device <"$dir/device"; } 2>/dev/null ||
            continue
        if [[ $vendor == "0x$1" && ${2:-${device#0x}} == "${device#0x}" ]]; then
            echo "${dir##*/}"
        fi
    done
}

gpu_functions() { # all of NVIDIA's: graphics and audio
    functions_of 10de
}

gpus() { # only the graphics functions
    local address
    for address in $(gpu_functions); do
        [[ $address != *.0 ]] || echo "$address"
    done
}

# The name of the driver of a function, "none" without one.
driver_of() { # ADDRESS
    local link
    if link=$(readlink "$PCI/$1/driver"); then
        echo "${link##*/}"
    else
        echo none
    fi
}

# For wait_for: is it so at last?
test_driver() { # DRIVER ADDRESS
    [[ $(driver_of "$2") == "$1" ]]
}

test_not_driver() { # DRIVER ADDRESS
    [[ $(driver_of "$2") != "$1" ]]
}

# The object of a function on the bus.
device_path() { # ADDRESS
    echo "/org/vfio/Bindd1/device/$(sed 's/^\([0-9]\)/_3\1/; s/:/_3a/g; s/\./_2e/g' <<<"$1")"
}

# How many of some functions have a driver.
count_driver() { # DRIVER ADDRESS…
    local driver=$1 address count=0
    shift
    for address; do
        [[ $(driver_of "$address") != "$driver" ]] || count=$((count + 1))
    done
    echo "$count"
}

group_of() { # ADDRESS
    local link
    link=$(readlink "$PCI/$1/iommu_group") && echo "${link##*/}"
}

# The address of a function of the card in a slot of /sys/bus/pci/slots.
in_slot() { # SLOT [FUNCTION]
    local address
    read -r address <"/sys/bus/pci/slots/$1/address" && echo "$address.${2:-0}"
}

# Plugs or unplugs the emulated GPU in a slot; returns when the kernel is done.
plug() { # SLOT
    echo "$1" >"$EMUGPU/plug"
}

unplug() { # SLOT
    echo "$1" >"$EMUGPU/unplug"
}

nvidia_parameter() { # NAME
    cat "/sys/module/nvidia/parameters/$1" 2>/dev/null || echo 0
}

nvidia_probes() {
    nvidia_parameter probes
}

nvidia_removes() {
    nvidia_parameter removes
}

# The kernel's events of PCI functions from now on, into a file (see uevents.c); one at a time.
listen() { # FILE
    /lab/uevents >"$1" &
    listener=$!
    wait_for 20 test -s "$1"
}

stop_listening() {
    kill "$listener"
    wait "$listener" 2>/dev/null
}

# What happened to each function, a line each: ADDRESS: add bind=vfio-pci unbind remove …
histories() { # FILE
    awk 'NF == 4 { h[$3] = h[$3] " " $2 ($2 == "bind" ? "=" $4 : "") }
         END { for (a in h) print a ":" h[a] }' "$1" | sort
}

# How long answers on the bus take: asks so often, with a pause, over one connection; in the
# background, until answers_measured. The results are in FILE, what took more than 100 ms is in
# FILE.long (see bus-latency.c).
measure_answers() { # FILE CALLS PAUSE_MS
    /lab/bus-latency org.vfio.Bindd1 /org/vfio/Bindd1 org.vfio.Bindd1.Manager State "$2" "$3" \
        >"$1" 2>"$1.long" &
    measuring=$!
}

answers_measured() {
    wait "$measuring"
}

# What the kernel complains of when something went wrong inside it.
kernel_complaints() {
    dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|general protection|refcount_t'
}

# Runs a command in the place of a program, in all that its unit gives it; prints what it says.
in_place_of() { # UNIT COMMAND…
    local unit=$1 dropin=/run/systemd/system/$1.d/place.conf since
    shift
    mkdir -p "${dropin%/*}"
    printf '[Service]\nType=oneshot\nWatchdogSec=0\nRestart=no\nExecStart=\nExecStart=%s\nExecReload=\n' "$*" >"$dropin"
    systemctl daemon-reload
    sleep 1 # the journal's --since has seconds
    since=$(date +%s)
    systemctl restart "$unit"
    journalctl --sync
    journalctl -q -o cat -u "$unit" --since "@$since" -t "$(basename "$1")"
    rm "$dropin"
    systemctl daemon-reload
}
