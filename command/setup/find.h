/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find: answers that can be found on this host, from those before them. Each leaves "" if it finds
 * nothing. value_r has APW_SETUP_ANSWER_SIZE bytes.
 */
#ifndef APW_SETUP_FIND_H
#define APW_SETUP_FIND_H

#include "setup/answers.h"

typedef void (*apw_setup_finder)(const struct apw_setup_answers *answers, char *value_r);

void apw_setup_find_socket(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_directory(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_suffix(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_forest(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_database(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_admin(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_ppolicy(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_uri(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_base(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_login_attribute(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_dovecot(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_userdb(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_postfix(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_fail2ban(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_page(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_nginx(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_public_url(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_domains(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_imap_server(const struct apw_setup_answers *answers, char *value_r);
void apw_setup_find_smtp_server(const struct apw_setup_answers *answers, char *value_r);

#endif
