/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail_settings.h"
#include "network.h"
#include "secret.h"
#include "settings.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int apw_mail_settings_check(const struct apw_mail_settings *mail, const char *path,
                            struct apw_error *error)
{
    bool has_relay = mail->host != NULL || mail->tls != APW_MAIL_TLS_DEFAULT ||
                     mail->cacert != NULL || mail->user != NULL || mail->password != NULL;

    if (mail->program != NULL && has_relay)
        return apw_error_set(error, "%s: sendmail excludes mail_relay", path);
    if ((mail->user == NULL) != (mail->password == NULL))
        return apw_error_set(
            error, "%s: mail_relay_user and mail_relay_password_file need each other", path);
    if (mail->user != NULL && mail->tls == APW_MAIL_TLS_NO && mail->host != NULL &&
        !apw_network_is_loopback(mail->host))
        return apw_error_set(error,
                             "%s: mail_relay_tls no would send the password of mail_relay_user in "
                             "the clear; use starttls or smtps",
                             path);
    return 0;
}

int apw_mail_settings_complete(struct apw_mail_settings *mail, const char *site,
                               struct apw_error *error)
{
    if (mail->host == NULL) {
        strcpy(mail->port, "25");
        if (apw_settings_copy("127.0.0.1", &mail->host, error) != 0)
            return -1;
    }
    if (mail->tls == APW_MAIL_TLS_DEFAULT)
        mail->tls = apw_network_is_loopback(mail->host) ? APW_MAIL_TLS_NO : APW_MAIL_TLS_STARTTLS;
    if (mail->from == NULL && asprintf(&mail->from, "app-passwords@%s", site) < 0)
        return apw_error_set(error, "out of memory");
    return 0;
}

void apw_mail_settings_free(struct apw_mail_settings *mail)
{
    free(mail->program);
    free(mail->host);
    free(mail->cacert);
    free(mail->user);
    free(mail->from);
    apw_secret_free(&mail->password);
}
