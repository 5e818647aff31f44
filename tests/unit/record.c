/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a device: what it makes of what comes and goes, and of verdicts. */
#include "transitions.h"

static char nvidia[] = "nvidia", vfio[] = "vfio-pci", qemu[] = "qemu";

static const struct device without_driver = {.vendor = 0x8086, .device = 0x10d3, .detailed = true},
                           on_nvidia = {.vendor = 0x10de, .driver = "nvidia"},
                           on_vfio = {.vendor = 0x8086,
                                      .device = 0x10d3,
                                      .detailed = true,
                                      .driver = "vfio-pci"},
                           unread = {.unidentified = true},
                           undetailed = {.vendor = 0x8086, .device = 0x10d3},
                           another = {.vendor = 0x8086, .device = 0x1572};

/* -- coming and going -- */

START_TEST(coming_and_going)
{
    static const struct transition table[] = {
        {"plugged in after the boot",
         {.state = RECORD_OPEN},
         EVENT(APPEARED, .device = &without_driver, .unused = true),
         {.arrival = ARRIVAL_UNUSED, .fresh = true, .seen_usec = NOW}},
        {"plugged in while the host comes up",
         {.state = RECORD_OPEN},
         EVENT(APPEARED, .device = &without_driver),
         {.arrival = ARRIVAL_PLUGGED, .fresh = true, .seen_usec = NOW}},
        {"another at its address, and nobody said that the first was gone",
         {.state = RECORD_RELEASED,
          .touched = true,
          .override = OVERRIDE_OURS,
          .override_text = vfio,
          .binding = BINDING_OURS,
          .previous_driver = nvidia,
          .holder = qemu,
          .flaps = 2},
         EVENT(APPEARED, .device = &another, .unused = true),
         {.arrival = ARRIVAL_UNUSED, .fresh = true, .seen_usec = NOW}},
        {"gone",
         {.state = RECORD_CONTESTED, .flaps = 3, .placeholder = true, .offered_to = 7},
         EVENT(DISAPPEARED),
         {.state = RECORD_GONE}},
        {"gone while a worker has it",
         {.state = RECORD_RELEASING, .work = WORK_RUNNING, .binding = BINDING_OURS},
         EVENT(DISAPPEARED),
         {.state = RECORD_GONE, .work = WORK_RUNNING_FOR_ANOTHER}},
        {"gone while a worker hangs",
         {.work = WORK_STUCK},
         EVENT(DISAPPEARED),
         {.state = RECORD_GONE, .work = WORK_STUCK_FOR_ANOTHER}},
        {"gone again, the first worker still has not come back",
         {.work = WORK_RUNNING_FOR_ANOTHER, .arrival = ARRIVAL_UNUSED},
         EVENT(DISAPPEARED),
         {.state = RECORD_GONE, .work = WORK_RUNNING_FOR_ANOTHER}},
        {"another while a worker has the one before",
         {.state = RECORD_GONE, .work = WORK_STUCK_FOR_ANOTHER},
         EVENT(APPEARED, .device = &another, .unused = true),
         {.work = WORK_STUCK_FOR_ANOTHER,
          .arrival = ARRIVAL_UNUSED,
          .fresh = true,
          .seen_usec = NOW}},
        {"there again, though nobody told of it",
         {.state = RECORD_GONE},
         EVENT(LOOKED, .device = &without_driver),
         {.state = RECORD_OPEN}},
    };

    RUN(table);
}
END_TEST

