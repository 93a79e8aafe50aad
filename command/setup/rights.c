/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/rights.h"
#include "setup/text.h"
#include <stdio.h>
#include <string.h>

/* The rules that ldap-schema marks with USER MANAGERS. */
static const char *const managed[] = {"to attrs=objectClass val=appPasswordAccount\n",
                                      "to attrs=objectClass,uid,mail\n",
                                      "to attrs=pwdAccountLockedTime,pwdStartTime,pwdEndTime\n"};

static char *let_manager_write(char *text, const char *manager)
{
    for (size_t i = 0; i < sizeof managed / sizeof *managed; i++) {
        char rule[APW_SETUP_ANSWER_SIZE + 128];

        snprintf(rule, sizeof rule, "%s  by dn.exact=\"%s\" write\n", managed[i], manager);
        text = apw_setup_text_replace(text, managed[i], rule);
    }
    return text;
}

char *apw_setup_rights_name_replicator(char *text, const struct apw_setup_answers *answers)
{
    char example[APW_SETUP_ANSWER_SIZE + 64];

    snprintf(example, sizeof example, "cn=replicator,ou=services,%s",
             answers->value[APW_SETUP_SUFFIX]);
    if (apw_setup_answers_is(answers, APW_SETUP_REPLICATOR, "none"))
        return apw_setup_text_drop_lines(text, example);
    return apw_setup_text_replace(text, example, answers->value[APW_SETUP_REPLICATOR]);
}

char *apw_setup_rights_fill_in(char *text, const struct apw_setup_answers *answers)
{
    text = apw_setup_rights_name_replicator(text, answers);
    if (apw_setup_answers_is(answers, APW_SETUP_USER_MANAGER, "none"))
        return text;
    return let_manager_write(text, answers->value[APW_SETUP_USER_MANAGER]);
}
