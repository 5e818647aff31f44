/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front that somebody has taken over, in the place of vfio-bindd-front: says who it is, asks for
 * what it may not, floods, and sends what is no message. It prints what came of it.
 *
 * usage: front-lies release ADDRESS     the answer's kind and sentence
 *        front-lies flood SECONDS       how many rescans were answered
 *        front-lies noise               whether it was cut off */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* As daemon/channel/message.h has them. */
enum { REPLY = 8, REQUEST = 9, RELEASE = 1, RESCAN = 3 };

static int connect_daemon(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "/run/vfio-bindd/front"};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        printf("cannot connect: %s\n", strerror(errno));
        exit(EXIT_FAILURE);
    }
    return fd;
}

static void request(int fd, uint64_t id, uint64_t verb, uint64_t device)
{
    struct {
        uint32_t kind, zero;
        uint64_t id, numbers[5];
        char unit[8];
    } m = {REQUEST, 0, id, {verb, device, 4711, 42, 0}, "nobody"};

    (void)!send(fd, &m, 16 + 40 + 7, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The next answer. False: there is none any more. */
static int next_reply(int fd, uint64_t *kind, char *sentence, size_t size)
{
    static char buffer[65536];
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof(buffer) - 1, 0)) > 0) {
        uint32_t message;
        memcpy(&message, buffer, sizeof(message));
        if (message != REPLY || n < 25)
            continue;
        buffer[n] = '\0';
        memcpy(kind, buffer + 16, sizeof(*kind));
        snprintf(sentence, size, "%.*s", (int)size - 1, buffer + 24);
        return 1;
    }
    return 0;
}

static void release(const char *address)
{
    unsigned domain, bus, dev, fn;
    char sentence[2048] = "";
    uint64_t kind = 0;
    int fd = connect_daemon();

    if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4)
        exit(EXIT_FAILURE);
    request(fd, 1, RELEASE, (uint64_t)domain << 16 | bus << 8 | dev << 3 | fn);
    if (next_reply(fd, &kind, sentence, sizeof(sentence)))
        printf("answer %d: %s\n", (int)kind, sentence);
    else
        puts("no answer");
}

static void flood(unsigned seconds)
{
    struct timeval wait = {.tv_usec = 10000};
    time_t end = time(NULL) + seconds;
    char sentence[64];
    unsigned answered = 0;
    uint64_t kind;
    int fd = connect_daemon();

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    while (time(NULL) < end) {
        for (int i = 0; i < 100; i++)
            request(fd, 2, RESCAN, 0);
        while (next_reply(fd, &kind, sentence, sizeof(sentence)))
            answered++;
    }
    printf("%u answers in %u s\n", answered, seconds);
}

static void noise(void)
{
    char bytes[512], sentence[64];
    uint64_t kind;
    int fd = connect_daemon();

    memset(bytes, 0xa5, sizeof(bytes));
    (void)!send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
    puts(next_reply(fd, &kind, sentence, sizeof(sentence)) ? "answered" : "cut off");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "release") == 0 && argc == 3)
        release(argv[2]);
    else if (strcmp(what, "flood") == 0 && argc == 3)
        flood((unsigned)atoi(argv[2]));
    else if (strcmp(what, "noise") == 0)
        noise();
    else
        return 2;
    return EXIT_SUCCESS;
}