/* What the host may need stays refused when it comes back. */
START_TEST(refused_for_the_host)
{
    static const struct transition table[] = {
        {"refused at boot",
         {.seen_usec = 1},
         EVENT(JUDGED, .device = &without_driver, VERDICT(REFUSED, HOST_USE_UNKNOWN)),
         {.seen_usec = 1, .past = REFUSED}},
        {"named in fstab",
         {.seen_usec = 1},
         EVENT(JUDGED, .device = &without_driver, VERDICT(REFUSED, NEEDED_AT_BOOT)),
         {.seen_usec = 1, .past = REFUSED}},
        {"refused for another reason",
         {.seen_usec = 1},
         EVENT(JUDGED, .device = &without_driver, VERDICT(REFUSED, BRIDGE)),
         {.seen_usec = 1}},
        {"unplugged",
         {.past = REFUSED},
         EVENT(DISAPPEARED),
         {.state = RECORD_GONE, .past = REFUSED}},
        {"and back",
         {.state = RECORD_GONE, .past = REFUSED},
         EVENT(APPEARED, .device = &without_driver, .unused = true),
         {.arrival = ARRIVAL_UNUSED, .fresh = true, .seen_usec = NOW, .past = REFUSED}},
        {"replaced by the like in one move",
         {.past = REFUSED},
         EVENT(APPEARED, .device = &without_driver, .unused = true),
         {.arrival = ARRIVAL_UNUSED, .fresh = true, .seen_usec = NOW, .past = REFUSED}},
        {"another at its address",
         {.state = RECORD_GONE, .past = REFUSED},
         EVENT(APPEARED, .device = &another, .unused = true),
         {.arrival = ARRIVAL_UNUSED, .fresh = true, .seen_usec = NOW}},
        {"refused with its driver",
         {.seen_usec = 1, .past = REFUSED},
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(REFUSED, HOST_USE_UNKNOWN)),
         {.seen_usec = 1,
          .touched = true,
          .past = {.refused = true, .had_driver = true, .vendor = 0x10de}}},
        {"the host can do without",
         {.seen_usec = 1, .past = REFUSED},
         EVENT(JUDGED, .device = &on_vfio, VERDICT(BOUND, NONE)),
         {.seen_usec = 1}},
        {"a new policy does not change what it was",
         {.past = REFUSED},
         EVENT(RELOAD),
         {.past = REFUSED}},
        {"nor does a rescan, while it is gone",
         {.state = RECORD_GONE, .past = REFUSED},
         EVENT(RESCAN),
         {.state = RECORD_GONE, .past = REFUSED}},
    };
    const struct record there = {.past = REFUSED},
                        back = {.past = REFUSED, .arrival = ARRIVAL_UNUSED},
                        plugged = {.arrival = ARRIVAL_UNUSED};

    RUN(table);
    ck_assert(!record_stays_refused(&there) && record_stays_refused(&back));
    ck_assert(!record_is_unused(&back) && record_is_unused(&plugged));
}
END_TEST

#define NEW                                       \
    {                                             \
        .arrival = ARRIVAL_UNUSED, .seen_usec = 1 \
    }
#define NEW_UNNAMED                                                \
    {                                                              \
        .arrival = ARRIVAL_UNUSED, .seen_usec = 1, .unnamed = true \
    }

