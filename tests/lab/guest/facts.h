/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the collector share. Nothing is freed: it ends within a second or two. */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PCI_DEVICES "/sys/bus/pci/devices"

/* An object, one a line: begin, its fields, end. A text that is NULL is written as null. */
void begin(const char *type);
void end(void);
void put_text(const char *key, const char *text);
void put_number(const char *key, long long number);
void put_bool(const char *key, bool value);
void put_raw(const char *key, const char *json);
void put_texts(const char *key, char **texts, size_t count);

/* Paths are written like printf's texts. NULL: it cannot be read. */
#define PATH __attribute__((format(printf, 1, 2)))
char *format(const char *how, ...) PATH;
char *content_of(const char *how, ...) PATH; /* whole */
char *line_of(const char *how, ...) PATH;    /* without the end of the line */
char *target_of(const char *how, ...) PATH;  /* the last part of what a link points to */
char *real_path(const char *how, ...) PATH;
bool exists(const char *how, ...) PATH;

/* A number from a file's line; `otherwise` if there is none. */
long long number_of(const char *line, long long otherwise);

/* The next line of a text, which is changed; NULL at its end. */
char *next_line(char **text);

/* The names in a folder, sorted as numbers and text. */
size_t names_in(char ***names, const char *path);

struct texts {
    char **at;
    size_t count;
};

void add_text(struct texts *texts, char *text);
void sort_texts(struct texts *texts); /* and drops repetitions */

bool is_address(const char *text, size_t length);

/* The PCI function nearest to a device, from its path in /sys/devices; NULL if there is none. */
char *nearest_function(const char *path);

/* Work whose system calls may hang in the kernel, for ever: a child does it, and what it writes to
 * its standard output is the answer. */
struct child {
    void (*work)(void *data);
    void *data;
    char *answer; /* complete lines only */
    bool late;    /* it was given up */
    int fd;
    pid_t pid;
    size_t size;
};

/* Runs them at once, and gives up when for so many seconds none of them said anything. */
void ask(struct child *children, size_t count, int seconds);

/* The sections. */
void print_devices(void *unused);
void print_groups(void *unused);
void print_vfio(void *unused);
void print_cdevs(void *unused);
void print_mounts(void *unused);
void print_swaps(void *unused);
void print_blocks(void *unused);
void print_network(void *unused);
void print_screens(void *unused);
void print_trace(void *unused);
void print_drivers(void *unused);
void print_run(void *unused);
void print_kernel_log(void *unused);
void print_daemons(void *unused);
void print_uptime(void *unused);

#endif
