/*
 * mechanism: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), which differ only in how the
 * login and the password arrive.
 */
#include "login.h"
#include "message.h"
#include "plugin.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* 256 is more than any stock plugin's: of two plugins for one mechanism, libsasl2 takes the one
 * with the higher number. It serves for nothing but that order. */
#define SECURITY_FLAGS                                                                             \
    (SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS | SASL_SET_HASH_STRENGTH_BITS(256))

#define LOGIN_MESSAGE_MAX 1024 /* bytes of a LOGIN user name that are kept */

enum stage { STAGE_START = 0, STAGE_LOGIN, STAGE_PASSWORD, STAGE_DONE };

/* What the client sent, wherever it stood. */
struct credentials {
    const char *authzid;
    size_t authzid_length;
    const char *login;
    size_t login_length;
    const char *password;
    size_t password_length;
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

/* One attempt, for the call-back from within the decision. */
struct attempt {
    sasl_server_params_t *params;
    const struct credentials *credentials;
    unsigned flags; /* of the authcid's canon_user */
    bool is_named;  /* canon_user has been called for the authcid */
    sasl_out_params_t *out;
};

static bool has_own_authzid(const struct credentials *credentials)
{
    return credentials->authzid_length > 0 &&
           (credentials->authzid_length != credentials->login_length ||
            memcmp(credentials->authzid, credentials->login, credentials->login_length) != 0);
}

/* The host's say on whether a user may act as another; by default nobody may. */
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

/* Sets the names of a login that is about to be accepted, and asks for an authzid of its own
 * whether it may be taken: libsasl2 asks too, but only after the log line. */
static int authorise(const struct attempt *attempt, const char *name)
{
    sasl_server_params_t *params = attempt->params;
    const struct credentials *credentials = attempt->credentials;
    sasl_out_params_t *out = attempt->out;
    int result = SASL_OK;

    if (!attempt->is_named || strcmp(name, out->authid) != 0)
        result = apw_sasl_set_final_name(params, name, attempt->flags, out);
    if (result != SASL_OK || !has_own_authzid(credentials))
        return result;
    result = apw_sasl_canon_login(params, credentials->authzid, credentials->authzid_length,
                                  SASL_CU_AUTHZID, out);
    if (result == SASL_OK && strcmp(out->user, out->authid) != 0)
        result = ask_proxy_policy(params, out);
    return result;
}

/* What the canon-user plugin or the proxy policy does not take is the client's fault; other
 * failures are not. */
static enum apw_verdict verdict_of(int result)
{
    switch (result) {
    case SASL_OK:
        return APW_ACCEPTED;
    case SASL_BADAUTH:
    case SASL_BADPARAM:
    case SASL_BUFOVER:
    case SASL_NOAUTHZ:
        return APW_REFUSED;
    default:
        return APW_UNAVAILABLE;
    }
}

static enum apw_verdict authorise_verdict(void *attempt, const char *name, struct apw_error *error)
{
    int result = authorise(attempt, name);

