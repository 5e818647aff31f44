/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test needs: check, and a main() that runs one suite. */
#pragma once

#include <check.h>

#include "base/util.h"

#define UNIT_MAIN(name, ...)                                                  \
    int main(void)                                                            \
    {                                                                         \
        const TTest *const tests[] = {__VA_ARGS__};                           \
        Suite *suite = suite_create(name);                                    \
        TCase *tcase = tcase_create(name);                                    \
        tcase_set_timeout(tcase, 60); /* shared machines are slow at times */ \
        for (size_t i = 0; i < ELEMENTS(tests); i++)                          \
            tcase_add_test(tcase, tests[i]);                                  \
        suite_add_tcase(suite, tcase);                                        \
        SRunner *runner = srunner_create(suite);                              \
        srunner_run_all(runner, CK_NORMAL);                                   \
        int failed = srunner_ntests_failed(runner);                           \
        srunner_free(runner);                                                 \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                          \
    }