/* What came after the boot has not been used before, until it is left to a native driver. */
START_TEST(left_to_the_host)
{
    static const struct transition table[] = {
        {"by its rule",
         NEW,
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(REFUSED, HOTPLUG_OFF)),
         {.arrival = ARRIVAL_PLUGGED, .seen_usec = 1, .touched = true}},
        {"not while it is to be taken",
         NEW,
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(PENDING, NONE)),
         {.arrival = ARRIVAL_UNUSED, .seen_usec = 1, .touched = true}},
        {"nor if no driver has it",
         NEW,
         EVENT(JUDGED, .device = &without_driver, VERDICT(REFUSED, HOTPLUG_OFF)),
         {.arrival = ARRIVAL_UNUSED, .seen_usec = 1}},
        {"without a rule",
         NEW,
         EVENT(UNNAMED, .device = &on_nvidia),
         {.arrival = ARRIVAL_PLUGGED, .seen_usec = 1, .unnamed = true}},
        {"without a rule, to no driver",
         NEW,
         EVENT(UNNAMED, .device = &without_driver),
         {.arrival = ARRIVAL_UNUSED, .seen_usec = 1, .unnamed = true}},
        {"for a moment only",
         NEW,
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(REFUSED, UNREADABLE)),
         {.arrival = ARRIVAL_UNUSED, .seen_usec = 1, .touched = true}},
        {"for a moment only, for another",
         NEW,
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(REFUSED, GROUP_MEMBER_REFUSED)),
         {.arrival = ARRIVAL_UNUSED, .seen_usec = 1, .touched = true}},
        {"without a rule that may concern it: its driver was not read",
         NEW,
         EVENT(UNNAMED, .device = &undetailed),
         {.arrival = ARRIVAL_PLUGGED, .seen_usec = 1, .unnamed = true}},
        {"and the driver comes later",
         NEW_UNNAMED,
         EVENT(BOUND, .device = &on_nvidia),
         {.arrival = ARRIVAL_PLUGGED, .seen_usec = 1, .unnamed = true, .binding = BINDING_FOUND}},
        {"and was seen later",
         NEW_UNNAMED,
         EVENT(LOOKED, .device = &on_nvidia),
         {.arrival = ARRIVAL_PLUGGED, .seen_usec = 1, .unnamed = true}},
        {"it is vfio-pci",
         NEW_UNNAMED,
         EVENT(BOUND, .device = &on_vfio),
         {.arrival = ARRIVAL_UNUSED, .seen_usec = 1, .unnamed = true, .binding = BINDING_FOUND}},
        {"handed back",
         {.state = RECORD_RELEASING, .arrival = ARRIVAL_UNUSED},
         EVENT(DONE, OP(NATIVE, 0, nvidia)),
         {.state = RECORD_RELEASED, .arrival = ARRIVAL_PLUGGED, .offer = OFFER_OWED}},
    };

    RUN(table);
}
END_TEST

#define RELEASED_8086                                        \
    {                                                        \
        .released = true, .vendor = 0x8086, .device = 0x10d3 \
    }

/* Until reload or bind: also if it is unplugged, or removed and found by a rescan. */
static const struct transition releases[] = {
    {"released",
     {.state = RECORD_RELEASING, .seen_usec = 1},
     EVENT(JUDGED, .device = &on_vfio, VERDICT(PENDING, NONE)),
     {.state = RECORD_RELEASING, .seen_usec = 1, .past = RELEASED_8086}},
    {"gone",
     {.state = RECORD_RELEASED, .past = RELEASED_8086},
     EVENT(DISAPPEARED),
     {.state = RECORD_GONE, .past = RELEASED_8086}},
    {"back",
     {.state = RECORD_GONE, .past = RELEASED_8086},
     EVENT(APPEARED, .device = &on_vfio, .unused = true),
     {.state = RECORD_RELEASING,
      .arrival = ARRIVAL_UNUSED,
      .fresh = true,
      .seen_usec = NOW,
      .past = RELEASED_8086}},
    {"back, and it cannot be read what it is",
     {.state = RECORD_GONE, .past = RELEASED_8086},
     EVENT(APPEARED, .device = &unread),
     {.state = RECORD_RELEASING,
      .arrival = ARRIVAL_PLUGGED,
      .fresh = true,
      .seen_usec = NOW,
      .past = RELEASED_8086}},
    {"given to its native driver",
     {.state = RECORD_RELEASING, .fresh = true, .past = RELEASED_8086},
     EVENT(DONE, OP(NATIVE, 0, "")),
     {.state = RECORD_RELEASED, .fresh = true, .past = RELEASED_8086, .offer = OFFER_OWED}},
    {"and an entry was faster",
     {.state = RECORD_RELEASED, .fresh = true, .past = RELEASED_8086},
     EVENT(BOUND, .device = &on_vfio, .has_dynid = true),
     {.state = RECORD_RELEASING,
      .fresh = true,
      .attempts = 1,
      .binding = BINDING_OURS,
      .past = RELEASED_8086}},
    {"and somebody else wants it there",
     {.state = RECORD_RELEASED, .past = RELEASED_8086},
     EVENT(BOUND, .device = &on_vfio, .has_dynid = true),
     {.state = RECORD_RELEASED, .binding = BINDING_FOUND, .past = RELEASED_8086}},
    {"another one",
     {.state = RECORD_GONE, .past = RELEASED_8086},
     EVENT(APPEARED, .device = &another, .unused = true),
     {.arrival = ARRIVAL_UNUSED, .fresh = true, .seen_usec = NOW}},
    {"a new policy, while it is gone",
     {.state = RECORD_GONE, .past = RELEASED_8086},
     EVENT(RELOAD),
     {.state = RECORD_GONE, .past = {.vendor = 0x8086, .device = 0x10d3}}},
    {"a rescan, while it is gone",
     {.state = RECORD_GONE, .past = RELEASED_8086},
     EVENT(RESCAN),
     {.state = RECORD_GONE, .past = RELEASED_8086}},
    {"bind",
     {.state = RECORD_RELEASED, .past = RELEASED_8086},
     EVENT(BIND),
     {.past = {.vendor = 0x8086, .device = 0x10d3}}},
    {"no rule names it, while it is gone",
     {.state = RECORD_GONE, .past = RELEASED_8086},
     EVENT(UNNAMED),
     {.state = RECORD_GONE}},
};