    if (verdict_of(result) == APW_UNAVAILABLE)
        apw_error_set(error, "libsasl2 did not take the name \"%s\": %d", name, result);
    return verdict_of(result);
}

static int ask(struct apw_front *front, struct attempt *attempt, const char *login,
               size_t login_length)
{
    sasl_server_params_t *params = attempt->params;
    struct apw_decision decision;
    char client[64];
    struct apw_attempt asked = {
        .login = login,
        .login_length = login_length,
        .password = attempt->credentials->password,
        .password_length = attempt->credentials->password_length,
        .service = params->service,
        .client = client,
        .authorise = authorise_verdict,
        .authorise_context = attempt,
    };
    int result;

    apw_remote_address(params->ipremoteport, client, sizeof client);
    apw_front_verify(front, &asked, true, &decision);
    result = result_of(decision.verdict);
    if (decision.verdict == APW_UNAVAILABLE)
        apw_sasl_log(params->utils, SASL_LOG_ERR,
                     decision.detail.text[0] != '\0' ? decision.detail.text
                                                     : apw_reason_name(decision.reason));
    apw_decision_clear(&decision);
    return result;
}

/* Has the name canonicalised and asks. The host program's own log line about a failure has the name
 * only if canon_user was called first; so that is done, but not with what cannot be a login, nor
 * with an app password that somebody typed into the wrong field. */
static int ask_by_name(struct apw_front *front, struct attempt *attempt)
{
    const struct credentials *credentials = attempt->credentials;
    const char *realm = attempt->params->user_realm;
    char login[APW_LOGIN_SIZE];
    int result;

    if (apw_login_canonicalise(credentials->login, credentials->login_length, realm, login) != 0)
        return ask(front, attempt, credentials->login, credentials->login_length);
    if (apw_password_is_login(login, strlen(login)))
        return ask(front, attempt, login, strlen(login));
    result = apw_sasl_canon_login(attempt->params, credentials->login, credentials->login_length,
                                  attempt->flags, attempt->out);
    if (result != SASL_OK)
        return result_of(verdict_of(result));
    attempt->is_named = true;
    return ask(front, attempt, attempt->out->authid, attempt->out->alen);
}

static int authenticate(struct apw_front *front, sasl_server_params_t *params,
                        const struct credentials *credentials, sasl_out_params_t *out)
{
    struct attempt attempt = {
        .params = params,
        .credentials = credentials,
        .flags = has_own_authzid(credentials) ? SASL_CU_AUTHID : SASL_CU_AUTHID | SASL_CU_AUTHZID,
        .out = out,
    };
    int result = front == NULL ? SASL_UNAVAIL : ask_by_name(front, &attempt);

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

/* Both mechanisms and what they share; gone when libsasl2 has freed both. */
struct registration {
    sasl_server_plug_t mechanism[APW_SASL_MECHANISM_COUNT];
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
    struct apw_plain_message parts;
    struct credentials credentials;

    *answer_r = NULL;
    *answer_length_r = 0;
    if (message == NULL || apw_plain_message_parse(message, length, &parts) != 0)
        return SASL_BADPROT;
    credentials = (struct credentials){.authzid = parts.authzid,
                                       .authzid_length = parts.authzid_length,
                                       .login = parts.authcid,
                                       .login_length = parts.authcid_length,
                                       .password = parts.password,
                                       .password_length = parts.password_length};
    return authenticate(((struct registration *)exchange)->front, params, &credentials, out);
}

/* The registration outlives the exchange. libsasl2 calls this without looking whether it is there.
 */
static void plain_dispose(void *registration, const sasl_utils_t *utils)
{
    (void)registration;
    (void)utils;
}

/* ---- LOGIN ---- */

/* One exchange. PLAIN has none: it is a single message. */
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
    struct credentials credentials = {.authzid_length = 0};

    *answer_r = NULL;
    *answer_length_r = 0;
    if (exchange->stage == STAGE_START && (message == NULL || length == 0))
        return prompt(exchange, STAGE_LOGIN, "Username:", answer_r, answer_length_r);
    if (message == NULL || exchange->stage == STAGE_DONE)
        return SASL_BADPROT;
    if (exchange->stage != STAGE_PASSWORD) {
        if (take_login(exchange, message, length) != SASL_OK)
            return SASL_BADPROT;
        return prompt(exchange, STAGE_PASSWORD, "Password:", answer_r, answer_length_r);
    }
    exchange->stage = STAGE_DONE;
    credentials.login = exchange->login;
    credentials.login_length = exchange->login_length;
    credentials.password = message;
    credentials.password_length = length;
    return authenticate(exchange->front, params, &credentials, out);
}

static void login_dispose(void *context, const sasl_utils_t *utils)
{
    (void)utils;
    if (context != NULL)
        sodium_memzero(context, sizeof(struct exchange)); /* people type it in the wrong field */
    free(context);
}

sasl_server_plug_t *apw_sasl_mechanisms(struct apw_front *front)
{
    struct registration *registration = calloc(1, sizeof *registration);

    if (registration == NULL)
        return NULL;
    registration->front = front;
    registration->in_use = APW_SASL_MECHANISM_COUNT;
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
    for (size_t i = 0; i < APW_SASL_MECHANISM_COUNT; i++) {
        registration->mechanism[i].glob_context = registration;
        registration->mechanism[i].mech_free = mechanism_free;
    }
    return registration->mechanism;
}
