/* SPDX-License-Identifier: BSD-2-Clause */
#include "account.h"
#include "clock.h"
#include "hash.h"
#include "manage.h"
#include "web/browser.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PASSWORD_TRIES "password"
#define SIGN_INS       "right password"
#define PAYER_SIZE     (APW_THROTTLE_NETWORK_SIZE + 512)

/* Ten tries from one address are free; then the wait grows from 2 seconds to a minute. It stays
 * short because people who share an address share it. */
static const struct apw_patience password_patience = {.free = 10, .base_s = 2, .most_s = 60};

/* A person signs in a few times an hour; an attacker signs in more often. */
static const struct apw_patience sign_in_patience = {.free = 10, .base_s = 30, .most_s = 300};

void apw_account_log(const struct apw_portal *portal, const struct apw_account_event *event)
{
    struct apw_event line = {.verdict = event->verdict,
                             .reason = event->reason,
                             .action = event->action,
                             .actor = event->actor};

    line.user_length = strnlen(event->login, APW_LOGIN_BYTES_MAX);
    memcpy(line.user, event->login, line.user_length);
    strcpy(line.service, "portal");
    snprintf(line.client, sizeof line.client, "%s", event->client);
    if (event->id != NULL)
        snprintf(line.id, sizeof line.id, "%s", event->id);
    if (event->invitation != NULL)
        snprintf(line.invitation, sizeof line.invitation, "%s", event->invitation);
    if (event->error != NULL)
        line.detail = *event->error;
    apw_log_event(portal->log, &line);
}

/* ---- reading ---- */

static enum apw_account_lookup read_state(const struct apw_portal *portal,
                                          struct apw_account *account, struct apw_error *error)
{
    const struct apw_user *user = account->user;
    enum apw_mfa mfa;

    switch (apw_manage_account_state(&portal->manager, user, error)) {
    case APW_ACCOUNT_STATE_ACTIVE:
        break;
    case APW_ACCOUNT_STATE_ENDED:
        account->is_ended = true;
        break;
    case APW_ACCOUNT_STATE_UNREADABLE:
        return APW_ACCOUNT_UNAVAILABLE;
    }
    if (user->unique_id == NULL) {
        apw_error_set(error,
                      "%s: no immutable id can be read (nsUniqueId, entryUUID or, from Active "
                      "Directory, objectGUID); allow it in the access rules for the portal",
                      user->dn);
        return APW_ACCOUNT_UNAVAILABLE;
    }
    if (apw_user_mfa(&portal->manager, user, &mfa, error) != APW_MANAGE_DONE)
        return APW_ACCOUNT_UNAVAILABLE;
    if (apw_factors_read(portal, user, &account->factors, error) != 0)
        return APW_ACCOUNT_SEALED;
    if (user->has_enforce_from && !user->is_enforce_from_readable) {
        apw_error_set(error, "%s: appPasswordMfaEnforceFrom is not a time", user->dn);
        return APW_ACCOUNT_UNAVAILABLE;
    }
    account->has_mfa = mfa == APW_MFA_ON;
    account->is_announced = user->has_enforce_from && user->enforce_from > (int64_t)time(NULL);
    return APW_ACCOUNT_THERE;
}

static enum apw_account_lookup find_any(const struct apw_portal *portal,
                                        const struct apw_target *target,
                                        struct apw_account *account_r, struct apw_error *error)
{
    enum apw_account_lookup lookup = APW_ACCOUNT_UNAVAILABLE;
    enum apw_manage_result result;

    memset(account_r, 0, sizeof *account_r);
    result = apw_user_find(&portal->manager, target, &account_r->user, error);
    if (result == APW_MANAGE_NOT_FOUND)
        return APW_ACCOUNT_GONE;
    if (result == APW_MANAGE_DONE)
        lookup = read_state(portal, account_r, error);
    if (lookup != APW_ACCOUNT_THERE)
        apw_account_free(account_r);
    return lookup;
}

static enum apw_account_lookup find(const struct apw_portal *portal,
                                    const struct apw_target *target, struct apw_account *account_r,
                                    struct apw_error *error)
{
    enum apw_account_lookup lookup = find_any(portal, target, account_r, error);

    if (lookup != APW_ACCOUNT_THERE || !account_r->is_ended)
        return lookup;
    apw_account_free(account_r);
    return APW_ACCOUNT_GONE;
}

enum apw_account_lookup apw_account_read(const struct apw_portal *portal, const char *dn,
                                         const char *login, struct apw_account *account_r,
                                         struct apw_error *error)
{
    return find(portal, &(struct apw_target){.dn = dn, .login = login}, account_r, error);
}

enum apw_account_lookup apw_account_find(const struct apw_portal *portal, const char *login,
                                         struct apw_account *account_r, struct apw_error *error)
{
    return find(portal, &(struct apw_target){.login = login}, account_r, error);
}

