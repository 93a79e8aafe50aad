/* SPDX-License-Identifier: BSD-2-Clause */
#include "mechanism.h"
#include "guard.h"
#include "host.h"
#include "login.h"
#include "message.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* libsasl2 prefers the plugin with the higher number, and no stock plugin has as many bits. The
 * number serves only that order. */
#define SECURITY_FLAGS                                                                             \
    (SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS | SASL_SET_HASH_STRENGTH_BITS(256))

#define LOGIN_MESSAGE_MAX 1024 /* bytes of a LOGIN user name */

enum stage { STAGE_START = 0, STAGE_LOGIN, STAGE_PASSWORD, STAGE_DONE };

/* One login, from the client's message to the verdict. Only `attempt` holds the password. */
struct authentication {
    struct apw_attempt attempt; /* login as sent; canonical when we ask */
    struct apw_authzid authzid; /* length 0 if it is the same as the login */
    struct apw_objection objection;
    sasl_server_params_t *params;
    sasl_out_params_t *out;
    unsigned flags; /* of canon_user for the login */
    bool is_named;  /* canon_user was called for the login */
};

static int result_of(enum apw_verdict verdict)
{
    switch (verdict) {
    case APW_ACCEPTED:
        return SASL_OK;
    case APW_REFUSED:
        return SASL_BADAUTH;
    case APW_UNAVAILABLE:
        break;
    }
    return SASL_UNAVAIL;
}

/* The host decides whether a user may sign in, and act as another. Without a callback of the host,
 * libsasl2's own lets nobody act as another. */
static int ask_proxy_policy(sasl_server_params_t *params, const sasl_out_params_t *out)
{
    sasl_callback_ft callback = NULL;
    void *context = NULL;

    if (params->utils->getcallback(params->utils->conn, SASL_CB_PROXY_POLICY, &callback,
                                   &context) != SASL_OK ||
        callback == NULL)
        return SASL_BADAUTH;
    return ((sasl_authorize_t *)(void (*)(void))callback)(
        params->utils->conn, context, out->user, out->ulen, out->authid, out->alen,
        params->user_realm, params->user_realm != NULL ? (unsigned)strlen(params->user_realm) : 0,
        params->propctx);
}

/* Sets the names of a login that is about to be accepted, and asks the host about them. libsasl2
 * asks the same, but only after our log line. */
static int authorize(const struct authentication *authentication, const char *name)
{
    sasl_server_params_t *params = authentication->params;
    sasl_out_params_t *out = authentication->out;
    const struct apw_authzid *authzid = &authentication->authzid;
    int result = SASL_OK;

    if (!authentication->is_named || strcmp(name, out->authid) != 0)
        result = apw_guard_set_final_name(params, name, authentication->flags, out);
    if (result == SASL_OK && authzid->length > 0)
        result =
            apw_guard_canonicalize(params, authzid->name, authzid->length, SASL_CU_AUTHZID, out);
    return result == SASL_OK ? ask_proxy_policy(params, out) : result;
}

/* If the host's canon_user or proxy policy rejects a name, that is a refusal. Other failures are
 * outages. */
static enum apw_verdict verdict_of(int result)
{
    switch (result) {
    case SASL_OK:
        return APW_ACCEPTED;
    case SASL_BADAUTH:
    case SASL_BADPARAM:
    case SASL_BADPROT:
    case SASL_BUFOVER:
    case SASL_DISABLED:
    case SASL_EXPIRED:
    case SASL_NOAUTHZ:
    case SASL_NOUSER:
        return APW_REFUSED;
    default:
        return APW_UNAVAILABLE;
    }
}

/* Returns the verdict; says why it is not APW_ACCEPTED. */
static enum apw_verdict explain(int result, struct apw_error *error)
{
    if (result != SASL_OK)
        apw_error_set(error, "the program rejected the name: %s",
                      sasl_errstring(result, NULL, NULL));
    return verdict_of(result);
}

static enum apw_verdict authorize_verdict(void *context, const char *name,
                                          enum apw_reason *reason_r, struct apw_error *error)
{
    const struct authentication *authentication = context;

    *reason_r =
        authentication->authzid.length > 0 ? APW_REASON_FOREIGN_AUTHZID : APW_REASON_REFUSED_NAME;
    return explain(authorize(authentication, name), error);
}

