/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vfio-bindd asks vfio-bindd-helper: the real helper answers, and others in its place that
 * hang, lie or die. The daemon never waits longer than it said. */
#include "helper/helper.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "channel/helper-call.h"
#include "loop/ask-helper.h"
#include "tree.h"
#include "write/users.h"

#define LONG (30 * USEC_PER_SEC)
#define SHORT (USEC_PER_SEC / 4)
#define A100 "0000:06:00.0"
#define NIC "0000:07:00.0"

struct host {
    struct tree tree;
    int listening; /* as systemd does */
    enum helper_kind kind;
    pid_t helper;
    sd_event *event;
};

static void host_init(struct host *h, enum helper_kind kind)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    *h = (struct host){.kind = kind, .helper = -1};
    tree_init(&h->tree);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/" HELPER_FOLDER, h->tree.path);
    tree_mkdir(sa.sun_path);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/" HELPER_FOLDER "/%s", h->tree.path,
             helper_word(kind));
    h->listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(h->listening, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(h->listening, 5), 0);
    ck_assert_int_ge(sd_event_new(&h->event), 0);
}

static void host_done(struct host *h)
{
    if (h->helper > 0) {
        kill(h->helper, SIGKILL);
        waitpid(h->helper, NULL, 0);
    }
    close(h->listening);
    sd_event_unref(h->event);
    tree_done(&h->tree);
}

/* -- in the helper's place -- */

typedef void helper_acts(struct host *h, int fd);

static void acts_well(struct host *h, int fd)
{
    (void)helper_serve(h->tree.fd, fd, h->kind);
}

static void hangs(struct host *h, int fd)
{
    (void)h;
    (void)fd;
    while (true)
        pause();
}

static void dies(struct host *h, int fd)
{
    (void)h;
    (void)fd;
}

/* An answer, and how many bytes too many it has. */
static struct helper_reply lie;
static size_t lie_longer;

static void lies(struct host *h, int fd)
{
    static char bytes[sizeof(lie) + 64];
    struct helper_request q;

    (void)h;
    ck_assert_int_gt(recv(fd, &q, sizeof(q), 0), 0);
    memcpy(bytes, &lie, sizeof(lie));
    (void)send(fd, bytes, helper_reply_size(&lie) + lie_longer, MSG_NOSIGNAL);
}

static void host_start(struct host *h, helper_acts *act)
{
    h->helper = fork();
    ck_assert_int_ge(h->helper, 0);
    if (h->helper > 0)
        return;
    int fd = accept4(h->listening, NULL, NULL, SOCK_CLOEXEC);
    act(h, fd);
    _exit(0);
}

/* -- the daemon -- */

struct told {
    sd_event *event;
    unsigned times;
    int r;
    struct helper_reply reply;
    char text[256];
};

static void on_told(void *userdata, const struct helper_request *q,
                    const struct helper_reply *reply, int r, const char *text)
{
    struct told *t = userdata;

    ck_assert_uint_lt(q->kind, HELPER_KINDS);
    ck_assert((r == 0) == (reply != NULL));
    t->times++;
    t->r = r;
    if (reply)
        t->reply = *reply;
    snprintf(t->text, sizeof(t->text), "%s", text);
    sd_event_exit(t->event, 0);
}

static const struct told *ask(struct host *h, const struct helper_request *q, uint64_t usec)
{
    static struct told t;
    struct helper_question *question;

    t = (struct told){.event = h->event};
    ck_assert_int_eq(ask_helper(h->event, h->tree.fd, q, usec, on_told, &t, &question), 0);
    ck_assert_int_ge(sd_event_loop(h->event), 0);
    ck_assert_uint_eq(t.times, 1);
    return &t;
}

static struct pci_addr address(const char *text)
{
    struct pci_addr a;

    ck_assert_int_eq(pci_addr_parse(text, &a), 0);
    return a;
}

static struct helper_request *serials_of(const char *first, const char *second)
{
    static struct helper_request q;

    q = (struct helper_request){.kind = HELPER_SERIALS, .n_devices = second ? 2 : 1};
    q.devices[0] = pci_addr_number(address(first));
    if (second)
        q.devices[1] = pci_addr_number(address(second));
    return &q;
}

