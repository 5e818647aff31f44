/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs commands in the guest for a program on the host, over a serial port.
 *
 * Usage: agent TTY
 *
 * It writes "ready\n", and then answers each line
 *
 *   TIMEOUT BASE64     seconds, and a command for bash of up to 64 KiB
 *
 * with "STATUS LENGTH\n" and LENGTH bytes of what the command wrote. STATUS is the exit code,
 * 128 + a signal's number, 124 if the time was up, or 125 if it was not run: then the bytes say
 * why. A command that hangs in the kernel does not stop the next one: nobody waits for it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define COMMAND_SIZE 65536
#define LINE_SIZE (COMMAND_SIZE / 3 * 4 + 64)
#define MAX_SECONDS 86400

#define STATUS_LATE 124
#define STATUS_NOT_RUN 125

static int tty;

/* Waits for a port that is not there yet, or was hung up. */
static void open_tty(const char *path)
{
    struct termios mode;

    while ((tty = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 || tcgetattr(tty, &mode) < 0) {
        if (tty >= 0)
            close(tty);
        usleep(100000);
    }
    cfmakeraw(&mode);
    mode.c_cflag |= CREAD | CLOCAL;
    tcsetattr(tty, TCSANOW, &mode);
}

static void write_all(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(tty, data, size);
        if (n < 0 && errno != EINTR)
            return; /* hung up: the next read sees it as well */
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
}

/* Reads a line without its end; an empty one if it was too long. False if the port was hung up. */
static bool read_line(char *line)
{
    static char chunk[4096];
    static size_t used, size;
    size_t length = 0;

    for (;;) {
        while (used < size) {
            char c = chunk[used++];
            if (c == '\n') {
                line[length < LINE_SIZE ? length : 0] = '\0';
                return true;
            }
            if (length < LINE_SIZE)
                line[length++] = c;
        }
        ssize_t n = read(tty, chunk, sizeof(chunk));
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        used = 0;
        size = n > 0 ? (size_t)n : 0;
    }
}

/* In place; the text's length, or -1 if it is none in base64. */
static ssize_t decode(char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text), bits = 0, out = 0;
    unsigned int value = 0;

    if (length == 0 || length % 4 != 0)
        return -1;
    for (int i = 0; i < 2 && text[length - 1] == '='; i++)
        length--;
    for (size_t i = 0; i < length; i++) {
        const char *digit = strchr(digits, text[i]);
        if (!digit)
            return -1;
        value = value << 6 | (unsigned int)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            text[out++] = (char)(value >> bits);
        }
    }
    text[out] = '\0';
    return (ssize_t)out;
}

static void run_in_child(const char *command, int output)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    /* A session of its own: a group to kill, and no terminal to be disturbed by. */
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl("/bin/bash", "bash", "-c", command, NULL);
    _exit(STATUS_NOT_RUN);
}

/* Waits for the shell alone: what it left in the background may go on. A pidfd is ready when its
 * process has ended, whoever else ends in the meantime. */
static int wait_for(pid_t pid, int seconds)
{
    struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int status, ready;

    do
        ready = poll(&process, 1, seconds * 1000);
    while (ready < 0 && errno == EINTR);
    close(process.fd);
    if (ready <= 0) {
        kill(-pid, SIGKILL);
        return STATUS_LATE;
    }
    if (waitpid(pid, &status, 0) < 0)
        return STATUS_NOT_RUN;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void answer_text(int status, const char *text)
{
    char head[64];

    snprintf(head, sizeof(head), "%d %zu\n", status, strlen(text));
    write_all(head, strlen(head));
    write_all(text, strlen(text));
}

/* As much as there is now: what runs in the background may write more, or less. */
static void answer_file(int status, int output)
{
    char chunk[4096];
    struct stat file = {0};

    fstat(output, &file);
    int head = snprintf(chunk, sizeof(chunk), "%d %lld\n", status, (long long)file.st_size);
    write_all(chunk, (size_t)head);
    for (off_t at = 0; at < file.st_size;) {
        size_t want = sizeof(chunk);
        if (file.st_size - at < (off_t)want)
            want = (size_t)(file.st_size - at);
        ssize_t n = pread(output, chunk, want, at);
        if (n <= 0) { /* it was cut: the host still waits for so many */
            memset(chunk, ' ', want);
            n = (ssize_t)want;
        }
        write_all(chunk, (size_t)n);
        at += n;
    }
}

static void run(const char *command, int seconds)
{
    int output = open("/run", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid = output < 0 ? -1 : fork();

    if (pid == 0)
        run_in_child(command, output);
    if (pid < 0)
        answer_text(STATUS_NOT_RUN, strerror(errno));
    else
        answer_file(wait_for(pid, seconds), output);
    if (output >= 0)
        close(output);
}

static void obey(char *line)
{
    char *end;
    long seconds = strtol(line, &end, 10);
    ssize_t length;

    if (end == line || *end != ' ' || seconds < 1 || seconds > MAX_SECONDS)
        return answer_text(STATUS_NOT_RUN, "not a line of TIMEOUT and BASE64");
    length = decode(end + 1);
    if (length < 0)
        return answer_text(STATUS_NOT_RUN, "not base64");
    if (length > COMMAND_SIZE || (size_t)length != strlen(end + 1))
        return answer_text(STATUS_NOT_RUN, "not a command");
    run(end + 1, (int)seconds);
}

int main(int argc, char **argv)
{
    static char line[LINE_SIZE + 1];

    if (argc != 2) {
        fprintf(stderr, "usage: agent TTY\n");
        return 2;
    }
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0);
    setenv("HOME", "/root", 0);
    open_tty(argv[1]);
    write_all("ready\n", strlen("ready\n"));
    for (;;) {
        if (read_line(line)) {
            obey(line);
        } else {
            close(tty);
            open_tty(argv[1]);
        }
        /* Those for whom nobody waited. */
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
}
