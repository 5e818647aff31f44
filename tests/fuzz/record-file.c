/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime state (/run/vfio-bindd/state): any bytes are read without harm, and what was read is
 * written and read again without a loss. */
#include "fuzz.h"

#include "record-file.h"

static char *write_again(const struct records *records, const struct recorded_workers *workers)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    REQUIRE(f, "out of memory");
    record_file_write(f, records, workers);
    fclose(f);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(records_done) struct records records = {0}, again = {0};
    CLEANUP(recorded_workers_done) struct recorded_workers workers = {0}, alive = {0};
    CLEANUP_FREE char *text = strndup((const char *)data, size), *first = NULL, *copy = NULL,
                      *second = NULL;

    REQUIRE(record_file_read(text, &records, &workers) == 0, "out of memory");
    for (size_t i = 1; i < records.n; i++)
        REQUIRE(pci_addr_cmp(records.v[i - 1].addr, records.v[i].addr) < 0, "records in order");
    for (size_t i = 0; i < workers.n; i++)
        REQUIRE(workers.v[i].pid > 1, "PID %d", (int)workers.v[i].pid);

    first = write_again(&records, &workers);
    copy = strdup(first);
    REQUIRE(record_file_read(copy, &again, &alive) == 0, "out of memory");
    second = write_again(&again, &alive);
    /* A worker may end between the two, so only devices are compared. */
    const char *a = strstr(first, "device "), *b = strstr(second, "device ");
    REQUIRE(streq(a ? a : "", b ? b : ""), "\n%s\nbecame\n%s", first, second);
    return 0;
}
