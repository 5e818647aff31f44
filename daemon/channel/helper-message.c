/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel/helper-message.h"

#include <errno.h>

#include "base/printable.h"
#include "base/util.h"
#include "model/snapshot.h"

#define ERRNO_MAX 4095 /* the largest errno of the kernel */

static const char *const words[HELPER_KINDS] = {
    [HELPER_MODULE] = "module", [HELPER_SERIALS] = "serials", [HELPER_HOLDERS] = "holders"};

const char *helper_word(enum helper_kind kind)
{
    return words[kind];
}

enum helper_kind helper_kind_of(const char *word)
{
    int i = word_index(words, HELPER_KINDS, word);

    return i < 0 ? HELPER_KINDS : (enum helper_kind)i;
}

static int compare_numbers(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return (a > b) - (a < b);
}

void helper_request_add(struct helper_request *q, const struct pci_addr *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        q->devices[i] = pci_addr_number(addrs[i]);
    qsort(q->devices, n, sizeof(*q->devices), compare_numbers);
    q->n_devices = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || q->devices[i] != q->devices[q->n_devices - 1])
            q->devices[q->n_devices++] = q->devices[i];
}

size_t helper_request_size(const struct helper_request *q)
{
    return offsetof(struct helper_request, devices) + q->n_devices * sizeof(*q->devices);
}

size_t helper_reply_size(const struct helper_reply *a)
{
    return offsetof(struct helper_reply, serials) + a->n_serials * sizeof(*a->serials);
}

/* Is it a text that ends within its field, followed only by zeros? */
static bool is_field_text(const char *field, size_t size)
{
    const char *end = memchr(field, '\0', size);

    while (end && end < field + size && !*end)
        end++;
    return end == field + size;
}

static bool are_devices(const struct helper_request *q)
{
    struct pci_addr a;

    for (uint32_t i = 0; i < q->n_devices; i++)
        if (!pci_addr_from_number(q->devices[i], &a) ||
            (i > 0 && q->devices[i] <= q->devices[i - 1]))
            return false;
    return true;
}

int helper_request_check(enum helper_kind kind, const struct helper_request *q, size_t size)
{
    if (size < offsetof(struct helper_request, devices) || q->kind != kind || q->zero != 0 ||
        q->n_devices > HELPER_DEVICES_MAX || size != helper_request_size(q) ||
        !is_field_text(q->module, sizeof(q->module)) || !are_devices(q))
        return -EBADMSG;
    const bool names_module = module_name_is_valid(q->module), names_none = !*q->module;
    bool good = false;
    switch (kind) {
    case HELPER_MODULE:
        good = names_module && q->n_devices == 0 && q->group == 0;
        break;
    case HELPER_SERIALS:
        good = names_none && q->n_devices > 0 && q->group == 0;
        break;
    case HELPER_HOLDERS:
        good = names_none && (q->group == NO_GROUP ? q->n_devices > 0 : q->n_devices == 1);
        break;
    case HELPER_KINDS:
        break;
    }
    return good ? 0 : -EBADMSG;
}

static bool is_printable_text(const char *field, size_t size)
{
    char clean[HELPER_TEXT_MAX];

    if (!is_field_text(field, size))
        return false;
    printable(clean, sizeof(clean), field, strlen(field));
    return streq(clean, field);
}

/* Are all of them about devices of the request, in the same order? */
static bool are_serials(const struct helper_request *q, const struct helper_reply *a)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < a->n_serials; i++) {
        const struct helper_serial *s = &a->serials[i];
        while (at < q->n_devices && q->devices[at] != s->device)
            at++;
        if (at++ >= q->n_devices || !is_field_text(s->text, sizeof(s->text)) ||
            (*s->text && !serial_is_valid(s->text)))
            return false;
    }
    return true;
}

int helper_reply_check(const struct helper_request *q, const struct helper_reply *a, size_t size)
{
    if (size < offsetof(struct helper_reply, serials) || a->kind != q->kind || a->zero != 0 ||
        a->result > 0 || a->result < -ERRNO_MAX || a->n_serials > q->n_devices ||
        size != helper_reply_size(a) || !is_printable_text(a->text, sizeof(a->text)) ||
        (a->n_serials > 0 && a->kind != HELPER_SERIALS) ||
        (*a->text && a->result == 0 && a->kind != HELPER_HOLDERS) || !are_serials(q, a))
        return -EBADMSG;
    return 0;
}
