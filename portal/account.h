/*
 * account: the person's entry in the directory, as far as the portal is concerned.
 */
#ifndef APW_ACCOUNT_H
#define APW_ACCOUNT_H

#include "method.h"
#include "portal.h"
#include "verify.h"

/* An entry as it is now. Secret: apw_account_free(). */
struct apw_account {
    struct apw_user *user;
    bool has_mfa;      /* the administrator has turned MFA on */
    bool is_announced; /* but mail programs feel it from enforce_from on only */
    bool has_method;   /* a second factor is enrolled */
    struct apw_method method;
    const char *method_value; /* as stored; part of `user` */
};

enum apw_account_state {
    APW_ACCOUNT_UNAVAILABLE = 0, /* the directory gives no answer, or one that makes no sense */
    APW_ACCOUNT_THERE,
    APW_ACCOUNT_GONE, /* no such entry any more, no longer found by the login, or disabled */
};

/* Reads the entry of `dn`, as long as it is the one that `login` finds. A second factor that cannot
 * be opened is UNAVAILABLE, not none. */
enum apw_account_state apw_account_read(const struct apw_portal *portal, const char *dn,
                                        const char *login, struct apw_account *account_r,
                                        struct apw_error *error);

/* The same by login, for whom the site's single sign-on vouches. */
enum apw_account_state apw_account_find(const struct apw_portal *portal, const char *login,
                                        struct apw_account *account_r, struct apw_error *error);
void apw_account_free(struct apw_account *account);

/* Checks login and account password, as typed. `browser` is the mark of the browser, or "". Of
 * APW_ACCEPTED, login_r is the canonical login and *dn_r the entry, which the caller frees. A
 * refusal takes refusal_delay. Leaves its line in the log. */
enum apw_verdict apw_account_sign_in(const struct apw_portal *portal, const char *login,
                                     const char *password, const char *client, const char *browser,
                                     char login_r[APW_LOGIN_SIZE], char **dn_r);

/* Stores a second factor that was verified, in place of the one so far. CONFLICT where somebody
 * else was faster. */
enum apw_manage_result apw_account_enrol(const struct apw_portal *portal,
                                         const struct apw_account *account,
                                         const struct apw_method *method, struct apw_error *error);

/* Notes the step of a code of the authenticator app as used. CONFLICT where another one was faster,
 * so that the code counts as used already. */
enum apw_manage_result apw_account_use_counter(const struct apw_portal *portal,
                                               const struct apw_account *account, uint64_t counter,
                                               struct apw_error *error);

/* Whether `typed` is an enrolment code of the account; *value_r (owned by the caller) is then its
 * value. REFUSED: no, or too old. */
enum apw_verdict apw_account_check_code(const struct apw_account *account, const char *typed,
                                        char **value_r, struct apw_error *error);

/* One line in the log, about a person who has signed in, or tries to. `action` is NULL for the
 * signing in itself, `id` may be NULL. */
void apw_account_log(const struct apw_portal *portal, const char *login, const char *client,
                     enum apw_verdict verdict, enum apw_reason reason, const char *action,
                     const char *id, const struct apw_error *error);

/* What wrong tries of a client count against: its address, or its /64 (IPv6). */
void apw_client_network(const char *client, char network_r[APW_ADDRESS_TEXT_SIZE + 4]);

#endif
