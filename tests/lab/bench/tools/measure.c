/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command in a control group of its own, so that every process it leaves behind is counted
 * as well, and prints: microseconds on the clock, on the processor (all of the group), on the
 * processor in systemd-udevd meanwhile, and until it told the service manager (which measure plays)
 * that it is ready, - if it did not.
 * usage: measure FILE COMMAND...   FILE gets the line; the command's output is left alone */
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GROUP "/sys/fs/cgroup/bench"
#define UDEVD "/sys/fs/cgroup/system.slice/systemd-udevd.service"

static long long usage(const char *group)
{
    char path[128];
    long long n;

    snprintf(path, sizeof(path), "%s/cpu.stat", group);
    FILE *f = fopen(path, "re");
    if (!f || fscanf(f, "usage_usec %lld", &n) != 1)
        n = 0; /* udevd is stopped */
    if (f)
        fclose(f);
    return n;
}

static int is_empty(void)
{
    FILE *f = fopen(GROUP "/cgroup.procs", "re");
    int c = f ? fgetc(f) : EOF;

    if (f)
        fclose(f);
    return c == EOF;
}

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#define NOTIFY "@vfio-bindd-bench"

static int notify_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path + 1, NOTIFY + 1, sizeof(NOTIFY) - 2);
    bind(fd, (struct sockaddr *)&address,
         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(NOTIFY) - 1));
    setenv("NOTIFY_SOCKET", NOTIFY, 1);
    return fd;
}

/* Until the process ends: when was it ready? -1: it did not say. */
static long long wait_for(pid_t pid, int notify, long long start)
{
    struct pollfd p[] = {{.fd = notify, .events = POLLIN},
                         {.fd = pidfd_open(pid, 0), .events = POLLIN}};
    long long ready = -1;
    char text[4096];

    while (poll(p, 2, -1) > 0) {
        ssize_t n = p[0].revents ? recv(notify, text, sizeof(text) - 1, 0) : 0;
        text[n > 0 ? n : 0] = '\0';
        if (ready < 0 && strstr(text, "READY=1"))
            ready = now() - start;
        if (p[1].revents && !p[0].revents)
            break;
    }
    return ready;
}

int main(int argc, char **argv)
{
    int status = 0, notify = notify_socket();

    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND...\n");
        return 2;
    }
    mkdir(GROUP, 0755);
    long long own = usage(GROUP), udevd = usage(UDEVD), start = now();
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(GROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1) {
            perror("measure: " GROUP);
            _exit(126);
        }
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    long long ready = wait_for(pid, notify, start);
    waitpid(pid, &status, 0);
    long long wall = now() - start;
    while (!is_empty())
        usleep(1000);
    FILE *f = fopen(argv[1], "we");
    if (!f)
        return EXIT_FAILURE;
    fprintf(f, "%lld %lld %lld ", wall, usage(GROUP) - own, usage(UDEVD) - udevd);
    fprintf(f, ready < 0 ? "-\n" : "%lld\n", ready);
    fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
