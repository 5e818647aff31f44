#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: install-policy.sh POLICY SYSCONFDIR (called by meson install)
# Installs the sample policy unless there is one, and lets a live system see the new files.
set -eu
target="${DESTDIR:-}$2/vfio-bindd.conf"
if [ -e "$target" ]; then
    echo "Keeping $target"
else
    install -D -m 0644 "$1" "$target"
fi
if [ -z "${DESTDIR:-}" ]; then
    journalctl --update-catalog || true
    [ ! -d /run/systemd/system ] || systemctl daemon-reload || true
fi
