/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/shipped.h"
#include "setup/text.h"
#include <limits.h>
#include <stdio.h>

char *apw_setup_shipped_read(const char *name, struct apw_error *error)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", APW_DATADIR, name);
    return apw_setup_text_read(path, error);
}

char *apw_setup_shipped_adapt(const char *name, const struct apw_setup_answers *answers,
                              struct apw_error *error)
{
    char *text = apw_setup_text_replace(apw_setup_shipped_read(name, error), "dc=example,dc=org",
                                        answers->value[APW_SETUP_SUFFIX]);

    if (*answers->value[APW_SETUP_DATABASE] == '\0')
        return text;
    return apw_setup_text_replace(text, "olcDatabase={1}mdb,cn=config",
                                  answers->value[APW_SETUP_DATABASE]);
}
