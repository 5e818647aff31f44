/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network, screens, the kernel's trace and log, drivers, and the daemon as a process. */
#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts.h"

#define TRACING "/sys/kernel/tracing"
#define STATE_FOLDER "/run/vfio-bindd"
#define TEXT_SIZE 65536

#define SYSLOG_ACTION_READ_ALL 3
#define SYSLOG_ACTION_SIZE_BUFFER 10

static int prefix_of(const struct sockaddr *mask)
{
    const unsigned char *bytes;
    size_t size;
    int bits = 0;

    if (mask->sa_family == AF_INET) {
        bytes = (const void *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr;
        size = sizeof(struct in_addr);
    } else {
        bytes = (const void *)&((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr;
        size = sizeof(struct in6_addr);
    }
    for (size_t i = 0; i < size; i++)
        bits += __builtin_popcount(bytes[i]);
    return bits;
}

static char *address_text(const struct ifaddrs *entry)
{
    char text[INET6_ADDRSTRLEN];
    int family = entry->ifa_addr ? entry->ifa_addr->sa_family : AF_UNSPEC;
    const void *from =
        family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)entry->ifa_addr)->sin_addr
            : (const void *)&((const struct sockaddr_in6 *)(const void *)entry->ifa_addr)
                  ->sin6_addr;

    if ((family != AF_INET && family != AF_INET6) || !entry->ifa_netmask ||
        !inet_ntop(family, from, text, sizeof(text)))
        return NULL;
    return format("%s/%d", text, prefix_of(entry->ifa_netmask));
}

static void put_addresses(const struct ifaddrs *all, const char *name)
{
    struct texts addresses = {0};

    for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
        char *text = strcmp(entry->ifa_name, name) == 0 ? address_text(entry) : NULL;
        if (text)
            add_text(&addresses, text);
    }
    sort_texts(&addresses);
    put_texts("addresses", addresses.at, addresses.count);
}

/* The interfaces that this one is made of, as a bridge or a bond is. */
static void put_lower(const char *name)
{
    struct texts lower = {0};
    char **files;
    size_t count = names_in(&files, format("/sys/class/net/%s", name));

    for (size_t i = 0; i < count; i++)
        if (strncmp(files[i], "lower_", 6) == 0)
            add_text(&lower, files[i] + 6);
    put_texts("lower", lower.at, lower.count);
}

static void print_interface(const char *name, const struct ifaddrs *all)
{
    const char *flags = line_of("/sys/class/net/%s/flags", name);
    const char *carrier = line_of("/sys/class/net/%s/carrier", name);

    begin("net");
    put_text("name", name);
    put_text("mac", line_of("/sys/class/net/%s/address", name));
    put_text("pci", nearest_function(real_path("/sys/class/net/%s", name)));
    put_bool("up", flags && (strtoul(flags, NULL, 16) & IFF_UP));
    /* Unknown while the interface is down. */
    put_raw("carrier", carrier ? (*carrier == '1' ? "true" : "false") : "null");
    put_addresses(all, name);
    put_lower(name);
    end();
}

/* "IFACE DESTINATION GATEWAY FLAGS REFCNT USE METRIC MASK …", addresses as they are in memory. */
static void print_route(const char *line)
{
    char iface[32], to[INET_ADDRSTRLEN], via[INET_ADDRSTRLEN];
    unsigned int destination, gateway, metric, mask;

    if (sscanf(line, "%31s %x %x %*s %*s %*s %u %x", iface, &destination, &gateway, &metric,
               &mask) != 5)
        return;
    inet_ntop(AF_INET, &destination, to, sizeof(to));
    inet_ntop(AF_INET, &gateway, via, sizeof(via));
    begin("route");
    put_text("text", format("%s/%d%s%s dev %s metric %u", to, __builtin_popcount(mask),
                            gateway ? " via " : "", gateway ? via : "", iface, metric));
    end();
}

void print_network(void *unused)
{
    char **names, *text = content_of("/proc/net/route"), *line;
    size_t count = names_in(&names, "/sys/class/net");
    struct ifaddrs *all = NULL;

    (void)unused;
    getifaddrs(&all);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], "lo") != 0 && exists("/sys/class/net/%s/flags", names[i]))
            print_interface(names[i], all);
    next_line(&text);
    while ((line = next_line(&text)))
        print_route(line);
}

static void print_lines(const char *type, char *text)
{
    char *line;

    while ((line = next_line(&text))) {
        begin(type);
        put_text("text", line);
        end();
    }
}

void print_screens(void *unused)
{
    (void)unused;
    print_lines("console", content_of("/proc/consoles"));
    print_lines("fb", content_of("/proc/fb"));
}

/* A value in quotes that follows a key; NULL without it. */
static char *quoted(const char *text, const char *key)
{
    const char *from = strstr(text, key);

    if (!from)
        return NULL;
    from += strlen(key);
    return format("%.*s", (int)strcspn(from, "\""), from);
}

/* "COMM-PID [CPU] FLAGS TIME: EVENT: …": the time is what is before the event. */
static void put_time(const char *line, const char *event)
{
    const char *from = event;

    while (from > line && (isdigit((unsigned char)from[-1]) || from[-1] == '.'))
        from--;
    put_raw("time", from < event ? format("%.*s", (int)(event - from), from) : "null");
}

