/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/iommu-wait.h"

#include <errno.h>
#include <syslog.h>

#include "base/util.h"
#include "channel/helper-call.h"
#include "host/scan-host.h"
#include "host/viommu.h"
#include "loop/ask-helper.h"
#include "tell/journal.h"

/* Long, since a booting host is busy; only the devices behind this IOMMU have to wait. */
#define LOAD_TIMEOUT_USEC (60 * 1000000ULL)
/* How often the deadline may be extended because the host is still booting. On some hosts the boot
 * never ends. */
#define ROUNDS_MAX 30
#define ROUND_MIN_USEC (2 * 1000000ULL)

/* The order matters: without the transport the driver finds no device. */
static const char *const modules[] = {VIOMMU_TRANSPORT, VIOMMU_MODULE};

struct iommu_wait {
    sd_event *event;
    int root_fd;
    iommu_given_up *given_up;
    void *userdata;
    struct helper_question *load; /* NULL: no request is pending */
    size_t asked;                 /* number of modules requested so far */
    sd_event_source *deadline;
    uint64_t usec;
    unsigned rounds; /* how often the deadline was reached */
};

int iommu_wait_new(sd_event *event, int root_fd, iommu_given_up *given_up, void *userdata,
                   struct iommu_wait **ret)
{
    struct iommu_wait *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    *w = (struct iommu_wait){
        .event = event, .root_fd = root_fd, .given_up = given_up, .userdata = userdata};
    *ret = w;
    return 0;
}

void iommu_wait_retry(struct iommu_wait *w)
{
    ask_helper_cancel(w->load);
    w->load = NULL;
    w->deadline = sd_event_source_disable_unref(w->deadline);
    w->asked = 0;
}

void iommu_wait_free(struct iommu_wait *w)
{
    if (!w)
        return;
    iommu_wait_retry(w);
    free(w);
}

static void give_up(struct iommu_wait *w)
{
    iommu_wait_retry(w);
    w->given_up(w->userdata);
}

/* If this is unknown, the host counts as booting. */
static bool is_coming_up(int root_fd)
{
    struct snapshot s = {.cold_boot = true};

    scan_boot(root_fd, &s);
    return s.cold_boot;
}

/* While the host is booting, the driver may still be loaded by somebody else, or its device may
 * appear. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct iommu_wait *w = userdata;

    (void)usec;
    if (++w->rounds < ROUNDS_MAX && is_coming_up(w->root_fd) &&
        sd_event_source_set_time_relative(source, w->usec) >= 0 &&
        sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) >= 0)
        return 0;
    give_up(w);
    return 0;
}

static void ask_for_modules(struct iommu_wait *w);

static void on_loaded(void *userdata, const struct helper_request *q,
                      const struct helper_reply *reply, int r, const char *text)
{
    struct iommu_wait *w = userdata;

    (void)q;
    (void)reply;
    w->load = NULL;
    if (r < 0) /* udev may load it nevertheless */
        journal_plain(LOG_WARNING, "%s", text);
    else if (w->asked == ELEMENTS(modules) && viommu_is_loaded(w->root_fd) == 0)
        give_up(w); /* the module is missing or blacklisted; modprobe's message says which */
    else
        ask_for_modules(w);
}

static void ask_for_modules(struct iommu_wait *w)
{
    CLEANUP_FREE struct helper_request *q = calloc(1, sizeof(*q));

    if (!q || w->asked == ELEMENTS(modules))
        return;
    q->kind = HELPER_MODULE;
    snprintf(q->module, sizeof(q->module), "%s", modules[w->asked++]);
    int r = ask_helper(w->event, w->root_fd, q, LOAD_TIMEOUT_USEC, on_loaded, w, &w->load);
    if (r < 0)
        journal_plain(LOG_WARNING, "cannot load the module %s: %s: %s", q->module,
                      helper_socket_unit(HELPER_MODULE), helper_error_text(r));
}

void iommu_wait_follow(struct iommu_wait *w, const struct plan *plan, uint64_t usec)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->n_verdicts; i++)
        kept += plan->verdicts[i].reason == REASON_IOMMU_AWAITED;
    if (kept == 0) {
        iommu_wait_retry(w);
        return;
    }
    if (w->deadline)
        return;
    w->usec = usec > ROUND_MIN_USEC ? usec : ROUND_MIN_USEC;
    w->rounds = 0;
    if (sd_event_add_time_relative(w->event, &w->deadline, CLOCK_MONOTONIC, w->usec, 0, on_deadline,
                                   w) < 0)
        return;
    journal_event(EVENT_IOMMU_AWAITED,
                  "%zu devices are reserved until the announced virtual IOMMU appears; its driver "
                  "(%s) has been requested",
                  kept, VIOMMU_MODULE);
    ask_for_modules(w);
}
