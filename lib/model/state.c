/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/state.h"

#include <string.h>

const char *state_word(enum device_state s)
{
    static const char *const words[STATE_MAX] = {
        [STATE_PENDING] = "pending",   [STATE_BOUND] = "bound",         [STATE_REFUSED] = "refused",
        [STATE_BUSY] = "busy",         [STATE_FAILED] = "failed",       [STATE_STUCK] = "stuck",
        [STATE_RELEASED] = "released", [STATE_CONTESTED] = "contested",
    };
    return words[s];
}

enum device_state state_parse(const char *word)
{
    enum device_state s = 0;

    while (s < STATE_MAX && strcmp(state_word(s), word) != 0)
        s++;
    return s;
}

const char *reason_word(enum reason r)
{
    static const char *const words[REASON_MAX] = {
        [REASON_NONE] = "",
        [REASON_BRIDGE] = "bridge",
        [REASON_FUNCTION_NOT_NAMED] = "function-not-named",
        [REASON_UNREADABLE] = "unreadable",
        [REASON_HOST_USE_UNKNOWN] = "host-use-unknown",
        [REASON_NEEDED_AT_BOOT] = "needed-at-boot",
        [REASON_HOTPLUG_OFF] = "hotplug-off",
        [REASON_DRIVER_FIXED] = "driver-fixed",
        [REASON_IN_USE] = "in-use",
        [REASON_BOOT_DISPLAY] = "boot-display",
        [REASON_HAS_VIRTUAL_FUNCTIONS] = "has-virtual-functions",
        [REASON_FLAPS] = "flaps",
        [REASON_TAKEN_BACK] = "taken-back",
        [REASON_GROUP_MEMBER_REFUSED] = "group-member-refused",
        [REASON_NO_IOMMU] = "no-iommu",
        [REASON_IOMMU_AWAITED] = "iommu-awaited",
        [REASON_DRIVER_MISSING] = "driver-missing",
        [REASON_OVERRIDE_DENIED] = "override-denied",
        [REASON_KERNEL_ERROR] = "kernel-error",
        [REASON_NOT_VERIFIED] = "not-verified",
        [REASON_DEADLINE] = "deadline",
        [REASON_NO_SRIOV] = "no-sriov",
        [REASON_TOO_MANY_VFS] = "too-many-vfs",
        [REASON_VFS_AMBIGUOUS] = "vfs-ambiguous",
        [REASON_VFS_NOT_OURS] = "vfs-not-ours",
        [REASON_NATIVE_AWAITED] = "native-driver-awaited",
        [REASON_VFS_SHORT] = "vfs-short",
        [REASON_VFS_VANISHED] = "vfs-vanished",
    };
    return words[r];
}

bool reason_sends_back(enum reason r)
{
    return r == REASON_BRIDGE || r == REASON_HOTPLUG_OFF || r == REASON_FUNCTION_NOT_NAMED ||
           r == REASON_HOST_USE_UNKNOWN || r == REASON_NEEDED_AT_BOOT;
}

const char *problem_word(enum problem p)
{
    switch (p) {
    case PROBLEM_NO_IOMMU:
        return "no-iommu";
    case PROBLEM_GROUP_NOT_VIABLE:
        return "group-not-viable";
    case PROBLEM_NODE_MISSING:
        return "node-missing";
    case PROBLEM_DRIVER_NOT_ADVERTISED:
        return "driver-not-advertised";
    case PROBLEM_HOST_USE_UNKNOWN:
        return "host-use-unknown";
    case PROBLEM_DYNAMIC_ID_INEFFECTIVE:
        return "dynamic-id-ineffective";
    case PROBLEM_BAR_CLAIMED:
        return "bar-claimed";
    case PROBLEM_BAR_UNASSIGNED:
        return "bar-unassigned";
    case PROBLEM_EXPECT_MISMATCH:
        return "expect-mismatch";
    case PROBLEM_UNREADABLE:
        return "unreadable";
    case PROBLEM_INTERRUPTS_NOT_REMAPPED:
        return "interrupts-not-remapped";
    case PROBLEM_INTERFACE_MISSING:
        return "interface-missing";
    case PROBLEM_NOT_RESPONDING:
        return "not-responding";
    case PROBLEM_RESET_METHOD:
        return "reset-method-refused";
    case PROBLEM_SWITCH_BY_WILDCARD:
        return "switch-by-wildcard";
    case PROBLEM_MAX:
        break;
    }
    return "";
}

const char *action_word(enum action_kind a)
{
    static const char *const words[ACTION_MAX] = {[ACTION_OVERRIDE] = "override",
                                                  [ACTION_UNBIND] = "unbind",
                                                  [ACTION_BIND] = "bind",
                                                  [ACTION_HOLD] = "hold-group",
                                                  [ACTION_CLEAR] = "clear-override",
                                                  [ACTION_PROBE] = "probe",
                                                  [ACTION_CHECK] = "check-users",
                                                  [ACTION_NATIVE] = "bind-native",
                                                  [ACTION_SET_PLACEHOLDER] = "set-placeholder",
                                                  [ACTION_CLEAR_PLACEHOLDER] = "clear-placeholder",
                                                  [ACTION_OFFER] = "offer",
                                                  [ACTION_TEST] = "test",
                                                  [ACTION_RESET_METHOD] = "set-reset-method",
                                                  [ACTION_SET_VFS] = "set-vfs",
                                                  [ACTION_RESTORE_AUTOPROBE] = "restore-autoprobe",
                                                  [ACTION_NEW_ID] = "new-id",
                                                  [ACTION_REMOVE_ID] = "remove-id"};
    return words[a];
}

bool action_is_dynid(enum action_kind a)
{
    return a == ACTION_NEW_ID || a == ACTION_REMOVE_ID;
}