enum apw_account_lookup apw_account_find_any(const struct apw_portal *portal, const char *login,
                                             struct apw_account *account_r, struct apw_error *error)
{
    return find_any(portal, &(struct apw_target){.login = login}, account_r, error);
}

void apw_account_free(struct apw_account *account)
{
    apw_factors_free(&account->factors);
    apw_user_free(&account->user);
    sodium_memzero(account, sizeof *account);
}

/* ---- signing in ---- */

static enum apw_verdict judge_bind(enum apw_user_bind bind, enum apw_reason *reason_r)
{
    *reason_r = apw_reason_of_bind(bind);
    if (bind == APW_USER_BIND_OK)
        return APW_ACCEPTED;
    return *reason_r == APW_REASON_DIRECTORY_UNAVAILABLE ? APW_UNAVAILABLE : APW_REFUSED;
}

static enum apw_verdict judge_search(enum apw_manage_result result, enum apw_reason *reason_r)
{
    *reason_r = result == APW_MANAGE_NOT_FOUND ? APW_REASON_UNKNOWN_USER
                : result == APW_MANAGE_REFUSED ? APW_REASON_AMBIGUOUS_USER
                                               : APW_REASON_DIRECTORY_UNAVAILABLE;
    return result == APW_MANAGE_NOT_FOUND ? APW_REFUSED : APW_UNAVAILABLE;
}

/* Whether the password may be tried at all: not for an account that has ended, and not an app
 * password, which the directory would count as a wrong one. */
static bool may_try(enum apw_account_state state, const char *password, enum apw_verdict *verdict_r,
                    enum apw_reason *reason_r)
{
    switch (state) {
    case APW_ACCOUNT_STATE_ACTIVE:
        if (!apw_password_is_as_shown(password, strlen(password)))
            return true;
        *verdict_r = APW_REFUSED;
        *reason_r = APW_REASON_UNKNOWN_APP_PASSWORD;
        return false;
    case APW_ACCOUNT_STATE_ENDED:
        *verdict_r = APW_REFUSED;
        *reason_r = APW_REASON_ACCOUNT_DISABLED;
        return false;
    case APW_ACCOUNT_STATE_UNREADABLE:
        break;
    }
    *verdict_r = APW_UNAVAILABLE;
    *reason_r = APW_REASON_DIRECTORY_UNAVAILABLE;
    return false;
}

static enum apw_verdict check_password(const struct apw_portal *portal, const char *login,
                                       const char *password, char **dn_r, enum apw_reason *reason_r,
                                       struct apw_error *error)
{
    enum apw_manage_result result;
    enum apw_verdict verdict;
    struct apw_user *user;

    result = apw_user_find(&portal->manager, &(struct apw_target){.login = login}, &user, error);
    if (result != APW_MANAGE_DONE)
        return judge_search(result, reason_r);
    if (may_try(apw_manage_account_state(&portal->manager, user, error), password, &verdict,
                reason_r))
        verdict = judge_bind(apw_directory_bind_user(portal->directory, user->dn, password,
                                                     strlen(password),
                                                     apw_user_deadline(&portal->manager), error),
                             reason_r);
    if (verdict == APW_ACCEPTED) {
        *dn_r = user->dn;
        user->dn = NULL;
    }
    apw_user_free(&user);
    return verdict;
}

/* Names what is charged: a known browser, else the network, with the account once it is known
 * (person->dn). Returns the table. */
static struct apw_throttle *name_payer(const struct apw_portal *portal,
                                       const struct apw_account_person *person,
                                       char payer_r[PAYER_SIZE])
{
    char network[APW_THROTTLE_NETWORK_SIZE];

    if (apw_browser_is_known(portal->portal_config->key, person->login, person->browser)) {
        snprintf(payer_r, PAYER_SIZE, "%s", person->browser);
        return portal->browser_throttle;
    }
    apw_throttle_network(person->client, network);
    if (person->dn == NULL) {
        snprintf(payer_r, PAYER_SIZE, "%s", network);
        return portal->password_throttle;
    }
    snprintf(payer_r, PAYER_SIZE, "%s %s", network, person->dn);
    return portal->factor_throttle;
}

static bool may_sign_in(const struct apw_portal *portal, const struct apw_account_person *person)
{
    char payer[PAYER_SIZE];
    struct apw_throttle *throttle = name_payer(portal, person, payer);

    return apw_throttle_take(throttle, SIGN_INS, payer, &sign_in_patience,
                             apw_clock_monotonic_ms());
}

void apw_account_forget_sign_ins(const struct apw_portal *portal,
                                 const struct apw_account_person *person)
{
    char payer[PAYER_SIZE];
    struct apw_throttle *throttle = name_payer(portal, person, payer);

    apw_throttle_forget(throttle, SIGN_INS, payer);
}

