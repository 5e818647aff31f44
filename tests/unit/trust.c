/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose files are to be trusted, and what the others are told. */
#include "unit.h"

#include "base/trust.h"

START_TEST(judgements)
{
    static const struct stat slash = {.st_mode = S_IFDIR | 0755};
    static const struct stat users = {.st_mode = S_IFDIR | 0775, .st_uid = 1000, .st_gid = 1000};
    static const struct {
        const struct stat *root;
        uid_t uid;
        gid_t gid;
        mode_t mode;
        const char *why; /* NULL: trusted */
    } cases[] = {
        {&slash, 0, 0, 0644, NULL},
        {&slash, 0, 0, 0600, NULL},
        {&slash, 0, 50, 0640, NULL},
        {&slash, 1000, 0, 0644, "belongs to user 1000, not to root: run \"chown root:root /p\""},
        {&slash, 1000, 0, 0666,
         "belongs to user 1000, not to root: run \"chown root:root /p && chmod go-w /p\""},
        {&slash, 0, 0, 0646, "can be written by everybody: run \"chmod o-w /p\""},
        {&slash, 0, 0, 0666, "can be written by everybody: run \"chmod go-w /p\""},
        {&slash, 0, 50, 0664, "can be written by a group: run \"chmod g-w /p\""},
        {&slash, 0, 0, 0664, "can be written by a group: run \"chmod g-w /p\""},
        {&slash, 0, 0, 01777, "can be written by everybody: run \"chmod go-w /p\""},
        /* below --root, in a folder of somebody's own */
        {&users, 0, 0, 0644, NULL},
        {&users, 1000, 1000, 0664, NULL},
        {&users, 1000, 50, 0664, "can be written by a group: run \"chmod g-w /p\""},
        {&users, 1000, 1000, 0666, "can be written by everybody: run \"chmod o-w /p\""},
        {&users, 1001, 1000, 0644, "belongs to user 1001, not to root: run \"chown root:root /p\""},
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const struct stat file = {
            .st_mode = S_IFREG | cases[i].mode, .st_uid = cases[i].uid, .st_gid = cases[i].gid};
        char why[TRUST_TEXT_MAX] = "";
        bool trusted = trust_judge(&file, cases[i].root, "/p", why);
        ck_assert_msg(trusted == !cases[i].why && streq(why, cases[i].why ? cases[i].why : ""),
                      "%zu: %s", i, why);
    }
}
END_TEST

UNIT_MAIN("trust", judgements)
