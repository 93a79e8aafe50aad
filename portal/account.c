#include "account.h"
#include "clock.h"
#include "hash.h"
#include "manage.h"
#include "web/browser.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PASSWORD_TRIES "password"

/* Ten tries from an address cost nothing, then one each 2 seconds, growing to one a minute. It is
 * never more, since people who share an address share the waiting. */
static const struct apw_patience password_patience = {.free = 10, .base_s = 2, .most_s = 60};

void apw_client_network(const char *client, char network_r[APW_ADDRESS_TEXT_SIZE + 4])
{
    struct apw_address address;
    char text[APW_ADDRESS_TEXT_SIZE];

    if (apw_address_parse(client, &address) != 0) {
        strcpy(network_r, "-");
        return;
    }
    if (address.bits == 128)
        memset(address.bytes + 8, 0, 8);
    inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, address.bytes, text, sizeof text);
    snprintf(network_r, APW_ADDRESS_TEXT_SIZE + 4, "%s%s", text, address.bits == 128 ? "/64" : "");
}

void apw_account_log(const struct apw_portal *portal, const char *login, const char *client,
                     enum apw_verdict verdict, enum apw_reason reason, const char *action,
                     const char *id, const struct apw_error *error)
{
    struct apw_decision decision = {.verdict = verdict, .reason = reason, .action = action};

    decision.user_length = strnlen(login, APW_LOGIN_BYTES_MAX);
    memcpy(decision.user, login, decision.user_length);
    strcpy(decision.service, "portal");
    snprintf(decision.client, sizeof decision.client, "%s", client);
    if (id != NULL)
        snprintf(decision.id, sizeof decision.id, "%s", id);
    if (error != NULL)
        decision.detail = *error;
    apw_log_decision(portal->log, &decision);
}

/* ---- reading ---- */

/* Opens the one sealed value there may be. */
static int read_method(const struct apw_portal *portal, struct apw_account *account,
                       struct apw_error *error)
{
    const struct apw_user *user = account->user;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_method_is_code(value->bytes, value->length))
            continue;
        if (account->has_method)
            return apw_error_set(error, "%s has more than one second factor", user->dn);
        if (apw_method_open(value->bytes, value->length, portal->conf->key, user->unique_id,
                            &account->method, error) != 0)
            return apw_error_set(error, "%s: %s; app-password mfa reset removes it", user->dn,
                                 error->text);
        account->has_method = true;
        account->method_value = value->bytes;
    }
    return 0;
}

static enum apw_account_state read_state(const struct apw_portal *portal,
                                         struct apw_account *account, struct apw_error *error)
{
    const struct apw_user *user = account->user;
    enum apw_mfa mfa;

    if (user->is_disabled)
        return APW_ACCOUNT_GONE;
    if (user->unique_id == NULL) {
        apw_error_set(error,
                      "%s: neither entryUUID nor nsUniqueId can be read; the access rules "
                      "must let the portal",
                      user->dn);
        return APW_ACCOUNT_UNAVAILABLE;
    }
    if (apw_user_mfa(&portal->manager, user, &mfa, error) != APW_MANAGE_DONE ||
        read_method(portal, account, error) != 0)
        return APW_ACCOUNT_UNAVAILABLE;
    if (user->has_enforce_from && !user->is_enforce_from_readable) {
        apw_error_set(error, "%s: appPasswordMfaEnforceFrom is not a time", user->dn);
        return APW_ACCOUNT_UNAVAILABLE;
    }
    account->has_mfa = mfa == APW_MFA_ON;
    account->is_announced = user->has_enforce_from && user->enforce_from > (int64_t)time(NULL);
    return APW_ACCOUNT_THERE;
}

static enum apw_account_state find(const struct apw_portal *portal, const struct apw_target *target,
                                   struct apw_account *account_r, struct apw_error *error)
{
    enum apw_account_state state = APW_ACCOUNT_UNAVAILABLE;
    enum apw_manage_result result;

    memset(account_r, 0, sizeof *account_r);
    result = apw_user_find(&portal->manager, target, &account_r->user, error);
    if (result == APW_MANAGE_NOT_FOUND)
        return APW_ACCOUNT_GONE;
    if (result == APW_MANAGE_DONE)
        state = read_state(portal, account_r, error);
    if (state != APW_ACCOUNT_THERE)
        apw_account_free(account_r);
    return state;
}

enum apw_account_state apw_account_read(const struct apw_portal *portal, const char *dn,
                                        const char *login, struct apw_account *account_r,
                                        struct apw_error *error)
{
    return find(portal, &(struct apw_target){.dn = dn, .login = login}, account_r, error);
}

