/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/configuration.h"
#include "setup/credential.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <string.h>

/* Active Directory answers as if a hidden attribute was absent, so off must be shown. */
static char *name_ad(char *text)
{
    text = apw_setup_text_insert(text, "base ", "directory active-directory\n");
    return apw_setup_text_append(text, "\n# A user who matches neither this nor "
                                       "(appPasswordMfaEnabled=TRUE) is \"temporarily "
                                       "unavailable\".\n"
                                       "mfa_off_filter (appPasswordMfaEnabled=FALSE)\n");
}

static char *make_conf(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("examples/app-password.conf", answers, error);

    text = apw_setup_text_set(text, "uri", answers->value[APW_SETUP_URI]);
    text = apw_setup_text_set(text, "base", answers->value[APW_SETUP_BASE]);
    text = apw_setup_text_set(text, "login_attribute", answers->value[APW_SETUP_LOGIN_ATTRIBUTE]);
    if (*answers->value[APW_SETUP_TLS_CACERT] == '/')
        text = apw_setup_text_set(text, "tls_cacert", answers->value[APW_SETUP_TLS_CACERT]);
    return apw_setup_answers_has_ad(answers) ? name_ad(text) : text;
}

static char *make_admin_conf(const struct apw_setup_answers *answers)
{
    return apw_setup_text_replace(strdup("binddn      cn=administrator,ou=services,SUFFIX\n"
                                         "bindpw_file /etc/app-password/admin.secret\n"),
                                  "SUFFIX", answers->value[APW_SETUP_SUFFIX]);
}

int apw_setup_configuration_write(struct apw_setup_folder *folder,
                                  const struct apw_setup_answers *answers, struct apw_error *error)
{
    static const struct apw_setup_file conf = {"configuration", "0644", "root:root",
                                               "/etc/app-password/app-password.conf"},
                                       secret = {"configuration", "0600", "root:root",
                                                 "/etc/app-password/mail-server.secret"},
                                       admin_conf = {"configuration", "0600", "root:root",
                                                     "/etc/app-password/admin.conf"},
                                       admin_secret = {"configuration", "0600", "root:root",
                                                       "/etc/app-password/admin.secret"};

    if (apw_setup_folder_install(folder, &conf, make_conf(answers, error), error) != 0 ||
        apw_setup_credential_write(folder, &secret, error) != 0 ||
        apw_setup_folder_install(folder, &admin_conf, make_admin_conf(answers), error) != 0)
        return -1;
    return apw_setup_credential_write(folder, &admin_secret, error);
}
