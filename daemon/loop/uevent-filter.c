/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/uevent-filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/util.h"

/* Four bytes of text, as the filter loads them. */
#define WORD(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

#define BYTE_AT(n) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, n)
#define WORD_OF_PATH(n) BPF_STMT(BPF_LD | BPF_W | BPF_IND, n)
#define PATH_BEGINS_AT(n) BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, n)
#define IF(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define GO(n) BPF_STMT(BPF_JMP | BPF_JA, n)
#define PASS BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define DROP BPF_STMT(BPF_RET | BPF_K, 0)

/* An event begins with "ACTION@PATH". The paths /devices/virtual, /kernel and /module are dropped,
 * since they contain no PCI device or driver. Everything else passes, even if it is not understood.
 * Jumps are relative to the next instruction. */
int uevent_filter(int fd)
{
    struct sock_filter code[] = {
        BYTE_AT(3), /* add */
        IF('@', 0, 2),
        PATH_BEGINS_AT(4),
        GO(11),
        BYTE_AT(4), /* bind, move */
        IF('@', 0, 2),
        PATH_BEGINS_AT(5),
        GO(7),
        BYTE_AT(6), /* remove, change, unbind, online */
        IF('@', 0, 2),
        PATH_BEGINS_AT(7),
        GO(3),
        BYTE_AT(7), /* offline */
        IF('@', 0, 11),
        PATH_BEGINS_AT(8),
        WORD_OF_PATH(0),
        IF(WORD('/', 'k', 'e', 'r'), 9, 0),
        IF(WORD('/', 'm', 'o', 'd'), 8, 0),
        IF(WORD('/', 'd', 'e', 'v'), 0, 6),
        WORD_OF_PATH(4),
        IF(WORD('i', 'c', 'e', 's'), 0, 4),
        WORD_OF_PATH(8),
        IF(WORD('/', 'v', 'i', 'r'), 0, 2),
        WORD_OF_PATH(12),
        IF(WORD('t', 'u', 'a', 'l'), 1, 0),
        PASS,
        DROP,
    };
    const struct sock_fprog program = {.len = ELEMENTS(code), .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}