START_TEST(released_and_back)
{
    RUN(releases);
}
END_TEST

/* -- drivers -- */

static const struct transition bindings[] = {
    {"bound, by whom ever", {.flaps = 1}, EVENT(BOUND), {.flaps = 1, .binding = BINDING_FOUND}},
    {"bound by us in an earlier run",
     {.binding = BINDING_CLAIMED, .override = OVERRIDE_OURS, .override_text = vfio},
     EVENT(BOUND),
     {.binding = BINDING_OURS, .override = OVERRIDE_MAYBE, .override_text = vfio}},
    {"bound within its moment",
     {.not_before_usec = SOON},
     EVENT(BOUND),
     {.binding = BINDING_FOUND}},
    {"unbound by somebody",
     {.binding = BINDING_OURS, .override = OVERRIDE_OURS, .override_text = vfio},
     EVENT(UNBOUND, .device = &without_driver),
     {.override = OVERRIDE_MAYBE,
      .override_text = vfio,
      .flaps = 1,
      .flap_usec = NOW,
      .not_before_usec = SOON}},
    {"unbound, and somebody has it already",
     {.binding = BINDING_UNKNOWN},
     EVENT(UNBOUND, .device = &on_nvidia),
     {.binding = BINDING_UNKNOWN}},
    {"a moment is not put off",
     {.binding = BINDING_FOUND, .not_before_usec = SOON - 5},
     EVENT(UNBOUND, .device = &without_driver),
     {.flaps = 1, .flap_usec = NOW, .not_before_usec = SOON - 5}},
    {"unbound by our worker",
     {.binding = BINDING_OURS, .work = WORK_RUNNING},
     EVENT(UNBOUND, .device = &without_driver),
     {.work = WORK_RUNNING}},
    {"unbound when released",
     {.binding = BINDING_OURS, .state = RECORD_RELEASED},
     EVENT(UNBOUND, .device = &without_driver),
     {.state = RECORD_RELEASED, .not_before_usec = SOON}},
    {"the third time within a minute",
     {.binding = BINDING_OURS, .flaps = 2, .flap_usec = NOW - 60 * USEC_PER_SEC},
     EVENT(UNBOUND, .device = &without_driver),
     {.state = RECORD_CONTESTED,
      .flaps = 3,
      .flap_usec = NOW - 60 * USEC_PER_SEC,
      .not_before_usec = SOON}},
    {"the third time, after more than that",
     {.binding = BINDING_OURS, .flaps = 2, .flap_usec = NOW - 60 * USEC_PER_SEC - 1},
     EVENT(UNBOUND, .device = &without_driver),
     {.flaps = 1, .flap_usec = NOW, .not_before_usec = SOON}},
    {"a third time that was not bound",
     {.binding = BINDING_CLAIMED, .flaps = 2, .flap_usec = NOW},
     EVENT(UNBOUND, .device = &without_driver),
     {.flaps = 2, .flap_usec = NOW, .not_before_usec = SOON}},
    {"the moment has not passed",
     {.not_before_usec = NOW + 1},
     EVENT(TIME),
     {.not_before_usec = NOW + 1}},
    {"the moment has passed", {.not_before_usec = NOW}, EVENT(TIME), {.state = RECORD_OPEN}},
};

