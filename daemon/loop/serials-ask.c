/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/serials-ask.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>

#include "base/rootfs.h"
#include "channel/helper-call.h"
#include "loop/ask-helper.h"
#include "replace.h"
#include "tell/journal.h"

#define TIMEOUT_USEC (40 * 1000000ULL) /* somewhat longer than the timeout in the helper's unit */
#define ATTEMPTS_MAX 3 /* a device that appears while a question is pending needs another one */

struct serials_ask {
    sd_event *event;
    const struct view *view;
    serials_read_done done;
    void *userdata;
    struct helper_question *question; /* NULL: no question is pending */
    unsigned attempts;
};

int serials_ask_new(sd_event *event, const struct view *view, serials_read_done done,
                    void *userdata, struct serials_ask **ret)
{
    struct serials_ask *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    *s = (struct serials_ask){.event = event, .view = view, .done = done, .userdata = userdata};
    *ret = s;
    return 0;
}

void serials_ask_free(struct serials_ask *s)
{
    if (!s)
        return;
    ask_helper_cancel(s->question);
    free(s);
}

void serials_ask_retry(struct serials_ask *s)
{
    s->attempts = 0;
}

bool serials_ask_is_waiting(const struct serials_ask *s)
{
    return s->question != NULL;
}

/* Keeps them in files that every scan reads, also after a restart. */
static int keep_serials(const struct view *view, const struct helper_reply *reply)
{
    CLEANUP(serials_done) struct serials more = {0};

    for (uint32_t i = 0; i < reply->n_serials; i++) {
        const struct helper_serial *from = &reply->serials[i];
        if (!grow(&more.v, &more.allocated, more.n, sizeof(*more.v)))
            return -ENOMEM;
        struct serial *to = &more.v[more.n++];
        *to = (struct serial){.inode = from->inode};
        (void)pci_addr_from_number(from->device, &to->addr);
        memcpy(to->text, from->text, sizeof(to->text));
    }
    CLEANUP_FREE char *text = serials_text(view->root_fd, &view->snapshot, &more);
    if (!text)
        return -ENOMEM;
    CLEANUP_CLOSE int dir = rootfs_open(view->root_fd, SERIALS_FOLDER, O_PATH | O_DIRECTORY);
    return dir < 0 ? dir : replace_file(dir, SERIALS_FILE, 0600, text, strlen(text));
}

static void on_serials_answer(void *userdata, const struct helper_request *q,
                              const struct helper_reply *reply, int r, const char *text)
{
    struct serials_ask *s = userdata;

    (void)q;
    s->question = NULL;
    if (r < 0)
        journal_plain(LOG_WARNING,
                      "%s; devices that only a serial number could select are left alone", text);
    else if ((r = keep_serials(s->view, reply)) < 0)
        journal_plain(LOG_WARNING,
                      "cannot write /" SERIALS_FOLDER "/" SERIALS_FILE
                      ": %s; devices that only a serial number could select are left alone",
                      strerror(-r));
    s->done(s->userdata);
}

/* The snapshot is sorted by address. */
void serials_ask(struct serials_ask *s)
{
    const struct snapshot *snapshot = &s->view->snapshot;
    CLEANUP_FREE struct helper_request *q = calloc(1, sizeof(*q));

    if (!q || s->question || s->attempts >= ATTEMPTS_MAX)
        return;
    q->kind = HELPER_SERIALS;
    for (size_t i = 0; i < snapshot->n && q->n_devices < HELPER_DEVICES_MAX; i++)
        if (policy_is_undecided(&s->view->policy, &snapshot->devices[i]))
            q->devices[q->n_devices++] = pci_addr_number(snapshot->devices[i].addr);
    if (q->n_devices == 0)
        return;
    s->attempts++;
    int r =
        ask_helper(s->event, s->view->root_fd, q, TIMEOUT_USEC, on_serials_answer, s, &s->question);
    if (r < 0)
        journal_plain(LOG_WARNING,
                      "%s: %s; devices that only a serial number could select are left alone",
                      helper_socket_unit(HELPER_SERIALS), helper_error_text(r));
}
