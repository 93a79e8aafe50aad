/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile: the microseconds of a login, by span.
 *
 *     profile CONFIG FIRST COUNT USER    reads the password from standard input
 *
 * A '#' in USER is replaced by the user's number. The first two logins warm up.
 */
#include "operation.h"
#include "spans.h"
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char password[128], *word[] = {NULL, NULL, password, (char[]){"app-password"}};
    unsigned first, count;
    void *state;

    if (argc != 5 || sodium_init() < 0 || fgets(password, sizeof password, stdin) == NULL)
        fail("usage: profile CONFIG FIRST COUNT USER <PASSWORD");
    password[strcspn(password, "\n")] = '\0';
    first = (unsigned)strtoul(argv[2], NULL, 10);
    count = (unsigned)strtoul(argv[3], NULL, 10);
    word[0] = argv[1];
    word[1] = argv[4];
    state = login_kind.open(word);
    for (unsigned number = 0; number < count + 2; number++) {
        if (number == 2)
            spans_reset();
        if (!login_kind.run(state, first + number))
            fail("user %u: not accepted", first + number);
    }
    spans_print(count);
    return 0;
}
