/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon notices of the files in /run: the end of a trial, the end of the boot. */
#include "tree.h"

#include "base/clock.h"
#include "loop/boot-watch.h"
#include "loop/trial-watch.h"
#include "policy/trial.h"

static unsigned overs, boots;

static int on_over(void *userdata)
{
    struct view *view = userdata;

    overs++;
    view->policy.trial_until = 0; /* as the policy that is read anew says */
    return 0;
}

static void on_boot(void *userdata)
{
    (void)userdata;
    boots++;
}

static void write_running(const struct tree *t, uint64_t until)
{
    char text[128];

    snprintf(text, sizeof(text), "# vfio-bindctl apply: on trial until %llu s after power-on\n",
             (unsigned long long)until);
    tree_write(t, TRIAL_FOLDER "/new", text);
    ck_assert_int_eq(renameat(t->fd, TRIAL_FOLDER "/new", t->fd, TRIAL_PATH), 0);
}

/* Runs the loop for so long. A loop that finds nothing to do sleeps. */
static void run_for(sd_event *event, uint64_t usec)
{
    uint64_t end = now_usec() + usec, now;
    unsigned turns = 0;

    while ((now = now_usec()) < end) {
        int r = sd_event_run(event, end - now);
        ck_assert_int_ge(r, 0);
        ck_assert_uint_lt(turns += r > 0, 100);
    }
}

struct watched {
    struct tree tree;
    struct view view;
    sd_event *event;
    struct boot_watch *boot;
};

static void begin_watch(struct watched *w, uint64_t until)
{
    overs = boots = 0;
    tree_init(&w->tree);
    tree_write(&w->tree, TRIAL_FOLDER "/state", "");
    w->view.root_fd = w->tree.fd;
    w->view.policy.trial_until = until;
    ck_assert_int_ge(sd_event_new(&w->event), 0);
    ck_assert_int_eq(boot_watch_new(w->event, w->tree.fd, on_boot, NULL, &w->boot), 0);
    ck_assert_int_eq(trial_watch(w->event, &w->view, on_over, &w->view), 0);
}

static void end_watch(struct watched *w)
{
    boot_watch_free(w->boot);
    sd_event_unref(w->event);
    tree_done(&w->tree);
}

START_TEST(the_time_is_over)
{
    CLEANUP(end_watch) struct watched w = {0};

    begin_watch(&w, 0);
    w.view.policy.trial_until = seconds_since_power_on() + 4; /* as a reload would find it */
    write_running(&w.tree, w.view.policy.trial_until);
    run_for(w.event, USEC_PER_SEC / 2);
    ck_assert_uint_eq(overs, 0);
    run_for(w.event, 5 * USEC_PER_SEC);
    ck_assert_uint_eq(overs, 1);
}
END_TEST

START_TEST(the_time_was_over_at_the_start)
{
    CLEANUP(end_watch) struct watched w = {0};

    begin_watch(&w, 1);
    run_for(w.event, USEC_PER_SEC / 2);
    ck_assert_uint_eq(overs, 1);
}
END_TEST

START_TEST(the_file_is_removed)
{
    CLEANUP(end_watch) struct watched w = {0};

    begin_watch(&w, 0);
    w.view.policy.trial_until = seconds_since_power_on() + 3600;
    write_running(&w.tree, w.view.policy.trial_until);
    run_for(w.event, USEC_PER_SEC / 10);
    ck_assert_int_eq(unlinkat(w.tree.fd, TRIAL_PATH, 0), 0);
    run_for(w.event, USEC_PER_SEC / 4);
    ck_assert_uint_eq(overs, 0); /* whoever removed it may ask for a reload himself */
    run_for(w.event, 3 * USEC_PER_SEC);
    ck_assert_uint_eq(overs, 1);
}
END_TEST

START_TEST(somebody_has_had_the_policy_read)
{
    CLEANUP(end_watch) struct watched w = {0};

    begin_watch(&w, 0);
    write_running(&w.tree, seconds_since_power_on() + 3600);
    ck_assert_int_eq(unlinkat(w.tree.fd, TRIAL_PATH, 0), 0);
    run_for(w.event, 4 * USEC_PER_SEC);
    ck_assert_uint_eq(overs, 0);
}
END_TEST

/* Both watch one folder. sd-event (252) never sleeps again after an event that only a watch which
 * has been removed wanted. */
START_TEST(other_files_in_the_folder)
{
    CLEANUP(end_watch) struct watched w = {0};

    begin_watch(&w, 0);
    tree_write(&w.tree, "run/vfio-bindd/booted", "");
    run_for(w.event, USEC_PER_SEC / 10);
    ck_assert_uint_eq(boots, 1);
    tree_write(&w.tree, TRIAL_FOLDER "/another", "");
    ck_assert_int_eq(unlinkat(w.tree.fd, TRIAL_FOLDER "/another", 0), 0);
    run_for(w.event, USEC_PER_SEC / 2);
    ck_assert_uint_eq(boots, 1);
    ck_assert_uint_eq(overs, 0);
}
END_TEST

UNIT_MAIN("trial-watch", the_time_is_over, the_time_was_over_at_the_start, the_file_is_removed,
          somebody_has_had_the_policy_read, other_files_in_the_folder)
