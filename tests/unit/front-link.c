/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's end of the link to its front, which is played here: one that listens, one that lies,
 * one that does not read, one that goes. */
#include "tree.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "base/clock.h"
#include "channel/request.h"
#include "front/copy.h"
#include "tell/front-link.h"
#include "tell/journal.h"

#define DEVICES 600 /* more than a socket holds */

static struct rule rule;
static char rule_name[] = "all";

struct fixture {
    struct tree tree;
    struct view view;
    struct verdict verdicts[DEVICES];
    sd_event *event;
    struct front_link *link;
    struct copy copy; /* of the front that is played */
    int fd;           /* its socket */
    unsigned n_received, n_requests;
};

static int on_reload(void *userdata, struct refusal *why)
{
    ++((struct fixture *)userdata)->n_requests;
    return refuse(why, REFUSAL_POLICY_INVALID, "line 7");
}

static int on_rescan(void *userdata, struct refusal *why)
{
    (void)why;
    ++((struct fixture *)userdata)->n_requests;
    return 0;
}

static int on_bind(void *userdata, struct pci_addr a, struct refusal *why)
{
    (void)a;
    (void)why;
    ++((struct fixture *)userdata)->n_requests;
    return 0;
}

static void set_up(struct fixture *f, unsigned n)
{
    const struct front_requests requests = {on_reload, on_rescan, on_bind, on_bind, f};

    *f = (struct fixture){.fd = -1};
    tree_init(&f->tree);
    tree_write(&f->tree, "run/none", "");
    rule.name = rule_name;
    f->view.root_fd = f->tree.fd;
    f->view.settled = true;
    for (unsigned i = 0; i < n; i++) {
        const struct device d = {.addr = {0, (unsigned char)(i / 32), i % 32, 0}, .group = i};
        ck_assert_int_eq(snapshot_put(&f->view.snapshot, &d), 0);
        f->verdicts[i] = (struct verdict){.addr = d.addr, .rule = &rule, .state = STATE_PENDING};
    }
    f->view.plan = (struct plan){.verdicts = f->verdicts, .n_verdicts = n};
    ck_assert_int_eq(groups_make(&f->view.snapshot, &f->view.plan.groups), 0);
    ck_assert_int_ge(sd_event_new(&f->event), 0);
    ck_assert_int_eq(front_link_new(f->event, &f->view, &requests, &f->link), 0);
}

static void fixture_done(struct fixture *f)
{
    front_link_free(f->link);
    sd_event_unref(f->event);
    closep(&f->fd);
    copy_done(&f->copy);
    groups_done(&f->view.plan.groups);
    snapshot_done(&f->view.snapshot);
    tree_done(&f->tree);
}

