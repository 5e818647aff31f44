/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names on the bus that daemon and client share. */
#pragma once

#define BUS_NAME "org.vfio.Bindd1"
#define BUS_PATH "/org/vfio/Bindd1"
#define BUS_DEVICE_PREFIX "/org/vfio/Bindd1/device" /* a device's path: sd_bus_path_encode() */

#define BUS_MANAGER_INTERFACE "org.vfio.Bindd1.Manager"
#define BUS_DEVICE_INTERFACE "org.vfio.Bindd1.Device"

/* Polkit's actions: the first for Bind and Release, with the device; the second for Reload and
 * Rescan. */
#define POLKIT_MANAGE_DEVICES "org.vfio.Bindd1.manage-devices"
#define POLKIT_RELOAD "org.vfio.Bindd1.reload"

/* Errors. Each comes with a sentence that says what to do. */
#define BUS_ERROR_NO_SUCH_DEVICE "org.vfio.Bindd1.Error.NoSuchDevice"
#define BUS_ERROR_REFUSED "org.vfio.Bindd1.Error.Refused"
#define BUS_ERROR_BUSY "org.vfio.Bindd1.Error.Busy"
#define BUS_ERROR_POLICY_INVALID "org.vfio.Bindd1.Error.PolicyInvalid"