static void print_trace_line(const char *line)
{
    static const char rp[] = ": rp: (", marker[] = ": tracing_mark_write: ";
    const char *event = strstr(line, rp), *mark = strstr(line, marker);

    if (mark && (!event || mark < event)) {
        begin("mark");
        put_time(line, mark);
        put_text("text", mark + strlen(marker));
        end();
    } else if (event) {
        char *dev = quoted(event, "dev=\""), *drv = quoted(event, "drv=\"");
        if (!dev || !is_address(dev, strlen(dev)))
            return;
        begin("probe");
        put_time(line, event);
        put_text("dev", dev);
        put_text("drv", drv);
        end();
    }
}

static void print_lost(void)
{
    char **cpus;
    size_t count = names_in(&cpus, TRACING "/per_cpu");
    long long lost = 0;

    for (size_t i = 0; i < count; i++) {
        const char *text = content_of(TRACING "/per_cpu/%s/stats", cpus[i]);
        const char *overrun = text ? strstr(text, "overrun: ") : NULL;
        if (overrun && (overrun == text || overrun[-1] == '\n'))
            lost += number_of(overrun + strlen("overrun: "), 0);
    }
    if (lost == 0)
        return;
    begin("tracelost");
    put_number("count", lost);
    end();
}

/* Where nobody has mounted it, this child does for itself: no other process sees it. */
static void mount_tracing(void)
{
    if (exists(TRACING "/trace") || unshare(CLONE_NEWNS) < 0)
        return;
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mount("tracefs", TRACING, "tracefs", 0, NULL);
}

void print_trace(void *unused)
{
    char *text, *line;

    (void)unused;
    mount_tracing();
    text = content_of(TRACING "/trace");
    while ((line = next_line(&text)))
        print_trace_line(line);
    print_lost();
}

void print_drivers(void *unused)
{
    char **names;
    size_t count = names_in(&names, "/sys/bus/pci/drivers");
    struct stat folder;

    (void)unused;
    for (size_t i = 0; i < count; i++) {
        if (stat(format("/sys/bus/pci/drivers/%s", names[i]), &folder) < 0)
            continue;
        begin("driver");
        put_text("name", names[i]);
        put_number("inode", (long long)folder.st_ino);
        end();
    }
}

static int print_file(const char *path, const struct stat *file, int type, struct FTW *unused)
{
    char *text;

    (void)unused;
    if (type != FTW_F || !S_ISREG(file->st_mode))
        return 0;
    text = content_of("%s", path);
    if (text && strlen(text) > TEXT_SIZE)
        text[TEXT_SIZE] = '\0';
    begin("run");
    put_text("path", path);
    put_text("text", text);
    end();
    return 0;
}

void print_run(void *unused)
{
    (void)unused;
    nftw(STATE_FOLDER, print_file, 16, FTW_PHYS);
}

static bool is_alarming(const char *line)
{
    static const char *const words[] = {
        "WARNING:",   "BUG:",
        "Oops",       "Call Trace",
        "refcount_t", "general protection",
        "KASAN",      "blocked for more than",
        "UBSAN",
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strstr(line, words[i]))
            return true;
    return false;
}

void print_kernel_log(void *unused)
{
    int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
    char *text = calloc(1, (size_t)(size > 0 ? size : 0) + 1), *line;

    (void)unused;
    if (!text || klogctl(SYSLOG_ACTION_READ_ALL, text, size) < 0)
        return;
    while ((line = next_line(&text))) {
        if (!is_alarming(line))
            continue;
        begin("kernel");
        put_text("text", *line == '<' && strchr(line, '>') ? strchr(line, '>') + 1 : line);
        end();
    }
}

static size_t count_of(const char *path)
{
    char **names;

    return names_in(&names, path);
}

static long long children_of(const char *pid)
{
    char **tasks;
    size_t count = names_in(&tasks, format("/proc/%s/task", pid));
    long long children = 0;

    for (size_t i = 0; i < count; i++) {
        const char *text = content_of("/proc/%s/task/%s/children", pid, tasks[i]);
        for (; text && *text; text++)
            children += *text == ' '; /* one after each */
    }
    return children;
}

static long long kib_of(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;

    return at ? number_of(at + strlen(key), 0) : 0;
}

static void print_daemon(const char *pid)
{
    const char *smaps = content_of("/proc/%s/smaps_rollup", pid);
    const char *stat = line_of("/proc/%s/stat", pid);
    const char *after = stat ? strrchr(stat, ')') : NULL; /* the name may be any */
    char state[2] = "?";
    int parent = 0;

    if (after)
        sscanf(after, ") %1s %d", state, &parent);
    begin("daemon");
    put_raw("pid", pid);
    put_number("parent", parent);
    put_number("threads", (long long)count_of(format("/proc/%s/task", pid)));
    put_number("children", children_of(pid));
    put_number("fds", (long long)count_of(format("/proc/%s/fd", pid)));
    /* Not what is private: pages shared with the worker since fork() become so, one by one, as they
     * are written, and that is no growth. */
    put_number("anonymous_kib", kib_of(smaps, "Anonymous:"));
    put_text("state", state);
    end();
}

/* Workers that it forked are listed as well. */
void print_daemons(void *unused)
{
    char **pids;
    size_t count = names_in(&pids, "/proc");

    (void)unused;
    for (size_t i = 0; i < count; i++) {
        const char *program =
            isdigit((unsigned char)pids[i][0]) ? target_of("/proc/%s/exe", pids[i]) : NULL;
        if (program &&
            (strcmp(program, "vfio-bindd") == 0 || strcmp(program, "vfio-bindd (deleted)") == 0))
            print_daemon(pids[i]);
    }
}

void print_uptime(void *unused)
{
    const char *text = line_of("/proc/uptime");

    (void)unused;
    begin("uptime");
    put_raw("seconds", text ? format("%.*s", (int)strcspn(text, " "), text) : "null");
    end();
}