/* Who uses the A100? Returns what users_check() does. */
static int check_a100(struct host *h, char found[static FOUND_MAX])
{
    const struct pci_addr a = address(A100);

    *found = '\0';
    return users_check(h->tree.fd, &a, 1, found);
}

static struct helper_request *module_named(const char *name)
{
    static struct helper_request q;

    q = (struct helper_request){.kind = HELPER_MODULE};
    snprintf(q.module, sizeof(q.module), "%s", name);
    return &q;
}

/* -- tests -- */

/* Configuration space: the capability for the serial number is behind another one. */
static void write_config(const struct tree *t, const char *device, bool serial, size_t size)
{
    static const unsigned char number[] = {0x56, 0x34, 0x12, 0xff, 0xff, 0x2d, 0xb0, 0x48};
    unsigned char config[4096] = {0};
    char path[160];

    memcpy(config + 0x100, (unsigned char[]){0x01, 0x00, 0x02, 0x15}, 4);
    if (serial) {
        memcpy(config + 0x150, (unsigned char[]){0x03, 0x00, 0x01, 0x00}, 4);
        memcpy(config + 0x154, number, sizeof(number));
    }
    tree_device(t, device, MODALIAS_A100, NULL, NULL);
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/config", t->path, device);
    CLEANUP(fclosep) FILE *f = fopen(path, "w");
    ck_assert(f && fwrite(config, 1, size, f) == size);
}

START_TEST(serials_are_read)
{
    CLEANUP(host_done) struct host h;
    struct stat st;
    char path[160];

    host_init(&h, HELPER_SERIALS);
    write_config(&h.tree, A100, true, 4096);
    write_config(&h.tree, NIC, false, 4096);
    host_start(&h, acts_well);
    const struct told *t = ask(&h, serials_of(A100, NIC), LONG);
    ck_assert_int_eq(t->r, 0);
    ck_assert_uint_eq(t->reply.n_serials, 2);
    ck_assert_str_eq(t->reply.serials[0].text, "48-b0-2d-ff-ff-12-34-56");
    ck_assert_str_eq(t->reply.serials[1].text, "");
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/" A100, h.tree.path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(t->reply.serials[0].inode, st.st_ino);
}
END_TEST

/* Devices of which too little is shown, or that are gone, are not in the answer. */
START_TEST(what_cannot_be_read_is_left_out)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, HELPER_SERIALS);
    write_config(&h.tree, A100, true, 64);
    host_start(&h, acts_well);
    const struct told *t = ask(&h, serials_of(A100, NIC), LONG);
    ck_assert_int_eq(t->r, 0);
    ck_assert_uint_eq(t->reply.n_serials, 0);
}
END_TEST

/* A modprobe that writes down what it was called with. */
static void stand_in_for_modprobe(const struct tree *t)
{
    char path[160], text[256];

    snprintf(text, sizeof(text), "#!/bin/sh\necho \"$*\" >%s/called\nexit 1\n", t->path);
    tree_write(t, "bin/modprobe", text);
    snprintf(path, sizeof(path), "%s/bin/modprobe", t->path);
    ck_assert_int_eq(chmod(path, 0755), 0);
    *strrchr(path, '/') = '\0';
    setenv("PATH", path, 1);
}

START_TEST(modules_that_are_needed_are_loaded)
{
    static const struct {
        const char *module, *called;
        int r;
    } cases[] = {
        {"virtio_iommu", "-abq -- virtio_iommu\n", 0},
        {"virtio_pci", "-abq -- virtio_pci\n", 0},
        {"nvgrace_gpu_vfio_pci", "-abq -- nvgrace_gpu_vfio_pci\n", 0},
        {"nvidia", "", -EPERM},
        {"loop", "", -EPERM},
    };
    struct utsname host;
    char path[192];

    ck_assert_int_eq(uname(&host), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(host_done) struct host h;
        host_init(&h, HELPER_MODULE);
        snprintf(path, sizeof(path), "usr/lib/modules/%s/modules.alias", host.release);
        tree_write(&h.tree, path,
                   "alias pci:v000010DEd*sv*sd*bc*sc*i* nvidia\n"
                   "alias vfio_pci:v000010DEd00002342sv*sd*bc*sc*i* nvgrace_gpu_vfio_pci\n");
        stand_in_for_modprobe(&h.tree);
        host_start(&h, acts_well);
        const struct told *t = ask(&h, module_named(cases[i].module), LONG);
        ck_assert_int_eq(t->r, cases[i].r);
        CLEANUP_FREE char *called = tree_read(&h.tree, "called");
        ck_assert_str_eq(called, cases[i].called);
        if (t->r < 0)
            ck_assert_msg(strstr(t->text, "is no module that vfio-bindd needs"), "%s", t->text);
    }
}
END_TEST

