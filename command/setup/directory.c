/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/directory.h"
#include "setup/rights.h"
#include "setup/shipped.h"
#include "setup/slapdconf.h"
#include "setup/text.h"
#include <stdio.h>

static char *make_identities(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("ldap-schema/identities.ldif", answers, error);
    char page[APW_SETUP_ANSWER_SIZE + 64];

    if (apw_setup_answers_is(answers, APW_SETUP_PAGE, "yes"))
        return text;
    snprintf(page, sizeof page, "dn: cn=portal,ou=services,%s", answers->value[APW_SETUP_SUFFIX]);
    return apw_setup_text_drop_paragraph(text, page);
}

static int write_identities(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error)
{
    return apw_setup_folder_write(folder, "directory/identities.ldif",
                                  make_identities(answers, error), error);
}

static int write_cnconfig(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                          struct apw_error *error)
{
    if (apw_setup_folder_write(
            folder, "directory/app-password.ldif",
            apw_setup_shipped_adapt("ldap-schema/app-password.ldif", answers, error), error) != 0 ||
        apw_setup_folder_write(folder, "directory/rights.ldif",
                               apw_setup_rights_make(answers, error), error) != 0)
        return -1;
    return apw_setup_folder_write(
        folder, "directory/index.ldif",
        apw_setup_shipped_adapt("ldap-schema/index-cnconfig.ldif", answers, error), error);
}

static int write_389(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                     struct apw_error *error)
{
    if (apw_setup_folder_write(folder, "directory/rights.ldif",
                               apw_setup_rights_make(answers, error), error) != 0)
        return -1;
    return apw_setup_folder_write(
        folder, "directory/app-password-389ds.ldif",
        apw_setup_shipped_adapt("ldap-schema/app-password-389ds.ldif", answers, error), error);
}

int apw_setup_directory_write(struct apw_setup_folder *folder,
                              const struct apw_setup_answers *answers, struct apw_error *error)
{
    if (write_identities(folder, answers, error) != 0)
        return -1;
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config"))
        return write_cnconfig(folder, answers, error);
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "389"))
        return write_389(folder, answers, error);
    return apw_setup_slapdconf_write(folder, answers, error);
}