static void connect_front(struct fixture *f)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    closep(&f->fd);
    copy_done(&f->copy);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/run/vfio-bindd/front", f->tree.fd);
    f->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(connect(f->fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
}

static void let_run(struct fixture *f)
{
    while (sd_event_run(f->event, 30000) > 0) /* what has changed is told 10 ms later */
        ;
}

/* What has come: entries into the copy, the last answer to *reply. False: it was cut off. */
static bool receive_all(struct fixture *f, struct message *reply)
{
    static char buffer[MESSAGE_SIZE_MAX];
    struct message m;
    ssize_t n;

    while ((n = recv(f->fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
        f->n_received++;
        ck_assert_int_eq(message_read(buffer, (size_t)n, false, &m), 0);
        if (m.kind == MESSAGE_REPLY && reply)
            *reply = m;
        else if (m.kind == MESSAGE_WHOLE)
            ck_assert_int_eq(copy_whole(&f->copy), 0);
        else if (m.kind != MESSAGE_REPLY)
            ck_assert_int_eq(copy_take(&f->copy, buffer, (size_t)n), 0);
    }
    return n < 0 && errno == EAGAIN;
}

/* Until nothing comes any more. */
static void follow(struct fixture *f, struct message *reply)
{
    unsigned before;

    do {
        before = f->n_received;
        let_run(f);
        ck_assert(receive_all(f, reply));
    } while (f->n_received != before);
}

static void send_bytes(const struct fixture *f, const void *bytes, size_t size)
{
    ck_assert_int_eq(send(f->fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void send_message(const struct fixture *f, const struct message *m)
{
    static char buffer[MESSAGE_SIZE_MAX];

    send_bytes(f, buffer, message_write(m, buffer));
}

static void ask_for(const struct fixture *f, enum verb verb, uint64_t id)
{
    const struct request r = {.verb = verb, .caller = {.uid = 1000}};
    const struct message m = request_message(&r, id);

    send_message(f, &m);
}

static const char *state_of_device(const struct fixture *f, unsigned i)
{
    const struct message *m = copy_find(&f->copy, MESSAGE_DEVICE, message_id(f->verdicts[i].addr));
    return m ? m->texts[DEVICE_STATE] : "";
}

START_TEST(all_of_it_and_then_what_changes)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f, 3);
    connect_front(&f);
    follow(&f, NULL);
    ck_assert_uint_eq(f.n_received, 5); /* the manager, three devices, that this was all */
    ck_assert_str_eq(state_of_device(&f, 1), "pending");
    f.verdicts[1].state = STATE_BOUND;
    front_link_update(f.link);
    follow(&f, NULL);
    ck_assert_uint_eq(f.n_received, 5 + 3); /* the manager counts it */
    ck_assert_str_eq(state_of_device(&f, 1), "bound");
    front_link_update(f.link);
    follow(&f, NULL);
    ck_assert_uint_eq(f.n_received, 8);
    f.view.plan.n_verdicts = 2;
    front_link_update(f.link);
    follow(&f, NULL);
    ck_assert_uint_eq(f.n_received, 8 + 3);
    ck_assert_str_eq(state_of_device(&f, 2), "");
    connect_front(&f); /* another one: all of it again */
    follow(&f, NULL);
    ck_assert_uint_eq(f.n_received, 11 + 4);
}
END_TEST

static const char *text_of_device(const struct fixture *f, unsigned i, unsigned text)
{
    return copy_find(&f->copy, MESSAGE_DEVICE, message_id(f->verdicts[i].addr))->texts[text];
}

/* Functions that no rule selects are told of as well. */
START_TEST(physical_and_virtual_functions)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f, 3);
    connect_front(&f);
    follow(&f, NULL);
    ck_assert_str_eq(text_of_device(&f, 0, DEVICE_VIRTUAL_FUNCTIONS), "");
    ck_assert_str_eq(text_of_device(&f, 1, DEVICE_PHYSICAL_FUNCTION), "");
    for (unsigned i = 1; i < 5; i++) { /* 0000:00:01.0 is selected, 0000:00:03.0 and .4 are not */
        const struct device d = {.addr = {0, 0, i % 32, 0}, .vf = i != 2, .pf = f.verdicts[0].addr};
        ck_assert_int_eq(snapshot_put(&f.view.snapshot, &d), 0);
    }
    front_link_update(f.link);
    follow(&f, NULL);
    ck_assert_str_eq(text_of_device(&f, 0, DEVICE_VIRTUAL_FUNCTIONS),
                     "0000:00:01.0 0000:00:03.0 0000:00:04.0");
    ck_assert_str_eq(text_of_device(&f, 0, DEVICE_PHYSICAL_FUNCTION), "");
    ck_assert_str_eq(text_of_device(&f, 1, DEVICE_PHYSICAL_FUNCTION), "0000:00:00.0");
    ck_assert_str_eq(text_of_device(&f, 1, DEVICE_VIRTUAL_FUNCTIONS), "");
    ck_assert_str_eq(text_of_device(&f, 2, DEVICE_PHYSICAL_FUNCTION), "");
    snapshot_remove(&f.view.snapshot, (struct pci_addr){0, 0, 3, 0});
    front_link_update(f.link);
    follow(&f, NULL);
    ck_assert_str_eq(text_of_device(&f, 0, DEVICE_VIRTUAL_FUNCTIONS), "0000:00:01.0 0000:00:04.0");
}
END_TEST

/* Callers are answered while more comes: they see all of a change, or nothing. */
START_TEST(no_half_of_a_change)
{
    CLEANUP(fixture_done) struct fixture f;
    unsigned seen = 0;

    set_up(&f, DEVICES);
    connect_front(&f);
    follow(&f, NULL);
    for (unsigned i = 0; i < DEVICES; i++)
        f.verdicts[i].state = STATE_BOUND;
    front_link_update(f.link);
    do { /* the front's socket does not hold all of it */
        unsigned bound = 0;
        const unsigned before = f.n_received;
        (void)sd_event_run(f.event, 0);
        ck_assert(receive_all(&f, NULL));
        for (unsigned i = 0; i < DEVICES; i++)
            bound += streq(state_of_device(&f, i), "bound");
        ck_assert_msg(bound == 0 || bound == DEVICES, "%u", bound);
        ck_assert_uint_eq(copy_manager(&f.copy)->numbers[MANAGER_BOUND], bound);
        seen += f.n_received > before && bound == 0;
    } while (!streq(state_of_device(&f, 0), "bound"));
    ck_assert_uint_gt(seen, 0);
}
END_TEST

/* Hundreds of rebinds may be left to do: they are not told anew whenever one is done. */
START_TEST(one_action_done)
{
    CLEANUP(fixture_done) struct fixture f;
    struct action actions[100];
    const struct entry *first;

    set_up(&f, ELEMENTS(actions));
    for (size_t i = 0; i < ELEMENTS(actions); i++)
        actions[i] = (struct action){.kind = ACTION_BIND, .addr = f.verdicts[i].addr};
    f.view.plan.actions = actions;
    f.view.plan.n_actions = ELEMENTS(actions);
    connect_front(&f);
    follow(&f, NULL);
    f.view.plan.actions++;
    f.view.plan.n_actions--;
    const unsigned before = f.n_received;
    front_link_update(f.link);
    follow(&f, NULL);
    ck_assert_uint_eq(f.n_received, before + 2); /* the first is gone, and that was all */
    ck_assert_uint_eq(copy_of_kind(&f.copy, MESSAGE_ACTION, &first), ELEMENTS(actions) - 1);
    ck_assert_str_eq(first[0].m.texts[ACTION_DEVICE], pci_addr_text(actions[99].addr).s);
    ck_assert_str_eq(first[98].m.texts[ACTION_DEVICE], pci_addr_text(actions[1].addr).s);
}
END_TEST

/* What does not fit into its socket is told when it reads again, as it is then. */
START_TEST(one_that_does_not_read)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f, DEVICES);
    connect_front(&f);
    for (unsigned i = 0; i < DEVICES; i++) {
        f.verdicts[i].state = STATE_BOUND;
        front_link_update(f.link);
        if (i % 20 == 0)
            let_run(&f);
    }
    follow(&f, NULL);
    for (unsigned i = 0; i < DEVICES; i++)
        ck_assert_str_eq(state_of_device(&f, i), "bound");
    ck_assert_uint_lt(f.n_received, 2 * DEVICES);
}
END_TEST