START_TEST(a_helper_that_is_not_there)
{
    CLEANUP(host_done) struct host h;
    struct helper_question *question;
    struct told t = {0};

    host_init(&h, HELPER_MODULE);
    ck_assert_int_eq(
        ask_helper(h.event, h.tree.fd, serials_of(A100, NULL), LONG, on_told, &t, &question),
        -ENOENT);
    close(h.listening);
    h.listening = -1;
    ck_assert_int_eq(
        ask_helper(h.event, h.tree.fd, module_named("virtio_pci"), LONG, on_told, &t, &question),
        -ECONNREFUSED);
    ck_assert_uint_eq(t.times, 0);
}
END_TEST

START_TEST(a_helper_that_hangs)
{
    for (int accepts = 0; accepts < 2; accepts++) {
        CLEANUP(host_done) struct host h;
        const uint64_t begin = now_usec();
        host_init(&h, HELPER_SERIALS);
        if (accepts)
            host_start(&h, hangs);
        const struct told *t = ask(&h, serials_of(A100, NULL), SHORT);
        ck_assert_int_eq(t->r, -ETIMEDOUT);
        ck_assert_str_eq(t->text, "vfio-bindd-serials.socket: no answer in time");
        ck_assert_uint_ge(now_usec() - begin, SHORT);
    }
}
END_TEST

START_TEST(a_helper_that_dies)
{
    CLEANUP(host_done) struct host h;

    host_init(&h, HELPER_SERIALS);
    host_start(&h, dies);
    const struct told *t = ask(&h, serials_of(A100, NULL), LONG);
    ck_assert_int_eq(t->r, -ECONNRESET);
    ck_assert_str_eq(t->text, "vfio-bindd-serials.socket: the helper ended without an answer");
}
END_TEST

static void set_lie(const struct helper_request *q)
{
    lie = (struct helper_reply){.kind = q->kind, .n_serials = 1};
    lie.serials[0] = (struct helper_serial){.device = q->devices[0], .inode = 7};
    strcpy(lie.serials[0].text, "48-b0-2d-ff-ff-12-34-56");
    lie_longer = 0;
}

START_TEST(a_helper_that_lies)
{
    const struct helper_request *q = serials_of(A100, NIC);

    for (unsigned i = 0; i <= 11; i++) {
        CLEANUP(host_done) struct host h;
        set_lie(q);
        switch (i) {
        case 1:
            lie.kind = HELPER_MODULE;
            break;
        case 2:
            lie.result = 1;
            break;
        case 3:
            lie.result = INT32_MIN;
            break;
        case 4:
            lie.zero = 1;
            break;
        case 5:
            lie.serials[0].device++;
            break;
        case 6:
            lie.serials[0].text[0] = 'x';
            break;
        case 7:
            memset(lie.serials[0].text, 'a', SERIAL_MAX);
            break;
        case 8:
            memset(lie.text, 'a', HELPER_TEXT_MAX);
            break;
        case 9:
            strcpy(lie.text, "\033[2J");
            break;
        case 10:
            lie_longer = 1;
            break;
        case 11: /* the same device twice */
            lie.n_serials = 2;
            lie.serials[1] = lie.serials[0];
            break;
        default:
            break; /* it is none */
        }
        host_init(&h, HELPER_SERIALS);
        host_start(&h, lies);
        const struct told *t = ask(&h, q, LONG);
        ck_assert_msg(t->r == (i == 0 ? 0 : -EBADMSG), "lie %u: %d", i, t->r);
    }
}
END_TEST

