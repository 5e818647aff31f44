/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "private-bus.h"

#include <dlfcn.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/printable.h"
#include "front/front.h"
#include "loop/manager.h"
#include "offer/bus-names.h"

#define ANSWER_USEC (60 * USEC_PER_SEC) /* machines may be slow; the daemon is not */
#define START_TRIES 600
#define START_USEC 50000

static char address[128];

/* In place of libsystemd's, in all that this program runs: no bus but ours is ever asked, nor is
 * systemd itself. */
int sd_bus_set_address(sd_bus *bus, const char *other)
{
    static int (*real)(sd_bus *, const char *);

    (void)other;
    if (!real)
        real = (int (*)(sd_bus *, const char *))(uintptr_t)dlsym(RTLD_NEXT, "sd_bus_set_address");
    ck_assert(real != NULL);
    return real(bus, address);
}

static pid_t start_process(void)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static void end_process(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

sd_bus *private_bus_connect(const struct private_bus *p)
{
    sd_bus *bus = NULL;

    (void)p;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, NULL);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    ck_assert_msg(r >= 0, "no bus: %s", strerror(-r));
    return bus;
}

/* -- the bus -- */

/* The socket has its name before it listens. */
static bool is_listening(const char *file)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", file);
    return fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0;
}

static void start_bus(struct private_bus *p)
{
    char text[1024], file[96], option[128];

    snprintf(address, sizeof(address), "unix:path=%s/bus", p->tree.path);
    snprintf(text, sizeof(text),
             "<busconfig><type>system</type><listen>%s</listen><auth>EXTERNAL</auth>"
             "<policy context='default'><allow user='*'/><allow own='*'/>"
             "<allow send_destination='*'/><allow receive_type='signal'/>"
             "<allow send_type='method_call'/><allow send_requested_reply='true'/>"
             "<allow receive_requested_reply='true'/><allow receive_type='method_call'/>"
             "</policy></busconfig>",
             address);
    tree_write(&p->tree, "bus.conf", text);
    snprintf(file, sizeof(file), "%s/bus", p->tree.path);
    snprintf(option, sizeof(option), "--config-file=%s.conf", file);
    p->bus = start_process();
    if (p->bus == 0) {
        execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", option, NULL);
        perror("dbus-daemon (install the package dbus-daemon)");
        _exit(127);
    }
    for (int i = 0; i < START_TRIES && !is_listening(file); i++) {
        ck_assert_msg(waitpid(p->bus, NULL, WNOHANG) == 0, "no dbus-daemon");
        usleep(START_USEC);
    }
    chmod(p->tree.path, 0755); /* other users reach the socket */
}

void private_bus_restart_bus(struct private_bus *p)
{
    char path[96];

    end_process(&p->bus);
    snprintf(path, sizeof(path), "%s/bus", p->tree.path);
    ck_assert_int_eq(unlink(path), 0);
    start_bus(p);
}

/* -- polkit -- */

/* Says yes to whoever asks for the devices, no to the rest, and writes down what it was asked. */
static int on_check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    FILE *log = userdata;
    const char *kind, *action, *key, *value, *id;
    uint32_t flags;

    (void)error;
    int r = sd_bus_message_enter_container(m, 'r', "sa{sv}");
    if (r >= 0)
        r = sd_bus_message_read(m, "s", &kind);
    if (r >= 0)
        r = sd_bus_message_skip(m, "a{sv}");
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r >= 0)
        r = sd_bus_message_read(m, "s", &action);
    if (r >= 0)
        r = sd_bus_message_enter_container(m, 'a', "{ss}");
    if (r < 0)
        return r;
    fprintf(log, "%s", action);
    while (sd_bus_message_read(m, "{ss}", &key, &value) > 0)
        fprintf(log, " %s=%s", key, value);
    sd_bus_message_exit_container(m);
    (void)sd_bus_message_read(m, "us", &flags, &id);
    fputc('\n', log);
    fflush(log);
    return sd_bus_reply_method_return(m, "(bba{ss})", strstr(action, "devices") != NULL, false, 0);
}

static const sd_bus_vtable polkit_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
                  SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void be_polkit(const struct private_bus *p)
{
    sd_bus *bus = private_bus_connect(p);
    FILE *log = fopen(p->polkit_log, "we");

    if (!log ||
        sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                 "org.freedesktop.PolicyKit1.Authority", polkit_vtable, log) < 0 ||
        sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) < 0)
        _exit(1);
    while (sd_bus_wait(bus, UINT64_MAX) >= 0)
        while (sd_bus_process(bus, NULL) > 0)
            ;
    _exit(1);
}

/* -- the daemon -- */

static void be_daemon(const struct private_bus *p)
{
    const struct manager_options options = {.root_fd = p->tree.fd, .mode = MANAGER_DAEMON};
    FILE *log = freopen(p->daemon_log, "we", stderr);

    unsetenv("NOTIFY_SOCKET");
    unsetenv("JOURNAL_STREAM");
    _exit(!log || manager_run(&options) < 0);
}

