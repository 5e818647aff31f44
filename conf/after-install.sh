#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Called by meson install: lets a live system see the new files. Packages have triggers for that.
set -eu
[ -z "${DESTDIR:-}" ] || exit 0
systemd-sysusers vfio-bindd.conf || true
journalctl --update-catalog || true
[ ! -d /run/systemd/system ] || { systemctl daemon-reload; systemctl try-reload-or-restart dbus.service; } || true