#define STAT "4711 (x) S %d 1 1 0 -1 1 0 0 0 0 1 1 0 0 20 0 1 0 777 8192 100\n"

/* Process 4711, a child of this one, has the A100's node open. */
static void open_a100(struct tree *t, int parent)
{
    char path[160], text[128];

    tree_device(t, A100, MODALIAS_A100, "nvidia", "14");
    tree_node(t, "sys/bus/pci/devices/" A100 "/drm/card0", "1:3\n", "drm");
    tree_link(t, "proc/4711/fd/7", "/dev/null");
    tree_write(t, "proc/4711/comm", "ollama\n");
    tree_write(t, "proc/4711/cgroup", "0::/system.slice/ollama.service\n");
    snprintf(text, sizeof(text), STAT, parent);
    tree_write(t, "proc/4711/stat", text);
    snprintf(path, sizeof(path), "proc/%d/stat", (int)getpid()); /* who asks */
    snprintf(text, sizeof(text), STAT, 4000);
    tree_write(t, path, text);
    snprintf(path, sizeof(path), "%s/proc/%d/fd", t->path, (int)getpid());
    tree_mkdir(path);
    snprintf(path, sizeof(path), "%s/proc/1/fd", t->path);
    tree_mkdir(path);
}

START_TEST(holders_are_found)
{
    CLEANUP(host_done) struct host h;
    char found[FOUND_MAX];

    host_init(&h, HELPER_HOLDERS);
    open_a100(&h.tree, 1);
    host_start(&h, acts_well);
    ck_assert_int_eq(check_a100(&h, found), -EBUSY);
    ck_assert_str_eq(found, "ollama (PID 4711, ollama.service) has /dev/null open");
}
END_TEST

/* The fellows of the worker that asks, not of the helper. */
START_TEST(not_a_fellow_of_who_asks)
{
    CLEANUP(host_done) struct host h;
    char found[FOUND_MAX];

    host_init(&h, HELPER_HOLDERS);
    open_a100(&h.tree, 4000);
    host_start(&h, acts_well);
    ck_assert_int_eq(check_a100(&h, found), 0);
}
END_TEST

START_TEST(nobody_holds_it)
{
    CLEANUP(host_done) struct host h;
    char found[FOUND_MAX];

    host_init(&h, HELPER_HOLDERS);
    tree_device(&h.tree, A100, MODALIAS_A100, "nvidia", "14");
    host_start(&h, acts_well);
    ck_assert_int_eq(check_a100(&h, found), 0);
}
END_TEST

/* What is not known to be free is not taken. */
START_TEST(whoever_gives_no_answer_keeps_it)
{
    static const struct {
        helper_acts *act;
        const char *found;
    } cases[] = {
        {dies, "who uses it could not be seen (vfio-bindd-holders.socket: the helper ended without "
               "an answer)"},
        {lies, "who uses it could not be seen (vfio-bindd-holders.socket: the answer makes no "
               "sense)"},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        CLEANUP(host_done) struct host h;
        char found[FOUND_MAX];
        host_init(&h, HELPER_HOLDERS);
        lie = (struct helper_reply){.kind = HELPER_MODULE};
        host_start(&h, cases[i].act);
        ck_assert_int_eq(check_a100(&h, found), -EAGAIN);
        ck_assert_str_eq(found, cases[i].found);
    }
}
END_TEST

/* Without a helper the worker looks itself, and here /proc does not show all processes. */
START_TEST(without_a_helper_it_is_not_known)
{
    CLEANUP(host_done) struct host h;
    char found[FOUND_MAX];

    host_init(&h, HELPER_MODULE);
    tree_device(&h.tree, A100, MODALIAS_A100, "nvidia", "14");
    tree_node(&h.tree, "sys/bus/pci/devices/" A100 "/drm/card0", "1:7", "drm");
    tree_write(&h.tree, "proc/4711/comm", "ollama\n");
    ck_assert_int_eq(check_a100(&h, found), -EAGAIN);
    ck_assert_str_eq(found, "who uses it could not be seen (vfio-bindd-holders.socket: the socket "
                            "is not there)");
}
END_TEST

