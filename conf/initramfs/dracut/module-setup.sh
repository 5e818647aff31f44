#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dracut: brings vfio-bindd, the policy and what it needs into the initramfs, where the service is enabled.

# shellcheck disable=SC2154 # dracut's variables
check() {
    [[ $mount_needs ]] && return 1
    require_binaries vfio-bindd || return 1
    # An initramfs for a crash dump: the dump's disk or network card would be taken. Its module is kdumpbase on
    # Fedora and RHEL, kdump on SUSE.
    [[ " $dracutmodules $add_dracutmodules $force_add_dracutmodules " =~ \ kdump(base)?\  ]] && return 1
    # Fedora's and Debian's rescue image: nothing makes it anew, so its policy would be that of the day it was made.
    [[ $outfile == *0-rescue* ]] && return 1
    systemctl is-enabled --quiet vfio-bindd.service 2>/dev/null || return 255
    return 0
}

depends() {
    echo systemd
}

installkernel() {
    local -a modules
    mapfile -t modules < <(vfio-bindd --for-initramfs 2>/dev/null | sed -n 's/^module //p')
    # Without a module instmods would read its standard input.
    ((${#modules[@]} > 0)) || return 0
    # It may not be loaded now, and is needed all the same.
    hostonly='' instmods "${modules[@]}"
}

# On another host than this one the list of what is in use says nothing. Then what may carry the host waits
# for the real root.
install() {
    local file list=$initdir/usr/lib/vfio-bindd/initramfs
    mkdir -p "${list%/*}"
    # In the middle of an upgrade the program may not run: an initramfs without it is better than none.
    if ! vfio-bindd --for-initramfs >"$list"; then
        rm -f "$list"
        dwarn "vfio-bindd does not run now, and is not in the initramfs"
        return 0
    fi
    inst_binary vfio-bindd
    inst_multiple -o sh mkdir modprobe sleep udevadm
    while read -r file; do
        [[ ! -e $file ]] || inst_simple "$file"
    done < <(sed -n 's/^file //p' "$list")
    : >"${list%/*}/policy-$(sed -n 's/^policy //p' "$list")"
    inst_simple "$moddir/script" /usr/lib/vfio-bindd/early
    inst_simple "$moddir/script" /usr/lib/vfio-bindd/give-back
    for file in vfio-bindd-initramfs.service vfio-bindd-give-back.service vfio-bindd-give-back.timer; do
        inst_simple "$moddir/$file" "$systemdsystemunitdir/$file"
    done
    systemctl -q --root "$initdir" add-wants sysinit.target vfio-bindd-initramfs.service
    systemctl -q --root "$initdir" add-wants initrd.target vfio-bindd-give-back.timer
}
