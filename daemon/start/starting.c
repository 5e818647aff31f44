/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start/starting.h"

#include <errno.h>
#include <sys/socket.h>
#include <syslog.h>

#include "base/util.h"
#include "record-file.h"
#include "tell/journal.h"

/* If the supervisor is gone, that is noticed at the next question to it. */
void starting_tell(const struct starting *s, enum starting_kind kind, int64_t value)
{
    const struct starting_message m = {.kind = kind, .value = value};

    if (s && s->fd >= 0)
        (void)send(s->fd, &m, sizeof(m), MSG_NOSIGNAL);
}

int starting_lock(const struct starting *s, int root_fd)
{
    int fd = record_file_lock(root_fd, false);

    if (fd == -EWOULDBLOCK && s) {
        journal_plain(LOG_NOTICE, "waiting for another vfio-bindd to exit");
        starting_tell(s, STARTING_WAITS, 1);
        fd = record_file_lock(root_fd, true);
        starting_tell(s, STARTING_WAITS, 0);
    }
    if (fd != -EWOULDBLOCK)
        return fd;
    journal_plain(LOG_ERR, "another vfio-bindd is running (systemctl status vfio-bindd)");
    return -EBUSY;
}

uint64_t starting_since(const struct starting *s, uint64_t now)
{
    return s ? s->first_usec : now;
}

int starting_hand_over(struct starting *s)
{
    ssize_t n = -1;
    char answer;

    if (!s)
        return 0;
    starting_tell(s, STARTING_READY, 0);
    if (s->fd >= 0)
        do
            n = recv(s->fd, &answer, sizeof(answer), 0);
        while (n < 0 && errno == EINTR);
    closep(&s->fd);
    s->fd = -1;
    return n == (ssize_t)sizeof(answer) ? 0 : -EPIPE;
}
