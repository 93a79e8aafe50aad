/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account: a person's entry in the directory, as the page sees it.
 */
#ifndef APW_ACCOUNT_H
#define APW_ACCOUNT_H

#include "factors.h"
#include "portal.h"
#include "verify.h"

/* The entry as it is now. Secret: apw_account_free(). */
struct apw_account {
    struct apw_user *user;
    bool is_ended;     /* only after apw_account_find_any() */
    bool has_mfa;      /* the administrator has turned MFA on */
    bool is_announced; /* but it is enforced only from enforce_from on */
    struct apw_factors factors;
};

enum apw_account_lookup {
    APW_ACCOUNT_UNAVAILABLE = 0, /* no answer from the directory, or one that makes no sense */
    APW_ACCOUNT_SEALED,          /* our key does not open a second factor */
    APW_ACCOUNT_THERE,
    APW_ACCOUNT_GONE, /* deleted, disabled, or no longer found by the login */
};

/* Reads the entry of `dn`, if `login` still finds it. SEALED if a second factor cannot be
 * opened. */
enum apw_account_lookup apw_account_read(const struct apw_portal *portal, const char *dn,
                                         const char *login, struct apw_account *account_r,
                                         struct apw_error *error);

/* As above, by login alone. */
enum apw_account_lookup apw_account_find(const struct apw_portal *portal, const char *login,
                                         struct apw_account *account_r, struct apw_error *error);

/* As above, but also THERE if the account has ended. */
enum apw_account_lookup apw_account_find_any(const struct apw_portal *portal, const char *login,
                                             struct apw_account *account_r,
                                             struct apw_error *error);

void apw_account_free(struct apw_account *account);

/* The sign-in form as it was sent. */
struct apw_account_form {
    const char *login;
    const char *password;
    const char *client;
    const char *browser; /* the browser's mark, or "" */
};

/* The result of the sign-in form. */
struct apw_account_sign_in {
    char login[APW_LOGIN_SIZE]; /* canonical, if ACCEPTED */
    char *dn;                   /* of the entry, if ACCEPTED; free it */
    /* If REFUSED: 0, or how long to wait after wrong passwords. After right ones, too, people must
     * wait without being told: a wait of their own would tell that the password is right. */
    int64_t wait_ms;
};

/* Checks login and account password, and logs the result. The caller delays the answer to a
 * refusal by refusal_delay. */
enum apw_verdict apw_account_sign_in(const struct apw_portal *portal,
                                     const struct apw_account_form *form,
                                     struct apw_account_sign_in *sign_in_r);

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
    const char *actor;  /* of the help desk, who acts for this login; NULL: the person */
    const struct apw_error *error;
    const char *invitation; /* the id of one that was used, or NULL */
};
void apw_account_log(const struct apw_portal *portal, const struct apw_account_event *event);

#endif
