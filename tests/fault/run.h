/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run: a host is made, the daemon started, the script played with a fault in it, the fault
 * taken away, and everything looked at. */
#pragma once

#include "host.h"

#define LINE_SIZE 512
#define PROBLEM_SIZE 4096

/* How things are, a line for each device: what the kernel has and what the daemon shows. */
struct picture {
    char lines[CARDS_MAX][LINE_SIZE];
    char pasts[CARDS_MAX][LINE_SIZE]; /* who had it before */
};

/* How a run without a fault comes out; others must come out the same. */
struct reference {
    size_t n_calls, n_updates;
    struct picture played;    /* at the end of the script */
    struct picture rescanned; /* the fault is gone, and a rescan was asked for */
    struct picture reloaded;  /* and then a reload */
};

struct outcome {
    bool fired;       /* the fault has happened */
    bool false_alarm; /* the machine was too slow for the run to tell anything */
    char problem[PROBLEM_SIZE];
};

/* A run without a fault, which makes the reference. */
void run_reference(const struct script *s, struct reference *ret, struct outcome *outcome);

void run_fault(const struct script *s, const struct fault *f, const struct reference *reference,
               struct outcome *outcome);