enum apw_account_state apw_account_find(const struct apw_portal *portal, const char *login,
                                        struct apw_account *account_r, struct apw_error *error)
{
    return find(portal, &(struct apw_target){.login = login}, account_r, error);
}

void apw_account_free(struct apw_account *account)
{
    apw_user_free(&account->user);
    sodium_memzero(account, sizeof *account);
}

/* ---- signing in ---- */

static enum apw_verdict judge_bind(enum apw_user_bind result, enum apw_reason *reason_r)
{
    switch (result) {
    case APW_USER_BIND_OK:
        *reason_r = APW_REASON_ACCOUNT_PASSWORD;
        return APW_ACCEPTED;
    case APW_USER_BIND_WRONG:
        *reason_r = APW_REASON_WRONG_ACCOUNT_PASSWORD;
        return APW_REFUSED;
    case APW_USER_BIND_LOCKED:
        *reason_r = APW_REASON_ACCOUNT_LOCKED;
        return APW_REFUSED;
    case APW_USER_BIND_MUST_CHANGE:
        *reason_r = APW_REASON_PASSWORD_MUST_CHANGE;
        return APW_REFUSED;
    case APW_USER_BIND_UNAVAILABLE:
        break;
    }
    *reason_r = APW_REASON_DIRECTORY_UNAVAILABLE;
    return APW_UNAVAILABLE;
}

/* Why there is no one entry to sign in to. */
static enum apw_verdict judge_search(enum apw_manage_result result, enum apw_reason *reason_r)
{
    *reason_r = result == APW_MANAGE_NOT_FOUND ? APW_REASON_UNKNOWN_USER
                : result == APW_MANAGE_REFUSED ? APW_REASON_AMBIGUOUS_USER
                                               : APW_REASON_DIRECTORY_UNAVAILABLE;
    return result == APW_MANAGE_NOT_FOUND ? APW_REFUSED : APW_UNAVAILABLE;
}

static enum apw_verdict check_password(const struct apw_portal *portal, const char *login,
                                       const char *password, char **dn_r, enum apw_reason *reason_r,
                                       struct apw_error *error)
{
    enum apw_verdict verdict = APW_REFUSED;
    enum apw_manage_result result;
    struct apw_user *user;

    result = apw_user_find(&portal->manager, &(struct apw_target){.login = login}, &user, error);
    if (result != APW_MANAGE_DONE)
        return judge_search(result, reason_r);
    if (user->is_disabled)
        *reason_r = APW_REASON_ACCOUNT_DISABLED;
    else
        verdict = judge_bind(apw_directory_bind_user(portal->directory, user->dn, password,
                                                     strlen(password),
                                                     apw_manager_deadline(&portal->manager), error),
                             reason_r);
    if (verdict == APW_ACCEPTED) {
        *dn_r = user->dn;
        user->dn = NULL;
    }
    apw_user_free(&user);
    return verdict;
}

static enum apw_verdict sign_in(const struct apw_portal *portal, const char *typed,
                                const char *password, const char *client, const char *browser,
                                char login_r[APW_LOGIN_SIZE], char **dn_r,
                                enum apw_reason *reason_r, struct apw_error *error)
{
    char network[APW_ADDRESS_TEXT_SIZE + 4];
    const char *payer = network;
    enum apw_verdict verdict;

    *reason_r = APW_REASON_MALFORMED;
    if (apw_login_canonicalise(typed, strlen(typed), NULL, login_r) != 0 || password[0] == '\0' ||
        strlen(password) > APW_PASSWORD_BYTES_MAX)
        return APW_REFUSED;
    apw_client_network(client, network);
    if (apw_browser_is_known(portal->conf->key, login_r, browser))
        payer = browser;
    *reason_r = APW_REASON_TOO_MANY_TRIES;
    if (!apw_throttle_take(portal->password_throttle, PASSWORD_TRIES, payer, &password_patience,
                           apw_clock_monotonic_ms()))
        return APW_REFUSED;
    verdict = check_password(portal, login_r, password, dn_r, reason_r, error);
    if (verdict != APW_REFUSED)
        apw_throttle_give_back(portal->password_throttle, PASSWORD_TRIES, payer);
    return verdict;
}