/* Another user, where the tests run as root: its socket is given to it, as the unit does. */
static void be_front(const struct private_bus *p)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/run/vfio-bindd/front", p->tree.path);
    for (int i = 0; i < START_TRIES && access(path, F_OK) < 0; i++)
        usleep(START_USEC);
    if (geteuid() == 0 && (lchown(path, PRIVATE_BUS_FRONT, -1) < 0 || setgroups(0, NULL) < 0 ||
                           setgid(PRIVATE_BUS_FRONT) < 0 || setuid(PRIVATE_BUS_FRONT) < 0))
        _exit(2);
    _exit(front_run(p->tree.fd) < 0);
}

static bool is_on_bus(sd_bus *bus, const char *name)
{
    sd_bus_creds *creds = NULL;
    int r = sd_bus_get_name_creds(bus, name, 0, &creds);

    sd_bus_creds_unref(creds);
    return r >= 0;
}

static void wait_for_name(const struct private_bus *p, pid_t pid, const char *name)
{
    sd_bus *bus = private_bus_connect(p);

    for (int i = 0; i < START_TRIES && !is_on_bus(bus, name); i++) {
        ck_assert_msg(waitpid(pid, NULL, WNOHANG) == 0, "%s ended", name);
        usleep(START_USEC);
    }
    ck_assert_msg(is_on_bus(bus, name), "%s does not come", name);
    sd_bus_flush_close_unref(bus);
}

void private_bus_wait(const struct private_bus *p)
{
    wait_for_name(p, p->front, BUS_NAME);
}

void private_bus_start(struct private_bus *p)
{
    *p = (struct private_bus){0};
    tree_init(&p->tree);
    snprintf(p->daemon_log, sizeof(p->daemon_log), "%s/daemon.log", p->tree.path);
    snprintf(p->polkit_log, sizeof(p->polkit_log), "%s/polkit.log", p->tree.path);
    tree_write(&p->tree, "proc/cmdline", "quiet\n");
    tree_write(&p->tree, "sys/bus/pci/drivers_probe", "");
    tree_write(&p->tree, "run/none", "");
    start_bus(p);
    p->polkit = start_process();
    if (p->polkit == 0)
        be_polkit(p);
    wait_for_name(p, p->polkit, "org.freedesktop.PolicyKit1");
}

void private_bus_start_front(struct private_bus *p)
{
    p->front = start_process();
    if (p->front == 0)
        be_front(p);
    wait_for_name(p, p->front, BUS_NAME);
}

void private_bus_start_with_gpu(struct private_bus *p)
{
    private_bus_start(p);
    tree_driver(&p->tree, "vfio-pci");
    tree_device(&p->tree, GPU, MODALIAS_A100, "vfio-pci", "14");
    tree_write(&p->tree, "etc/vfio-bindd.conf", "[device a]\nid = 10de:20f1\n");
}

void private_bus_start_daemon(struct private_bus *p)
{
    p->daemon = start_process();
    if (p->daemon == 0)
        be_daemon(p);
    private_bus_start_front(p);
}

void private_bus_end(pid_t *process)
{
    end_process(process);
}

void private_bus_done(struct private_bus *p)
{
    end_process(&p->front);
    end_process(&p->daemon);
    end_process(&p->polkit);
    end_process(&p->bus);
    tree_done(&p->tree);
}

/* -- calls -- */

const char *private_bus_call_at(sd_bus *bus, const char *path, const char *interface,
                                const char *member, char **ret_message, sd_bus_message **ret_reply,
                                const char *types, ...)
{
    static const char *const silence[] = {SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                                          SD_BUS_ERROR_DISCONNECTED,
                                          "org.freedesktop.DBus.Error.ServiceUnknown"};
    static char name[128];
    CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *m = NULL, *reply = NULL;
    va_list args;

    int r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, path, interface, member);
    va_start(args, types);
    if (r >= 0 && types)
        r = sd_bus_message_appendv(m, types, args);
    va_end(args);
    ck_assert_int_ge(r, 0);
    r = sd_bus_call(bus, m, ANSWER_USEC, &error, &reply);
    sd_bus_message_unref(m);
    ck_assert_msg(r >= 0 || sd_bus_error_is_set(&error), "%s: %s", member, strerror(-r));
    snprintf(name, sizeof(name), "%s", r < 0 ? error.name : "");
    ck_assert_msg(word_index(silence, ELEMENTS(silence), name) < 0, "%s: no answer: %s", member,
                  error.message);
    if (ret_message)
        *ret_message = strdup(r < 0 && error.message ? error.message : "");
    if (ret_reply)
        *ret_reply = reply;
    else
        sd_bus_message_unref(reply);
    return name;
}

char *private_bus_log(const char *path)
{
    CLEANUP(fclosep) FILE *f = fopen(path, "re");
    char *text = calloc(1, 1 << 20);

    ck_assert(f && text);
    (void)!fread(text, 1, (1 << 20) - 1, f);
    return text;
}
