# shellcheck shell=bash disable=SC2154 # base and work are tests/lab/boot's
# For prepare() of a scenario: the guest's root on this host, where what would take minutes under emulation
# takes seconds.

# The base with the payload over it, in $work/root; vfio-bindd is enabled.
make_guest_root() { # PAYLOAD
    mkdir "$work/root"
    debugfs -R "rdump / $work/root" "$base/root.img" 2>/dev/null
    tar -C "$1" -c . | tar -C "$work/root" -x --keep-directory-symlink
    ln -s /lib/systemd/system/vfio-bindd.service "$work/root/etc/systemd/system/sysinit.target.wants/"
}

# Runs a bash script in it, which must not fail.
in_guest_root() { # SCRIPT
    # shellcheck disable=SC2016 # for the other bash
    if ! unshare --mount --pid --fork bash -euc '
        mount -t proc proc "$0/proc"
        mount --rbind /dev "$0/dev"
        exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -euxc "$1"' \
        "$work/root" "$1" </dev/null >"$work/in-root.log" 2>&1; then
        tail -n 20 "$work/in-root.log" >&2
        die "this failed in the guest's root: $1"
    fi
}

# initramfs-tools includes these modules, and no others than these and what hooks add.
use_modules() { # ROOT MODULE…
    printf '%s\n' "${@:2}" >"$1/etc/initramfs-tools/modules"
    sed -i '/^MODULES=/d; /^COMPRESS=/d' "$1/etc/initramfs-tools/initramfs.conf"
    printf 'MODULES=list\nCOMPRESS=gzip\n' >>"$1/etc/initramfs-tools/initramfs.conf"
}