enum apw_verdict apw_account_sign_in(const struct apw_portal *portal, const char *login,
                                     const char *password, const char *client, const char *browser,
                                     char login_r[APW_LOGIN_SIZE], char **dn_r)
{
    int64_t start = apw_clock_monotonic_ms();
    struct apw_error error = {""};
    enum apw_verdict verdict;
    enum apw_reason reason;

    *dn_r = NULL;
    verdict = sign_in(portal, login, password, client, browser, login_r, dn_r, &reason, &error);
    /* The search's error may name the login, and that may be an app password in the wrong field. */
    if (apw_password_is_login(login, strlen(login)) || verdict == APW_REFUSED)
        error.text[0] = '\0';
    apw_account_log(portal, verdict == APW_ACCEPTED ? login_r : login, client, verdict, reason,
                    NULL, NULL, &error);
    if (verdict == APW_REFUSED)
        apw_clock_sleep_until_ms(start + 1 + portal->config->refusal_delay_ms);
    return verdict;
}

/* ---- the second factor ---- */

/* Whether the value is the only second factor there is now. */
static enum apw_manage_result is_alone(const struct apw_portal *portal, const char *dn,
                                       const char *value, struct apw_error *error)
{
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(&portal->manager, &(struct apw_target){.dn = dn}, &user, error);
    size_t ours = 0, others = 0;

    if (result != APW_MANAGE_DONE)
        return result;
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *found = &user->method.value[i];

        if (strcmp(found->bytes, value) == 0)
            ours++;
        else if (!apw_method_is_code(found->bytes, found->length))
            others++;
    }
    apw_user_free(&user);
    return ours == 1 && others == 0 ? APW_MANAGE_DONE : APW_MANAGE_CONFLICT;
}

enum apw_manage_result apw_account_enrol(const struct apw_portal *portal,
                                         const struct apw_account *account,
                                         const struct apw_method *method, struct apw_error *error)
{
    char value[APW_METHOD_VALUE_SIZE];
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;

    if (apw_method_seal(method, portal->conf->key, account->user->unique_id, value, error) == 0)
        result = apw_manage_method_set(&portal->manager, account->user, account->method_value,
                                       value, error);
    /* Of several who enrol from nothing, none takes a value of the others away. A change does: it
     * has deleted the very value that was there, and to take it back would leave nothing. */
    if (result == APW_MANAGE_DONE && account->method_value == NULL) {
        result = is_alone(portal, account->user->dn, value, error);
        if (result != APW_MANAGE_DONE)
            apw_manage_method_remove(&portal->manager, account->user, value,
                                     &(struct apw_error){""});
    }
    sodium_memzero(value, sizeof value);
    return result;
}

enum apw_manage_result apw_account_use_counter(const struct apw_portal *portal,
                                               const struct apw_account *account, uint64_t counter,
                                               struct apw_error *error)
{
    struct apw_method used = account->method;
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;
    char value[APW_METHOD_VALUE_SIZE];

    used.counter = counter;
    if (apw_method_seal(&used, portal->conf->key, account->user->unique_id, value, error) == 0)
        result = apw_manage_method_set(&portal->manager, account->user, account->method_value,
                                       value, error);
    sodium_memzero(&used, sizeof used);
    sodium_memzero(value, sizeof value);
    return result;
}

static enum apw_verdict check_one_code(const struct apw_value *value,
                                       const struct apw_password *code, struct apw_error *error)
{
    struct apw_enrolment_code stored;

    if (!apw_method_is_code(value->bytes, value->length) ||
        apw_enrolment_code_parse(value->bytes, value->length, &stored, error) != 0 ||
        (int64_t)time(NULL) >= stored.expires)
        return APW_REFUSED;
    switch (apw_hash_verify(stored.hash, code, error)) {
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

enum apw_verdict apw_account_check_code(const struct apw_account *account, const char *typed,
                                        char **value_r, struct apw_error *error)
{
    const struct apw_values *values = &account->user->method;
    enum apw_verdict verdict = APW_REFUSED;
    struct apw_password code;

    *value_r = NULL;
    if (!apw_password_recognise(typed, strlen(typed), &code))
        return APW_REFUSED;
    /* An administrator makes one at a time; more of them would cost a hash each. */
    for (size_t i = 0, tried = 0; i < values->count && verdict == APW_REFUSED && tried < 2; i++) {
        tried += apw_method_is_code(values->value[i].bytes, values->value[i].length);
        verdict = check_one_code(&values->value[i], &code, error);
        if (verdict == APW_ACCEPTED && (*value_r = strdup(values->value[i].bytes)) == NULL)
            verdict = APW_UNAVAILABLE;
    }
    sodium_memzero(&code, sizeof code);
    return verdict;
}
