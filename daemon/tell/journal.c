/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

#include "base/printable.h"

static const struct {
    const char *id;
    int priority;
} events[] = {
#define EVENT(name, id, priority, fields, when) {id, priority},
#include "model/events.def"
#undef EVENT
};

enum sink { SINK_STDERR, SINK_JOURNAL, SINK_KMSG };

#define FRONT "vfio-bindd-front"
#define ENTRY_MAX 2048
#define MESSAGE_MAX 1024
#define FORMATTED_MAX 4608 /* a line of the policy, and words about it */
#define WAITING_MAX 512    /* lines kept while journald is not reading: at most 1 MiB */

/* One log for the process. */
static struct {
    enum sink sink;
    int fd; /* SINK_JOURNAL, SINK_KMSG */
    int level;
    const char *identifier;
    char *waiting[WAITING_MAX];
    size_t first, n; /* a ring */
    unsigned long lost;
    sd_event_source *writable;
} journal = {.fd = -1, .level = LOG_INFO, .identifier = "vfio-bindd"};

/* systemd gives a service the device and inode of the journal stream in JOURNAL_STREAM: is that
 * standard error? */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static int connect_journal(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

void journal_open(bool early)
{
    const bool to_journal = stderr_is_journal();
    struct stat st;

    if (early)
        journal.identifier = "vfio-bindd-initramfs";
    if (!early && !to_journal && fstat(STDERR_FILENO, &st) == 0) {
        journal.sink = SINK_STDERR;
        return;
    }
    journal.fd = early && !to_journal ? -1 : connect_journal();
    journal.sink = journal.fd >= 0 ? SINK_JOURNAL : SINK_STDERR;
    if (journal.fd >= 0 || (!early && fstat(STDERR_FILENO, &st) == 0))
        return;
    journal.fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    journal.sink = SINK_KMSG;
}

void journal_set_level(int level)
{
    journal.level = level;
}

int journal_level(void)
{
    return journal.level;
}

/* -- sending without waiting -- */

/* Connects to the new socket of a restarted journald. The descriptor keeps its new number, since
 * epoll would not know a duplicate with the old number. */
static bool reconnect(void)
{
    CLEANUP_CLOSE int fd = connect_journal();

    if (fd < 0 || (journal.writable && sd_event_source_set_io_fd(journal.writable, fd) < 0))
        return false;
    close(journal.fd);
    journal.fd = take_fd(&fd);
    return true;
}

static bool send_now(const char *text, size_t size)
{
    ssize_t n = send(journal.fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && (errno == ECONNREFUSED || errno == ENOTCONN || errno == ENOENT) && reconnect())
        n = send(journal.fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

static void keep_line(const char *text)
{
    char *copy = strdup(text);

    if (!copy || journal.n == WAITING_MAX) {
        free(copy);
        journal.lost++;
        return;
    }
    journal.waiting[(journal.first + journal.n++) % WAITING_MAX] = copy;
    if (journal.writable)
        sd_event_source_set_enabled(journal.writable, SD_EVENT_ON);
}

static void flush_waiting(void)
{
    while (journal.n > 0) {
        char *text = journal.waiting[journal.first];
        if (!send_now(text, strlen(text)))
            return;
        free(text);
        journal.first = (journal.first + 1) % WAITING_MAX;
        journal.n--;
    }
    if (journal.lost > 0) {
        unsigned long lost = journal.lost;
        journal.lost = 0;
        journal_plain(LOG_WARNING, "%lu log lines were lost while journald was not reading", lost);
    }
}

static int on_writable(sd_event_source *source, int fd, uint32_t events_seen, void *userdata)
{
    (void)fd;
    (void)events_seen;
    (void)userdata;
    flush_waiting();
    if (journal.n == 0)
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return 0;
}

int journal_attach(sd_event *event)
{
    if (journal.sink != SINK_JOURNAL || journal.fd < 0)
        return 0;

    int r = sd_event_add_io(event, &journal.writable, journal.fd, EPOLLOUT, on_writable, NULL);
    if (r < 0)
        return r;
    return sd_event_source_set_enabled(journal.writable,
                                       journal.n > 0 ? SD_EVENT_ON : SD_EVENT_OFF);
}

void journal_close(void)
{
    if (journal.sink == SINK_JOURNAL && journal.fd >= 0)
        flush_waiting();
    journal.writable = sd_event_source_unref(journal.writable);
    for (; journal.n > 0; journal.n--) {
        free(journal.waiting[journal.first]);
        journal.first = (journal.first + 1) % WAITING_MAX;
    }
    if (journal.fd >= 0)
        close(journal.fd);
    journal.fd = -1;
}

/* Never blocks, even on a pipe that nobody reads: after POLLOUT there is room for a line of this
 * length. */
static void write_stderr(const char *message)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    char line[MESSAGE_MAX + 1];
    size_t n = printable(line, MESSAGE_MAX, message, strlen(message));

    line[n++] = '\n';
    if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
        ssize_t done = write(STDERR_FILENO, line, n);
        (void)done; /* there is nowhere left to report a failure */
    }
}

static void write_kmsg(int priority, const char *message)
{
    char line[960]; /* the kernel takes 1024 bytes */
    size_t n =
        (size_t)snprintf(line, sizeof(line), "<%d>%s: ", LOG_DAEMON | priority, journal.identifier);

    n += printable(line + n, sizeof(line) - n - 1, message, strlen(message));
    line[n++] = '\n';
    if (journal.fd >= 0) {
        ssize_t done = write(journal.fd, line, n);
        (void)done;
    }
}

/* -- entries -- */

struct journal_entry {
    char text[ENTRY_MAX];
    size_t used;
};

/* Adds KEY=value, or nothing if that does not fit. A newline in the value would start another
 * field, so the value is made printable. */
static void add_field(struct journal_entry *e, const char *key, const char *format, ...)
    PRINTF(3, 4);

static void add_field(struct journal_entry *e, const char *key, const char *format, ...)
{
    char formatted[FORMATTED_MAX], value[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(formatted, sizeof(formatted), format, args);
    va_end(args);
    printable(value, sizeof(value), formatted, strlen(formatted));
    int n = snprintf(e->text + e->used, sizeof(e->text) - e->used, "%s=%s\n", key, value);
    if (n > 0 && e->used + (size_t)n < sizeof(e->text))
        e->used += (size_t)n;
    e->text[e->used] = '\0';
}

static void begin_line(struct journal_entry *e, int priority, const char *message_id,
                       const char *message)
{
    e->used = 0;
    add_field(e, "MESSAGE", "%s", message);
    add_field(e, "PRIORITY", "%d", priority);
    add_field(e, "SYSLOG_IDENTIFIER", "%s", journal.identifier);
    if (message_id)
        add_field(e, "MESSAGE_ID", "%s", message_id);
}

static void finish_line(const struct journal_entry *e, int priority, const char *message)
{
    switch (journal.sink) {
    case SINK_STDERR:
        write_stderr(message);
        break;
    case SINK_KMSG:
        write_kmsg(priority, message);
        break;
    case SINK_JOURNAL:
        if (journal.n > 0 || !send_now(e->text, e->used))
            keep_line(e->text); /* keeps the order of lines */
        break;
    }
}

void journal_event(enum event_id id, const char *format, ...)
{
    char message[FORMATTED_MAX];
    struct journal_entry e;
    va_list args;

    if (events[id].priority > journal.level)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    begin_line(&e, events[id].priority, events[id].id, message);
    finish_line(&e, events[id].priority, message);
}

void journal_device(enum event_id id, const struct device *d, const struct verdict *v,
                    const struct record *r, const char *message)
{
    struct journal_entry e;

    if (events[id].priority > journal.level)
        return;
    begin_line(&e, events[id].priority, events[id].id, message);
    add_field(&e, "VFIO_ADDRESS", "%s", pci_addr_text(d->addr).s);
    add_field(&e, "VFIO_ID", "%04x:%04x", d->vendor, d->device);
    if (v)
        add_field(&e, "VFIO_RULE", "%s", v->rule->name);
    if (v)
        add_field(&e, "VFIO_STATE", "%s", state_word(v->state));
    if (d->driver)
        add_field(&e, "VFIO_DRIVER", "%s", d->driver);
    if (r && r->previous_driver)
        add_field(&e, "VFIO_PREVIOUS_DRIVER", "%s", r->previous_driver);
    if (d->group != NO_GROUP)
        add_field(&e, "VFIO_GROUP", "%u", d->group);
    if (v && v->reason != REASON_NONE)
        add_field(&e, "VFIO_REASON", "%s", reason_word(v->reason));
    if (r && r->bound_usec)
        add_field(&e, "VFIO_DURATION_USEC", "%llu", (unsigned long long)r->bound_usec);
    if (r && r->error)
        add_field(&e, "ERRNO", "%d", r->error);
    finish_line(&e, events[id].priority, message);
}

void journal_request(enum event_id id, const struct request *r, const char *message)
{
    const struct caller *c = &r->caller;
    struct journal_entry e;

    begin_line(&e, events[id].priority, events[id].id, message);
    add_field(&e, "VFIO_REQUEST", "%s", verb_word(r->verb));
    if (verb_has_device(r->verb))
        add_field(&e, "VFIO_ADDRESS", "%s", pci_addr_text(r->device).s);
    if (c->uid != UINT32_MAX)
        add_field(&e, "VFIO_CALLER_UID", "%u", c->uid);
    if (c->pid > 0)
        add_field(&e, "VFIO_CALLER_PID", "%d", (int)c->pid);
    if (c->told)
        add_field(&e, "VFIO_TOLD_BY", FRONT);
    if (*c->unit)
        add_field(&e, "VFIO_CALLER_UNIT", "%s", c->unit);
    finish_line(&e, events[id].priority, message);
}

void journal_level_told(int level)
{
    char message[64];
    struct journal_entry e;

    if (level == journal.level)
        return;
    journal.level = level;
    snprintf(message, sizeof(message), "log level %d: set over D-Bus, according to " FRONT, level);
    begin_line(&e, LOG_NOTICE, NULL, message);
    add_field(&e, "VFIO_TOLD_BY", FRONT);
    finish_line(&e, LOG_NOTICE, message);
}

void journal_policy_error(const struct diag *d)
{
    int priority = d->level == DIAG_ERROR ? events[EVENT_POLICY_ERROR].priority : LOG_WARNING;
    CLEANUP_FREE char *message = diag_text(d);
    struct journal_entry e;

    if (!message || priority > journal.level)
        return;
    begin_line(&e, priority, events[EVENT_POLICY_ERROR].id, message);
    if (d->file)
        add_field(&e, "CONFIG_FILE", "%s", d->file);
    if (d->line > 0)
        add_field(&e, "CONFIG_LINE", "%u", d->line);
    finish_line(&e, priority, message);
}

void journal_plain(int priority, const char *format, ...)
{
    char message[FORMATTED_MAX];
    struct journal_entry e;
    va_list args;

    if (priority > journal.level)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    begin_line(&e, priority, NULL, message);
    finish_line(&e, priority, message);
}