/* Asks about the login under this name. */
static int ask_as(struct apw_front *front, struct authentication *authentication, const char *login,
                  size_t login_length)
{
    sasl_server_params_t *params = authentication->params;
    struct apw_attempt *attempt = &authentication->attempt;
    struct apw_decision decision;
    struct apw_error loss;
    char client[64];
    int result;

    apw_message_parse_address(params->ipremoteport, client, sizeof client);
    attempt->login = login;
    attempt->login_length = login_length;
    attempt->service = params->service;
    attempt->client = client;
    attempt->authorize = authorize_verdict;
    attempt->authorize_context = authentication;
    apw_front_verify(front, attempt, true, &decision);
    result = result_of(decision.event.verdict);
    if (decision.event.verdict == APW_UNAVAILABLE)
        apw_host_log(params->utils, SASL_LOG_ERR,
                     decision.event.detail.text[0] != '\0'
                         ? decision.event.detail.text
                         : apw_reason_name(decision.event.reason));
    apw_verify_clear(&decision);
    if (apw_front_take_loss(front, &loss)) /* not at init: without a connection, it is syslog */
        apw_host_log(params->utils, SASL_LOG_ERR, loss.text);
    return result;
}

/* Canonicalizes the login and asks. The host's own log line about a failure has the name only if
 * canon_user was called before. Two kinds of login skip that call: one that is not well-formed, and
 * an app password that somebody typed into the wrong field. */
static int ask(struct apw_front *front, struct authentication *authentication)
{
    const struct apw_attempt *attempt = &authentication->attempt;
    const sasl_out_params_t *out = authentication->out;
    char login[APW_LOGIN_SIZE];
    int result;

    if (apw_login_canonicalize(attempt->login, attempt->login_length,
                               authentication->params->user_realm, login) != 0)
        return ask_as(front, authentication, attempt->login, attempt->login_length);
    if (apw_password_is_login(login, strlen(login)))
        return ask_as(front, authentication, login, strlen(login));
    result = apw_guard_canonicalize(authentication->params, attempt->login, attempt->login_length,
                                    authentication->flags, authentication->out);
    if (result != SASL_OK) {
        authentication->objection.verdict = explain(result, &authentication->objection.why);
        authentication->attempt.objection = &authentication->objection;
        return ask_as(front, authentication, login, strlen(login));
    }
    authentication->is_named = true;
    return ask_as(front, authentication, out->authid, out->alen);
}

/* Logs a message that is no login; libsasl2 tells the client that it broke the protocol. */
static int reject_message(struct apw_front *front, struct authentication *authentication,
                          const char *login, size_t login_length)
{
    apw_error_set(&authentication->objection.why, "not a message of this mechanism");
    authentication->attempt.objection = &authentication->objection;
    if (front != NULL)
        ask_as(front, authentication, login, login_length);
    return SASL_BADPROT;
}

static bool is_login(const struct apw_authzid *authzid, const struct apw_attempt *attempt)
{
    return authzid->length == attempt->login_length &&
           memcmp(authzid->name, attempt->login, authzid->length) == 0;
}

/* Expects attempt, authzid, params and out of `authentication`. */
static int authenticate(struct apw_front *front, struct authentication *authentication)
{
    sasl_out_params_t *out = authentication->out;
    struct apw_authzid *authzid = &authentication->authzid;
    int result = SASL_UNAVAIL;

    if (authzid->length > 0 && is_login(authzid, &authentication->attempt))
        authzid->length = 0;
    authentication->flags = authzid->length > 0 ? SASL_CU_AUTHID : SASL_CU_AUTHID | SASL_CU_AUTHZID;
    if (front != NULL)
        result = ask(front, authentication);
    if (result != SASL_OK)
        return result;
    out->doneflag = 1;
    out->mech_ssf = 0;
    out->maxoutbuf = 0;
    out->encode_context = NULL;
    out->encode = NULL;
    out->decode_context = NULL;
    out->decode = NULL;
    out->param_version = 0;
    return SASL_OK;
}

/* ---- what libsasl2 registers ---- */

/* Both mechanisms and what they share. Freed when libsasl2 has freed both. */
struct registration {
    sasl_server_plug_t mechanism[APW_MECHANISM_COUNT];
    struct apw_front *front;
    int in_use;
};

static void mechanism_free(void *context, const sasl_utils_t *utils)
{
    struct registration *registration = context;

    (void)utils;
    if (--registration->in_use > 0)
        return;
    apw_front_close(&registration->front);
    free(registration);
}

/* ---- PLAIN ---- */

static int plain_new(void *registration, sasl_server_params_t *params, const char *challenge,
                     unsigned challenge_length, void **exchange_r)
{
    (void)params;
    (void)challenge;
    (void)challenge_length;
    *exchange_r = registration;
    return SASL_OK;
}

