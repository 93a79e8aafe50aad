/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/answers.h"
#include <string.h>

bool apw_setup_answers_is(const struct apw_setup_answers *answers, enum apw_setup_key key,
                          const char *word)
{
    return strcmp(answers->value[key], word) == 0;
}