START_TEST(nobody_waits_longer_than_the_deadline)
{
    static struct helper_reply a;

    for (int accepts = 0; accepts < 2; accepts++) {
        CLEANUP(host_done) struct host h;
        const uint64_t begin = now_usec();
        host_init(&h, HELPER_SERIALS);
        if (accepts)
            host_start(&h, hangs);
        ck_assert_int_eq(helper_ask(h.tree.fd, serials_of(A100, NULL), SHORT, &a), -ETIMEDOUT);
        ck_assert_uint_ge(now_usec() - begin, SHORT);
    }
}
END_TEST

/* So many that no more may wait. */
START_TEST(a_full_socket)
{
    static struct helper_reply a;
    CLEANUP(host_done) struct host h;

    host_init(&h, HELPER_SERIALS);
    while (helper_connect(h.tree.fd, HELPER_SERIALS, SOCK_NONBLOCK) >= 0)
        ;
    ck_assert_int_eq(helper_connect(h.tree.fd, HELPER_SERIALS, SOCK_NONBLOCK), -EAGAIN);
    ck_assert_int_eq(helper_ask(h.tree.fd, serials_of(A100, NULL), SHORT, &a), -EAGAIN);
}
END_TEST

/* A core that lies gets nothing. */
START_TEST(what_is_no_request)
{
    static struct helper_request q;
    const size_t size = helper_request_size(serials_of(A100, NIC));

    q = *serials_of(A100, NIC);
    ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, size), 0);
    ck_assert_int_eq(helper_request_check(HELPER_MODULE, &q, size), -EBADMSG);
    for (size_t n = 0; n < size; n++)
        ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, n), -EBADMSG);
    ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, size + 1), -EBADMSG);
    q.devices[1] = q.devices[0];
    ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, size), -EBADMSG);
    q.devices[1] = UINT64_MAX;
    ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, size), -EBADMSG);
    q = *serials_of(A100, NIC);
    q.n_devices = UINT32_MAX;
    ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, size), -EBADMSG);
    q = *serials_of(A100, NIC);
    q.module[5] = 'x';
    ck_assert_int_eq(helper_request_check(HELPER_SERIALS, &q, size), -EBADMSG);
    q = *serials_of(A100, NIC);
    q.kind = HELPER_HOLDERS;
    q.group = NO_GROUP;
    ck_assert_int_eq(helper_request_check(HELPER_HOLDERS, &q, size), 0);
    q.group = 14;
    ck_assert_int_eq(helper_request_check(HELPER_HOLDERS, &q, size), -EBADMSG);
    static const char *const names[] = {"", "../x", "a b", "-r", "x.ko", "a/b", "--"};
    for (size_t i = 0; i < ELEMENTS(names); i++) {
        q = *module_named(names[i]);
        ck_assert_msg(helper_request_check(HELPER_MODULE, &q, helper_request_size(&q)) ==
                          (module_name_is_valid(names[i]) ? 0 : -EBADMSG),
                      "%s", names[i]);
    }
    q = *module_named("x");
    memset(q.module, 'a', sizeof(q.module));
    ck_assert_int_eq(helper_request_check(HELPER_MODULE, &q, helper_request_size(&q)), -EBADMSG);
}
END_TEST

START_TEST(giving_up)
{
    CLEANUP(host_done) struct host h;
    struct helper_question *question;
    struct told t = {0};

    host_init(&h, HELPER_MODULE);
    host_start(&h, acts_well);
    ck_assert_int_eq(
        ask_helper(h.event, h.tree.fd, module_named("loop"), LONG, on_told, &t, &question), 0);
    ask_helper_cancel(question);
    ask_helper_cancel(NULL);
    ck_assert_uint_eq(t.times, 0);
}
END_TEST

UNIT_MAIN("helper", serials_are_read, what_cannot_be_read_is_left_out,
          modules_that_are_needed_are_loaded, a_helper_that_is_not_there, a_helper_that_hangs,
          a_helper_that_dies, a_helper_that_lies, holders_are_found, not_a_fellow_of_who_asks,
          nobody_holds_it, whoever_gives_no_answer_keeps_it, without_a_helper_it_is_not_known,
          nobody_waits_longer_than_the_deadline, a_full_socket, what_is_no_request, giving_up)