static int plain_step(void *exchange, sasl_server_params_t *params, const char *message,
                      unsigned length, const char **answer_r, unsigned *answer_length_r,
                      sasl_out_params_t *out)
{
    struct authentication authentication = {.params = params, .out = out};
    struct apw_front *front = ((struct registration *)exchange)->front;

    *answer_r = NULL;
    *answer_length_r = 0;
    if (message == NULL)
        return SASL_BADPROT;
    if (apw_message_parse_plain(message, length, &authentication.attempt,
                                &authentication.authzid) != 0)
        return reject_message(front, &authentication, "", 0);
    return authenticate(front, &authentication);
}

/* Does nothing: the registration outlives the exchange. libsasl2 calls mech_dispose even if it is
 * NULL. */
static void plain_dispose(void *registration, const sasl_utils_t *utils)
{
    (void)registration;
    (void)utils;
}

/* ---- LOGIN ---- */

/* PLAIN needs none: it is a single message. */
struct exchange {
    struct apw_front *front;
    enum stage stage;
    char login[LOGIN_MESSAGE_MAX];
    size_t login_length;
};

static int login_new(void *registration, sasl_server_params_t *params, const char *challenge,
                     unsigned challenge_length, void **exchange_r)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    (void)params;
    (void)challenge;
    (void)challenge_length;
    if (exchange == NULL)
        return SASL_NOMEM;
    exchange->front = ((struct registration *)registration)->front;
    *exchange_r = exchange;
    return SASL_OK;
}

static int prompt(struct exchange *exchange, enum stage next, const char *text,
                  const char **answer_r, unsigned *answer_length_r)
{
    exchange->stage = next;
    *answer_r = text;
    *answer_length_r = (unsigned)strlen(text);
    return SASL_CONTINUE;
}

static int take_login(struct exchange *exchange, const char *message, unsigned length)
{
    if (length > sizeof exchange->login)
        return SASL_BADPROT;
    memcpy(exchange->login, message, length);
    exchange->login_length = length;
    return SASL_OK;
}

static int login_step(void *context, sasl_server_params_t *params, const char *message,
                      unsigned length, const char **answer_r, unsigned *answer_length_r,
                      sasl_out_params_t *out)
{
    struct exchange *exchange = context;
    struct authentication authentication = {.params = params, .out = out};

    *answer_r = NULL;
    *answer_length_r = 0;
    if (exchange->stage == STAGE_START && (message == NULL || length == 0))
        return prompt(exchange, STAGE_LOGIN, "Username:", answer_r, answer_length_r);
    if (message == NULL || exchange->stage == STAGE_DONE)
        return SASL_BADPROT;
    if (exchange->stage != STAGE_PASSWORD) {
        if (take_login(exchange, message, length) != SASL_OK)
            return reject_message(exchange->front, &authentication, message, length);
        return prompt(exchange, STAGE_PASSWORD, "Password:", answer_r, answer_length_r);
    }
    exchange->stage = STAGE_DONE;
    authentication.attempt = (struct apw_attempt){.login = exchange->login,
                                                  .login_length = exchange->login_length,
                                                  .password = message,
                                                  .password_length = length};
    return authenticate(exchange->front, &authentication);
}

static void login_dispose(void *context, const sasl_utils_t *utils)
{
    (void)utils;
    if (context != NULL)
        sodium_memzero(context, sizeof(struct exchange)); /* people type the password there */
    free(context);
}

sasl_server_plug_t *apw_mechanisms_new(struct apw_front *front)
{
    struct registration *registration = calloc(1, sizeof *registration);

    if (registration == NULL)
        return NULL;
    registration->front = front;
    registration->in_use = APW_MECHANISM_COUNT;
    registration->mechanism[0] = (sasl_server_plug_t){
        .mech_name = "PLAIN",
        .security_flags = SECURITY_FLAGS,
        .features = SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY,
        .mech_new = plain_new,
        .mech_step = plain_step,
        .mech_dispose = plain_dispose,
    };
    registration->mechanism[1] = (sasl_server_plug_t){
        .mech_name = "LOGIN",
        .security_flags = SECURITY_FLAGS,
        .mech_new = login_new,
        .mech_step = login_step,
        .mech_dispose = login_dispose,
    };
    for (size_t i = 0; i < APW_MECHANISM_COUNT; i++) {
        registration->mechanism[i].glob_context = registration;
        registration->mechanism[i].mech_free = mechanism_free;
    }
    return registration->mechanism;
}