START_TEST(an_answer_follows_what_it_is_about)
{
    CLEANUP(fixture_done) struct fixture f;
    struct message reply = {0};

    set_up(&f, 1);
    connect_front(&f);
    follow(&f, NULL);
    ask_for(&f, VERB_BIND, 7);
    follow(&f, &reply);
    ck_assert(f.n_requests == 1 && reply.kind != MESSAGE_REPLY); /* the device is pending */
    f.verdicts[0].state = STATE_BOUND;
    front_link_update(f.link);
    follow(&f, &reply);
    ck_assert(reply.kind == MESSAGE_REPLY && reply.id == 7);
    ck_assert_uint_eq(reply.numbers[REPLY_REFUSAL], REFUSAL_NONE);
    ask_for(&f, VERB_RELOAD, 8);
    follow(&f, &reply);
    ck_assert(reply.id == 8 && reply.numbers[REPLY_REFUSAL] == REFUSAL_POLICY_INVALID);
    const struct message level = {.kind = MESSAGE_LOG_LEVEL, .id = LOG_DEBUG};
    send_message(&f, &level);
    follow(&f, NULL);
    ck_assert_int_eq(journal_level(), LOG_DEBUG);
    ck_assert_uint_eq(copy_manager(&f.copy)->numbers[MANAGER_LOG_LEVEL], LOG_DEBUG);
    journal_set_level(LOG_ERR);
}
END_TEST