/* What is logged. */
struct outcome {
    enum apw_reason reason;
    struct apw_error error;
};

static enum apw_verdict sign_in(const struct apw_portal *portal,
                                const struct apw_account_form *form,
                                struct apw_account_sign_in *found, struct outcome *outcome)
{
    const char *password = form->password;
    struct apw_account_person person = {
        .login = found->login, .client = form->client, .browser = form->browser};
    struct apw_throttle *throttle;
    char payer[PAYER_SIZE];
    enum apw_verdict verdict;

    if (apw_login_canonicalize(form->login, strlen(form->login), NULL, found->login) != 0 ||
        password[0] == '\0' || strlen(password) > APW_SECRET_BYTES_MAX)
        return APW_REFUSED;
    throttle = name_payer(portal, &person, payer);
    outcome->reason = APW_REASON_TOO_MANY_TRIES;
    if (!apw_throttle_take(throttle, PASSWORD_TRIES, payer, &password_patience,
                           apw_clock_monotonic_ms())) {
        found->wait_ms =
            apw_throttle_wait_ms(throttle, PASSWORD_TRIES, payer, apw_clock_monotonic_ms());
        return APW_REFUSED;
    }
    verdict = check_password(portal, found->login, password, &found->dn, &outcome->reason,
                             &outcome->error);
    if (verdict == APW_REFUSED)
        return verdict;
    apw_throttle_give_back(throttle, PASSWORD_TRIES, payer);
    person.dn = found->dn;
    if (verdict != APW_ACCEPTED || may_sign_in(portal, &person))
        return verdict;
    outcome->reason = APW_REASON_TOO_MANY_TRIES;
    return APW_REFUSED;
}

enum apw_verdict apw_account_sign_in(const struct apw_portal *portal,
                                     const struct apw_account_form *form,
                                     struct apw_account_sign_in *sign_in_r)
{
    struct outcome outcome = {.reason = APW_REASON_MALFORMED};
    enum apw_verdict verdict;

    *sign_in_r = (struct apw_account_sign_in){.dn = NULL};
    verdict = sign_in(portal, form, sign_in_r, &outcome);

    /* The search's error may name the login, which may be an app password in the wrong field. */
    if (apw_password_is_login(form->login, strlen(form->login)) || verdict == APW_REFUSED)
        outcome.error.text[0] = '\0';
    apw_account_log(portal, &(struct apw_account_event){
                                .verdict = verdict,
                                .reason = outcome.reason,
                                .login = verdict == APW_ACCEPTED ? sign_in_r->login : form->login,
                                .client = form->client,
                                .error = &outcome.error});
    if (verdict != APW_ACCEPTED) {
        free(sign_in_r->dn);
        sign_in_r->dn = NULL;
    }
    return verdict;
}

/* ---- the code to enroll with ---- */

static enum apw_verdict check_one_code(const struct apw_config *config,
                                       const struct apw_value *value,
                                       const struct apw_password *code, struct apw_error *error)
{
    const struct apw_hash_cost cap = apw_hash_cap(config->hash_memory_mib, config->hash_passes);
    struct apw_enrolment_code stored;

    if (!apw_method_is_code(value->bytes, value->length) ||
        apw_method_parse_code(value->bytes, value->length, &stored, error) != 0 ||
        (int64_t)time(NULL) >= stored.expires)
        return APW_REFUSED;
    switch (apw_hash_verify(stored.hash, &cap, code, error)) {
    case APW_HASH_MATCH:
        return APW_ACCEPTED;
    case APW_HASH_MISMATCH:
    case APW_HASH_UNUSABLE:
        return APW_REFUSED;
    case APW_HASH_NO_MEMORY:
        break;
    }
    return APW_UNAVAILABLE;
}

enum apw_verdict apw_account_check_code(const struct apw_portal *portal,
                                        const struct apw_account *account, const char *typed,
                                        char **value_r, struct apw_error *error)
{
    const struct apw_values *values = &account->user->method;
    enum apw_verdict verdict = APW_REFUSED;
    struct apw_password code;

    *value_r = NULL;
    if (!apw_password_recognize(typed, strlen(typed), &code))
        return APW_REFUSED;
    /* An administrator creates one at a time. Each check costs a hash. */
    for (size_t i = 0, tried = 0; i < values->count && verdict == APW_REFUSED && tried < 2; i++) {
        tried += apw_method_is_code(values->value[i].bytes, values->value[i].length);
        verdict = check_one_code(portal->config, &values->value[i], &code, error);
        if (verdict == APW_ACCEPTED && (*value_r = strdup(values->value[i].bytes)) == NULL)
            verdict = APW_UNAVAILABLE;
    }
    sodium_memzero(&code, sizeof code);
    return verdict;
}