START_TEST(drivers_that_come_and_go)
{
    RUN(bindings);
}
END_TEST

static const struct transition looks[] = {
    {"bound, and read back",
     {.state = RECORD_UNVERIFIED, .binding = BINDING_OURS},
     EVENT(LOOKED, .device = &on_vfio),
     {.binding = BINDING_OURS}},
    {"not there",
     {.state = RECORD_UNVERIFIED, .binding = BINDING_OURS},
     EVENT(LOOKED, .device = &without_driver),
     {.state = RECORD_UNVERIFIED, .binding = BINDING_OURS}},
    {"nobody has it yet",
     {.fresh = true},
     EVENT(LOOKED, .device = &without_driver),
     {.fresh = true}},
    {"by a dynamic ID",
     {.fresh = true},
     EVENT(LOOKED, .device = &on_vfio, .has_dynid = true),
     {.fresh = true, .binding = BINDING_CLAIMED}},
    {"which has gone since",
     {.fresh = true, .binding = BINDING_CLAIMED},
     EVENT(LOOKED, .device = &on_vfio),
     {.fresh = true, .binding = BINDING_CLAIMED}},
    {"whose probe() is over",
     {.fresh = true},
     EVENT(BOUND, .device = &on_vfio, .has_dynid = true),
     {.fresh = true, .binding = BINDING_OURS}},
    {"which was right",
     {.seen_usec = 1, .fresh = true, .binding = BINDING_OURS},
     EVENT(JUDGED, .device = &on_vfio, VERDICT(BOUND, NONE)),
     {.seen_usec = 1, .binding = BINDING_OURS}},
    {"by somebody", {.fresh = true}, EVENT(LOOKED, .device = &on_vfio), {.fresh = false}},
    {"by its native driver",
     {.fresh = true},
     EVENT(LOOKED, .device = &on_nvidia, .has_dynid = true),
     {.fresh = false}},
    {"on its way back",
     {.state = RECORD_HANDING_BACK, .override = OVERRIDE_MAYBE},
     EVENT(LOOKED, .device = &on_vfio),
     {.state = RECORD_HANDING_BACK, .override = OVERRIDE_MAYBE}},
    {"back",
     {.state = RECORD_HANDING_BACK},
     EVENT(LOOKED, .device = &on_nvidia),
     {.state = RECORD_HANDED_BACK}},
    {"caught on its way back",
     {.state = RECORD_HANDING_BACK},
     EVENT(LOOKED, .device = &on_vfio),
     {.state = RECORD_HANDING_BACK, .binding = BINDING_OURS, .attempts = 1}},
    {"handed back, and nobody has it",
     {.state = RECORD_HANDED_BACK_UNSEEN},
     EVENT(LOOKED, .device = &without_driver),
     {.state = RECORD_HANDED_BACK}},
    {"handed back, and vfio-pci has it again",
     {.state = RECORD_HANDED_BACK_UNSEEN, .binding = BINDING_FOUND},
     EVENT(LOOKED, .device = &on_vfio),
     {.state = RECORD_HANDING_BACK, .binding = BINDING_OURS, .attempts = 1}},
    {"once too often",
     {.state = RECORD_HANDED_BACK_UNSEEN, .attempts = 4},
     EVENT(LOOKED, .device = &on_vfio),
     {.state = RECORD_HANDED_BACK, .attempts = 5}},
    {"handed back by a run that could not say so",
     {.binding = BINDING_CLAIMED, .override = OVERRIDE_MAYBE, .override_text = vfio},
     EVENT(LOOKED, .device = &on_nvidia),
     {.override = OVERRIDE_MAYBE, .override_text = vfio}},
    {"on the driver that the policy of an earlier run wanted",
     {.binding = BINDING_CLAIMED, .override = OVERRIDE_MAYBE, .override_text = nvidia},
     EVENT(LOOKED, .device = &on_nvidia),
     {.binding = BINDING_CLAIMED, .override = OVERRIDE_MAYBE, .override_text = nvidia}},
    {"a failure stays one",
     {.state = RECORD_FAILED, FAILED_OF(EIO, BIND)},
     EVENT(LOOKED, .device = &on_nvidia),
     {.state = RECORD_FAILED, FAILED_OF(EIO, BIND)}},
};

