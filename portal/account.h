/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account: a person's entry in the directory, as the page sees it.
 */
#ifndef APW_ACCOUNT_H
#define APW_ACCOUNT_H

#include "method.h"
#include "portal.h"
#include "verify.h"

/* The entry as it is now. Secret: apw_account_free(). */
struct apw_account {
    struct apw_user *user;
    bool has_mfa;      /* the administrator has turned MFA on */
    bool is_announced; /* but it is enforced only from enforce_from on */
    bool has_method;   /* a second factor is enrolled */
    struct apw_method method;
    const char *method_value; /* as stored; part of `user` */
};

enum apw_account_lookup {
    APW_ACCOUNT_UNAVAILABLE = 0, /* no answer from the directory, or one that makes no sense */
    APW_ACCOUNT_SEALED,          /* our key does not open the second factor */
    APW_ACCOUNT_THERE,
    APW_ACCOUNT_GONE, /* deleted, disabled, or no longer found by the login */
};

/* Reads the entry of `dn`, if `login` still finds it. SEALED if the second factor cannot be
 * opened. */
enum apw_account_lookup apw_account_read(const struct apw_portal *portal, const char *dn,
                                         const char *login, struct apw_account *account_r,
                                         struct apw_error *error);

/* As above, by login alone. */
enum apw_account_lookup apw_account_find(const struct apw_portal *portal, const char *login,
                                         struct apw_account *account_r, struct apw_error *error);
void apw_account_free(struct apw_account *account);

/* The sign-in form as it was sent. */
struct apw_account_form {
    const char *login;
    const char *password;
    const char *client;
    const char *browser; /* the browser's mark, or "" */
};

/* Checks login and account password, and logs the result. If ACCEPTED, login_r is the canonical
 * login and *dn_r the entry's DN; free it. The caller delays the answer to a
 * refusal by refusal_delay. */
enum apw_verdict apw_account_sign_in(const struct apw_portal *portal,
                                     const struct apw_account_form *form,
                                     char login_r[APW_LOGIN_SIZE], char **dn_r);

/* A person who signs in, and their browser. */
struct apw_account_person {
    const char *login;
    const char *dn; /* NULL until the account password was right */
    const char *client;
    const char *browser;
};

/* After the second step: earlier sign-ins from this browser or network no longer count. */
void apw_account_forget_sign_ins(const struct apw_portal *portal,
                                 const struct apw_account_person *person);

/* Stores a verified second factor and removes the old one. CONFLICT if another request was
 * faster. */
enum apw_manage_result apw_account_enrol(const struct apw_portal *portal,
                                         const struct apw_account *account,
                                         const struct apw_method *method, struct apw_error *error);

/* Stores the counter of an authenticator app's code as used. CONFLICT if another request was
 * faster; the code then counts as used already. */
enum apw_manage_result apw_account_use_counter(const struct apw_portal *portal,
                                               const struct apw_account *account, uint64_t counter,
                                               struct apw_error *error);

/* Whether `typed` is a valid enrollment code of the account; *value_r is then its stored value;
 * free it. REFUSED if it is wrong or too old. */
enum apw_verdict apw_account_check_code(const struct apw_portal *portal,
                                        const struct apw_account *account, const char *typed,
                                        char **value_r, struct apw_error *error);

/* One log line. */
struct apw_account_event {
    enum apw_verdict verdict;
    enum apw_reason reason;
    const char *login;
    const char *client;
    const char *action; /* NULL for signing in */
    const char *id;     /* NULL for none */
    const struct apw_error *error;
};
void apw_account_log(const struct apw_portal *portal, const struct apw_account_event *event);

#endif
