/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/answers.h"
#include <string.h>

bool apw_setup_answers_is(const struct apw_setup_answers *answers, enum apw_setup_key key,
                          const char *word)
{
    return strcmp(answers->value[key], word) == 0;
}

bool apw_setup_answers_has_ad(const struct apw_setup_answers *answers)
{
    return apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "active-directory");
}

const char *apw_setup_answers_cacert(const struct apw_setup_answers *answers)
{
    const char *file = answers->value[APW_SETUP_TLS_CACERT];

    return *file == '/' ? file : APW_CA_BUNDLE;
}