START_TEST(what_a_look_shows)
{
    RUN(looks);
}
END_TEST

/* -- verdicts -- */

START_TEST(verdicts)
{
    static const struct transition table[] = {
        {"seen for the first time",
         {.attempts = 1},
         EVENT(JUDGED, .device = &without_driver, VERDICT(PENDING, NONE)),
         {.attempts = 1, .seen_usec = NOW}},
        {"a native driver has it",
         {.seen_usec = 1},
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(PENDING, NONE)),
         {.seen_usec = 1, .touched = true}},
        {"on the driver that an earlier policy wanted",
         {.seen_usec = 1, .binding = BINDING_OURS},
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(PENDING, NONE)),
         {.seen_usec = 1, .binding = BINDING_OURS}},
        {"bound at last",
         {.seen_usec = NOW - 5,
          .attempts = 3,
          .override = OVERRIDE_OURS,
          .override_text = vfio,
          .binding = BINDING_FOUND},
         EVENT(JUDGED, .device = &on_vfio, VERDICT(BOUND, NONE)),
         {.seen_usec = NOW - 5,
          .override = OVERRIDE_OURS,
          .override_text = vfio,
          .bound_usec = 5,
          .binding = BINDING_OURS}},
        {"bound by a dynamic ID",
         {.seen_usec = 1, .binding = BINDING_FOUND},
         EVENT(JUDGED, .device = &on_vfio, .has_dynid = true, VERDICT(BOUND, NONE)),
         {.seen_usec = 1, .binding = BINDING_OURS}},
        {"bound when we came: how long that took is not known",
         {.seen_usec = 1},
         EVENT(JUDGED, .device = &on_vfio, VERDICT(BOUND, NONE)),
         {.seen_usec = 1}},
        {"a rule names it again while it goes back",
         {.seen_usec = 1, .state = RECORD_HANDING_BACK, .unnamed = true},
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(PENDING, NONE)),
         {.seen_usec = 1, .touched = true}},
        {"caught by a dynamic ID, it goes back to its end",
         {.seen_usec = 1, .state = RECORD_HANDING_BACK},
         EVENT(JUDGED, .device = &without_driver, VERDICT(REFUSED, HOTPLUG_OFF)),
         {.seen_usec = 1, .state = RECORD_HANDING_BACK}},
        {"a rule names it again",
         {.seen_usec = 1, .state = RECORD_HANDED_BACK, .unnamed = true},
         EVENT(JUDGED, .device = &on_nvidia, VERDICT(PENDING, NONE)),
         {.seen_usec = 1, .touched = true}},
        {"the journal was told",
         {.state = RECORD_OPEN},
         EVENT(TOLD, .verdict = {STATE_BUSY, REASON_IN_USE, vfio, false}),
         {.told = {true, STATE_BUSY, REASON_IN_USE, false}}},
    };

    RUN(table);
}
END_TEST

