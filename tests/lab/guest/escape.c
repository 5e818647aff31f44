/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run in the place of one of vfio-bindd's programs: what could somebody do who has taken it over?
 * Prints a line for each attempt: "YES what" where it succeeded, "no what (why)" where not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(bool succeeded, const char *what)
{
    if (succeeded)
        printf("YES %s\n", what);
    else
        printf("no %s (%s)\n", what, strerror(errno));
}

static void try_open(const char *path, int flags)
{
    char what[512];
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

    snprintf(what, sizeof(what), "%s %s", (flags & O_ACCMODE) == O_RDONLY ? "read" : "write", path);
    tell(fd >= 0, what);
    if (fd >= 0 && (flags & O_CREAT))
        unlink(path);
    if (fd >= 0)
        close(fd);
}

/* Every name in a folder. */
static void try_all(const char *folder, const char *behind, int flags)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    char path[512];

    if (!dir) {
        tell(false, folder);
        return;
    }
    while ((e = readdir(dir)))
        if (*e->d_name != '.') {
            snprintf(path, sizeof(path), "%s/%.200s%s", folder, e->d_name, behind);
            try_open(path, flags);
        }
    closedir(dir);
}

static bool is_other(const char *name)
{
    int pid = atoi(name);

    return pid > 0 && pid != getpid();
}

/* Other processes: their memory, root and signals. The first that gives way is named. */
static void try_processes(void)
{
    static char byte;
    unsigned seen = 0, memory = 0, vm = 0, root = 0, traced = 0, signalled = 0;
    DIR *dir = opendir("/proc");
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char path[64];
        struct iovec local = {&byte, 1}, remote = {(void *)0x1000, 1};
        int pid = atoi(e->d_name), fd;
        if (!is_other(e->d_name))
            continue;
        seen++;
        snprintf(path, sizeof(path), "/proc/%d/mem", pid);
        fd = open(path, O_RDWR | O_CLOEXEC);
        memory += fd >= 0;
        if (fd >= 0)
            close(fd);
        snprintf(path, sizeof(path), "/proc/%d/root/etc", pid);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        root += fd >= 0;
        if (fd >= 0)
            close(fd);
        vm += process_vm_writev(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT;
        signalled += kill(pid, 0) == 0;
        if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
            traced++;
            ptrace(PTRACE_DETACH, pid, 0, 0);
        }
    }
    if (dir)
        closedir(dir);
    printf("# %u other processes are seen\n", seen);
    errno = EACCES;
    tell(memory > 0, "open the memory of others");
    tell(vm > 0, "write the memory of others with process_vm_writev()");
    tell(root > 0, "enter the root of others");
    tell(traced > 0, "trace others");
    tell(signalled > 0, "signal others");
    try_open("/proc/1/root/root/escaped", O_WRONLY | O_CREAT);
    try_open("/proc/1/environ", O_RDONLY);
}

static void try_connect(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char what[256];

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    snprintf(what, sizeof(what), "connect to %s", path);
    tell(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0, what);
    close(fd);
}

static void try_files(void)
{
    static const char *const folders[] = {"/etc",
                                          "/root",
                                          "/run",
                                          "/usr",
                                          "/var/lib",
                                          "/opt",
                                          "/run/vfio-bindd",
                                          "/run/systemd/system",
                                          "/home"};
    static const char *const secrets[] = {"/etc/shadow", "/run/vfio-bindd/state",
                                          "/run/vfio-bindd/lock", "/dev/mem", "/dev/kmsg"};
    static const char *const levers[] = {"/proc/sys/kernel/core_pattern",
                                         "/proc/sysrq-trigger",
                                         "/sys/kernel/uevent_helper",
                                         "/sys/bus/pci/rescan",
                                         "/sys/bus/pci/drivers_probe",
                                         "/sys/bus/pci/drivers/vfio-pci/new_id",
                                         "/sys/bus/pci/drivers/vfio-pci/unbind",
                                         "/sys/power/state",
                                         "/sys/fs/cgroup/cgroup.procs",
                                         "/dev/vfio/vfio",
                                         "/dev/iommu"};
    char path[64];

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        snprintf(path, sizeof(path), "%s/escaped", folders[i]);
        try_open(path, O_WRONLY | O_CREAT);
    }
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        try_open(secrets[i], O_RDONLY);
    for (size_t i = 0; i < sizeof(levers) / sizeof(*levers); i++)
        try_open(levers[i], O_WRONLY);
    try_all("/sys/bus/pci/devices", "/driver_override", O_WRONLY);
    try_all("/dev/vfio", "", O_RDWR);
}

static void try_kernel(void)
{
    static const struct {
        int family, type, protocol;
        const char *what;
    } sockets[] = {{AF_INET, SOCK_STREAM, 0, "a socket of the internet"},
                   {AF_NETLINK, SOCK_RAW, 15, "a socket for kernel events"},
                   {AF_PACKET, SOCK_RAW, 0, "a packet socket"}};

    for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
        int fd = socket(sockets[i].family, sockets[i].type | SOCK_CLOEXEC, sockets[i].protocol);
        tell(fd >= 0, sockets[i].what);
        if (fd >= 0)
            close(fd);
    }
    tell(setuid(0) == 0 && getuid() == 0 && geteuid() == 0 && getppid() != 1 - 1 &&
             access("/root/.", W_OK) == 0,
         "become root, who may write to /root");
    tell(mount("none", "/tmp", "tmpfs", 0, NULL) == 0, "mount");
    tell(unshare(CLONE_NEWUSER) == 0, "make a user namespace");
    tell(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
             MAP_FAILED,
         "map memory that can be written and executed");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    try_processes();
    try_connect("/run/systemd/private");
    try_files();
    try_kernel();
    puts("# that was all");
    return EXIT_SUCCESS;
}
