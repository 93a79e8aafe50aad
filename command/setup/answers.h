/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answers: what setup needs to know of a site; app-password(1) lists the keys.
 */
#ifndef APW_SETUP_ANSWERS_H
#define APW_SETUP_ANSWERS_H

#include <stdbool.h>

#define APW_SETUP_ANSWER_SIZE 512

enum apw_setup_key {
    APW_SETUP_DIRECTORY_URI,
    APW_SETUP_TLS_CACERT,
    APW_SETUP_DIRECTORY,
    APW_SETUP_SUFFIX,
    APW_SETUP_FOREST,
    APW_SETUP_DATABASE,
    APW_SETUP_DIRECTORY_ADMIN,
    APW_SETUP_PPOLICY,
    APW_SETUP_USER_MANAGER,
    APW_SETUP_REPLICATOR,
    APW_SETUP_URI,
    APW_SETUP_BASE,
    APW_SETUP_LOGIN_ATTRIBUTE,
    APW_SETUP_DOVECOT,
    APW_SETUP_USERDB,
    APW_SETUP_POSTFIX,
    APW_SETUP_FAIL2BAN,
    APW_SETUP_PAGE,
    APW_SETUP_NGINX,
    APW_SETUP_PUBLIC_URL,
    APW_SETUP_SUPPORT,
    APW_SETUP_OWN_DOMAINS,
    APW_SETUP_IMAP_SERVER,
    APW_SETUP_SMTP_SERVER,
    APW_SETUP_KEYS
};

struct apw_setup_answers {
    char value[APW_SETUP_KEYS][APW_SETUP_ANSWER_SIZE]; /* "": no answer yet */
};

/* Whether the answer is this word. */
bool apw_setup_answers_is(const struct apw_setup_answers *answers, enum apw_setup_key key,
                          const char *word);

/* Whether the directory is Active Directory. */
bool apw_setup_answers_has_ad(const struct apw_setup_answers *answers);

/* The file with the CA of the directory's certificate. */
const char *apw_setup_answers_cacert(const struct apw_setup_answers *answers);

#endif