/* What was to get a placeholder, and an entry of ours took it all the same. */
START_TEST(caught)
{
    static const struct transition table[] = {
        {"the kernel says so",
         {.placeholder = true},
         EVENT(BOUND, .device = &on_vfio, .has_dynid = true),
         {.placeholder = true, .binding = BINDING_OURS}},
        {"seen later",
         {.placeholder = true},
         EVENT(UNNAMED, .device = &on_vfio, .has_dynid = true),
         {.placeholder = true, .binding = BINDING_CLAIMED, .unnamed = true}},
        {"not by us",
         {.placeholder = true},
         EVENT(BOUND, .device = &on_vfio),
         {.placeholder = true, .binding = BINDING_FOUND}},
        {"by its native driver",
         {.placeholder = true},
         EVENT(BOUND, .device = &on_nvidia, .has_dynid = true),
         {.placeholder = true, .binding = BINDING_FOUND}},
        {"it was never to get one",
         {.placeholder = false},
         EVENT(BOUND, .device = &on_vfio, .has_dynid = true),
         {.binding = BINDING_FOUND}},
    };

    RUN(table);
}
END_TEST

START_TEST(from_an_earlier_run)
{
    static const struct transition table[] = {
        {"nothing else is known",
         {.state = RECORD_OPEN},
         EVENT(CAME_LATE, .unused = true),
         {.arrival = ARRIVAL_UNUSED}},
        {"a native driver has it by now",
         {.state = RECORD_OPEN},
         EVENT(CAME_LATE),
         {.arrival = ARRIVAL_PLUGGED}},
        {"what is known counts",
         {.arrival = ARRIVAL_PLUGGED},
         EVENT(CAME_LATE, .unused = true),
         {.arrival = ARRIVAL_PLUGGED}},
        {"gone again", {.state = RECORD_GONE}, EVENT(CAME_LATE), {.state = RECORD_GONE}},
    };

    RUN(table);
}
END_TEST

START_TEST(no_rule_names_it)
{
    static const struct transition table[] = {
        {"what failed when it was to be taken",
         {.state = RECORD_FAILED, FAILED_OF(EIO, BIND), .override = OVERRIDE_MAYBE},
         EVENT(UNNAMED),
         {.unnamed = true, .override = OVERRIDE_MAYBE}},
        {"who had it",
         {.state = RECORD_FAILED, FAILED_OF(EBUSY, CHECK), .holder = qemu},
         EVENT(UNNAMED),
         {.unnamed = true, .holder = qemu}},
        {"who fought for it",
         {.state = RECORD_CONTESTED, .flaps = 3},
         EVENT(UNNAMED),
         {.unnamed = true}},
        {"released",
         {.state = RECORD_RELEASED},
         EVENT(UNNAMED),
         {.state = RECORD_HANDED_BACK, .unnamed = true}},
        {"on its way back since an earlier run",
         {.state = RECORD_HANDING_BACK},
         EVENT(UNNAMED),
         {.state = RECORD_HANDING_BACK, .unnamed = true}},
        {"to be released", {.state = RECORD_RELEASING}, EVENT(UNNAMED), {.unnamed = true}},
        {"could not be released",
         {.state = RECORD_RELEASE_FAILED, FAILED_OF(EIO, CLEAR)},
         EVENT(UNNAMED),
         {.unnamed = true}},
        {"a worker has it: not decided yet",
         {.state = RECORD_FAILED, FAILED_OF(EIO, BIND), .work = WORK_RUNNING},
         EVENT(UNNAMED),
         {.state = RECORD_FAILED, FAILED_OF(EIO, BIND), .work = WORK_RUNNING}},
        {"not there",
         {.state = RECORD_GONE, .past = REFUSED},
         EVENT(UNNAMED),
         {.state = RECORD_GONE}},
        {"refused",
         {.past = REFUSED, .arrival = ARRIVAL_UNUSED},
         EVENT(UNNAMED),
         {.arrival = ARRIVAL_UNUSED, .unnamed = true}},
        {"what failed when it was to be handed back counts",
         {.state = RECORD_FAILED, FAILED_OF(EBUSY, HOLD), .unnamed = true},
         EVENT(UNNAMED),
         {.state = RECORD_FAILED, FAILED_OF(EBUSY, HOLD), .unnamed = true}},
    };

    RUN(table);
}
END_TEST

UNIT_MAIN("record", coming_and_going, refused_for_the_host, left_to_the_host, released_and_back,
          drivers_that_come_and_go, what_a_look_shows, verdicts, caught, from_an_earlier_run,
          no_rule_names_it)