/* A bound device can be used only when its whole group is bound. */
START_TEST(an_answer_waits_for_the_group)
{
    CLEANUP(fixture_done) struct fixture f;
    struct message reply = {0};

    set_up(&f, 3);
    f.view.snapshot.devices[0].group = f.view.snapshot.devices[1].group; /* the third has its own */
    connect_front(&f);
    follow(&f, NULL);
    ask_for(&f, VERB_BIND, 7);
    f.verdicts[0].state = STATE_BOUND;
    front_link_update(f.link);
    follow(&f, &reply);
    ck_assert(f.n_requests == 1 && reply.kind != MESSAGE_REPLY);
    f.verdicts[1].state = STATE_BOUND;
    front_link_update(f.link);
    follow(&f, &reply);
    ck_assert(reply.kind == MESSAGE_REPLY && reply.id == 7);
    ck_assert_uint_eq(reply.numbers[REPLY_REFUSAL], REFUSAL_NONE);
}
END_TEST

/* The log level is no way to hide. */
START_TEST(one_that_wants_to_be_quiet)
{
    CLEANUP(fixture_done) struct fixture f;
    const struct message level = {.kind = MESSAGE_LOG_LEVEL, .id = LOG_ERR};
    char path[96], text[1024] = "";

    set_up(&f, 1);
    snprintf(path, sizeof(path), "%s/log", f.tree.path);
    const int before = dup(STDERR_FILENO);
    ck_assert(freopen(path, "we", stderr));
    journal_open(false);
    connect_front(&f);
    follow(&f, NULL);
    send_message(&f, &level);
    follow(&f, NULL);
    ask_for(&f, VERB_RESCAN, 1);
    follow(&f, NULL);
    fflush(stderr);
    ck_assert_int_ge(dup2(before, STDERR_FILENO), 0);
    close(before);
    CLEANUP(fclosep) FILE *log = fopen(path, "re");
    (void)!fread(text, 1, sizeof(text) - 1, log);
    ck_assert_msg(strstr(text, "rescan: requested by uid 1000") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "log level 3: set over D-Bus, according to vfio-bindd-front\n"),
                  "%s", text);
}
END_TEST

/* Nothing is done, and the next front is heard. */
START_TEST(one_that_lies)
{
    CLEANUP(fixture_done) struct fixture f;
    static char big[MESSAGE_SIZE_MAX + 1];
    const struct message level = {.kind = MESSAGE_LOG_LEVEL, .id = 42};
    const struct message status = {.kind = MESSAGE_WHOLE};

    set_up(&f, 1);
    for (unsigned i = 0; i < 4; i++) {
        connect_front(&f);
        follow(&f, NULL);
        if (i == 0)
            send_bytes(&f, "x", 1);
        else if (i == 1)
            send_bytes(&f, big, sizeof(big));
        else
            send_message(&f, i == 2 ? &level : &status);
        let_run(&f);
        ck_assert_msg(!receive_all(&f, NULL), "%u", i);
    }
    ck_assert_uint_eq(f.n_requests, 0);
    sleep(1); /* there may be five connections a second */
    connect_front(&f);
    follow(&f, NULL);
    ck_assert_str_eq(state_of_device(&f, 0), "pending");
}
END_TEST

/* All that a front can send in two seconds; it connects anew again and again, or not. At most
 * `most` of it is carried out at once, and as much in each second. */
