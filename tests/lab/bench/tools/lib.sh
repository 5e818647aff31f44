# shellcheck shell=bash disable=SC2016,SC1091 # for the other bash; in the guest
# For the benchmarks, beside the lab's lib.sh. What they find are lines "data TABLE FIELD…".

BENCH=/lab/bench
DRIVERCTL=/etc/driverctl.d
. $BENCH/parameters

data() {
    emit "data $*"
}

# One contender: binds the devices whose addresses follow. Each runs under `measure`.
contend() { # NAME ADDRESS…
    local name=$1 result=/run/measured output=/run/output inside=-
    shift
    case $name in
        floor) "$BENCH/measure" $result "$BENCH/floor" bind "$@" >$output ;;
        vfio-bindd) "$BENCH/measure" $result vfio-bindd --once >$output 2>&1 ;;
        shell) "$BENCH/measure" $result bash -c '
            for a; do
                echo vfio-pci >"/sys/bus/pci/devices/$a/driver_override"
                echo "$a" >/sys/bus/pci/drivers/vfio-pci/bind
            done' shell "$@" >$output 2>&1 ;;
        driverctl) "$BENCH/measure" $result bash -c '
            for a; do driverctl set-override "$a" vfio-pci; done' driverctl "$@" >$output 2>&1 ;;
        udev-rule)
            echo 'ACTION=="add", SUBSYSTEM=="pci", ATTR{vendor}=="0x10de", RUN+="/lab/bench/bind-one %k"' \
                >/run/udev/rules.d/99-bind.rules
            udevadm control --reload
            "$BENCH/measure" $result bash -c 'udevadm trigger --action=add --subsystem-match=pci \
                --attr-match=vendor=0x10de; udevadm settle --timeout=3000' >$output 2>&1
            rm /run/udev/rules.d/99-bind.rules
            udevadm control --reload
            ;;
    esac || note "$name: exit $?: $(tail -n 3 $output)"
    case $name in
        floor) inside=$(<$output) ;;
        vfio-bindd) inside=$(sed -n 's/.*(\([0-9.]*\) ms)$/\1/p' $output | tail -n 1 | awk '{ print $1 * 1000 }') ;;
    esac
    MEASURED="$(<$result) $inside"
}

# At boot vfio-bindd runs before udevd does. Later each bind has udevd run its rules for the new
# events, for some 80 ms a device here, at the same time as what is measured.
# It is not started and stopped so often that systemd would refuse.
udevd() { # start|stop
    systemctl reset-failed systemd-udevd.service 2>/dev/null
    systemctl "$1" systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
}

# Everything is unbound. Nothing of the one before may serve the next: no override, no driver, no entry in vfio-pci's table
# (vfio-bindd leaves those by ID), by which the kernel would bind what is plugged in for the next.
undo() { # ADDRESS…
    rm -f "$DRIVERCTL"/* /run/vfio-bindd/state
    while echo "10de 20f1" >/sys/bus/pci/drivers/vfio-pci/remove_id; do :; done 2>/dev/null
    "$BENCH/floor" undo "$@" >/dev/null || note "undo failed"
}

# One measurement of one contender, checked, and everything undone behind it.
round() { # TABLE NAME ADDRESS…
    local table=$1 name=$2 bound
    shift 2
    [[ $name == udev-rule ]] || udevd stop 2>/dev/null
    contend "$name" "$@"
    bound=$(find /sys/bus/pci/drivers/vfio-pci -name '0000:*' | wc -l)
    check_equal "$table: $name bound all of $#" $# "$bound"
    data "$table $# $name $MEASURED"
    undo "$@"
    udevd start 2>/dev/null
    udevadm settle --timeout=600
}

# Kernel-side time stamps of the uevents of PCI devices: what a listener could take for them would
# be late by its own waking up. kobject_uevent_env() itself cannot be probed on Debian's kernel;
# pci_uevent() is called by it, when the event has no more than its action.
TRACE=/sys/kernel/tracing
trace_uevents() {
    mount -t tracefs tracefs $TRACE 2>/dev/null
    echo 'p:uevent pci_uevent action=+0(+24(%si)):string name=+0(+0(%di)):string' >$TRACE/kprobe_events
    if ! check "the kernel can trace uevents" test -d $TRACE/events/kprobes/uevent; then
        show cat $TRACE/error_log
        return 1
    fi
    echo 1 >$TRACE/events/kprobes/uevent/enable
}

# The events since the last call: microseconds, action, address.
uevents() {
    sed -n 's/.* \([0-9]*\)\.\([0-9]*\): uevent:.*action="ACTION=\([a-z]*\)" name="\(.*\)"/\1\2 \3 \4/p' $TRACE/trace
    : >$TRACE/trace
}
