/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/fail2ban.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <stdio.h>

/* fail2ban's own jails stay for servers that do not ask us. Without syslog's file, fail2ban reads
 * the journal. */
static char *make_jails(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text =
        apw_setup_shipped_adapt("examples/fail2ban/jail.d/app-password.local", answers, error);
    FILE *log = fopen("/var/log/mail.log", "re");

    if (apw_setup_answers_is(answers, APW_SETUP_POSTFIX, "no"))
        text = apw_setup_text_drop_paragraph(text, "[postfix-sasl]");
    if (apw_setup_answers_is(answers, APW_SETUP_DOVECOT, "no"))
        text = apw_setup_text_drop_paragraph(text, "[dovecot]");

    if (log == NULL)
        return apw_setup_text_replace(text, "\nlogpath = /var/log/mail.log\n",
                                      "\nbackend = systemd\n");
    fclose(log);
    return text;
}

int apw_setup_fail2ban_write(struct apw_setup_folder *folder,
                             const struct apw_setup_answers *answers, struct apw_error *error)
{
    static const struct apw_setup_file filter = {"fail2ban", "0644", "root:root",
                                                 "/etc/fail2ban/filter.d/app-password.conf"},
                                       jails = {"fail2ban", "0644", "root:root",
                                                "/etc/fail2ban/jail.d/app-password.local"};

    if (apw_setup_folder_install(
            folder, &filter,
            apw_setup_shipped_adapt("examples/fail2ban/filter.d/app-password.conf", answers, error),
            error) != 0)
        return -1;
    return apw_setup_folder_install(folder, &jails, make_jails(answers, error), error);
}