static void flood(struct fixture *f, bool anew, enum verb verb, unsigned most)
{
    const uint64_t start = now_usec();
    uint64_t connected = start;
    unsigned sent = 0;

    for (uint64_t now = start; now - start < 2 * USEC_PER_SEC; now = now_usec()) {
        const struct request r = {.verb = verb};
        const struct message m = request_message(&r, ++sent);
        static char buffer[MESSAGE_SIZE_MAX];
        if (send(f->fd, buffer, message_write(&m, buffer), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            sent--;
        (void)sd_event_run(f->event, 0);
        if (anew && now - connected > USEC_PER_SEC / 4) {
            connect_front(f);
            connected = now;
        }
    }
    ck_assert_uint_gt(sent, 128);
    const uint64_t passed = now_usec() - start; /* longer on a busy machine */
    ck_assert_uint_ge(f->n_requests, most);
    ck_assert_uint_le(f->n_requests, most + most * passed / USEC_PER_SEC + 1);
}

START_TEST(one_that_floods)
{
    static const struct {
        enum verb verb;
        unsigned most;
        bool anew;
    } cases[] = {{VERB_BIND, 32, false}, {VERB_BIND, 32, true}, {VERB_RESCAN, 4, true}};

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(fixture_done) struct fixture f;
        set_up(&f, 1);
        connect_front(&f);
        follow(&f, NULL);
        flood(&f, cases[i].anew, cases[i].verb, cases[i].most);
    }
}
END_TEST

/* The next one is heard although the one before has used the second up and is gone: with other
 * timers about, and noticed when it comes or before. */
START_TEST(one_that_floods_and_goes)
{
    for (int noticed = 0; noticed < 2; noticed++) {
        CLEANUP(fixture_done) struct fixture f;
        sd_event_source *others[3];
        set_up(&f, 1);
        for (size_t i = 0; i < ELEMENTS(others); i++) {
            ck_assert_int_ge(sd_event_add_time_relative(f.event, &others[i], CLOCK_MONOTONIC,
                                                        (30 + i) * USEC_PER_SEC, 0, NULL, NULL),
                             0);
            ck_assert_int_ge(sd_event_source_set_enabled(others[i], i ? SD_EVENT_ON : SD_EVENT_OFF),
                             0);
        }
        connect_front(&f);
        follow(&f, NULL);
        for (unsigned i = 0; i < 48; i++) /* more than are taken in a second */
            ask_for(&f, VERB_RESCAN, i + 1);
        let_run(&f); /* until nothing is left to do: what waits does not keep the loop busy */
        ck_assert_uint_lt(f.n_requests, 48);
        closep(&f.fd);
        f.fd = -1;
        if (noticed) { /* what cannot be sent */
            f.verdicts[0].state = STATE_BOUND;
            front_link_update(f.link);
            let_run(&f);
        }
        connect_front(&f);
        const unsigned before = f.n_requests;
        ask_for(&f, VERB_RESCAN, 1000);
        for (uint64_t start = now_usec();
             f.n_requests == before && now_usec() - start < 10 * USEC_PER_SEC;)
            (void)sd_event_run(f.event, 100000);
        ck_assert_uint_eq(f.n_requests, before + 1);
        for (size_t i = 0; i < ELEMENTS(others); i++)
            sd_event_source_unref(others[i]);
    }
}
END_TEST

/* Calls whose device is pending are not forgotten, and only so many are taken. */
START_TEST(one_that_goes)
{
    CLEANUP(fixture_done) struct fixture f;

    set_up(&f, 1);
    for (unsigned i = 0; i < 3; i++) {
        connect_front(&f);
        follow(&f, NULL);
        ask_for(&f, VERB_BIND, i);
        let_run(&f);
    }
    ck_assert_uint_eq(f.n_requests, 3);
    closep(&f.fd);
    f.fd = -1;
    f.verdicts[0].state = STATE_BOUND;
    front_link_update(f.link);
    let_run(&f);
    connect_front(&f);
    follow(&f, NULL);
    ck_assert_str_eq(state_of_device(&f, 0), "bound");
}
END_TEST

UNIT_MAIN("front-link", all_of_it_and_then_what_changes, physical_and_virtual_functions,
          no_half_of_a_change, one_action_done, one_that_does_not_read,
          an_answer_follows_what_it_is_about, an_answer_waits_for_the_group,
          one_that_wants_to_be_quiet, one_that_lies, one_that_floods, one_that_floods_and_goes,
          one_that_goes)
