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

/* Who the user is, is verified here: that no auxprop plugin knows the name is no failure. */
#define CANON_AUTHID  (SASL_CU_AUTHID | SASL_CU_EXTERNALLY_VERIFIED)
#define CANON_AUTHZID (SASL_CU_AUTHZID | SASL_CU_EXTERNALLY_VERIFIED)

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

static int ask(struct apw_front *front, sasl_server_params_t *params, const char *login,
               size_t login_length, const struct credentials *credentials,
               struct apw_decision *decision_r)
{
    char client[64];
    struct apw_attempt attempt = {
        .login = login,
        .login_length = login_length,
        .password = credentials->password,
        .password_length = credentials->password_length,
        .service = params->service,
        .client = client,
    };

    apw_remote_address(params->ipremoteport, client, sizeof client);
    apw_front_verify(front, &attempt, true, decision_r);
    if (decision_r->verdict == APW_UNAVAILABLE)
        apw_sasl_log(params->utils, SASL_LOG_ERR,
                     decision_r->detail.text[0] != '\0' ? decision_r->detail.text
                                                        : apw_reason_name(decision_r->reason));
    return result_of(decision_r->verdict);
}

static bool has_own_authzid(const struct credentials *credentials)
{
    return credentials->authzid_length > 0 &&
           (credentials->authzid_length != credentials->login_length ||
            memcmp(credentials->authzid, credentials->login, credentials->login_length) != 0);
}

/* Sets the names of an accepted login. The library then decides whether an authzid of its own may
 * be taken. */
static int set_names(sasl_server_params_t *params, const struct credentials *credentials,
                     const char *name, unsigned flags, sasl_out_params_t *out)
{
    int result = SASL_OK;

    if (strcmp(name, out->authid) != 0)
        result = apw_sasl_set_final_name(params, name, flags, out);
    if (result == SASL_OK && (flags & SASL_CU_AUTHZID) == 0)
        result = params->canon_user(params->utils->conn, credentials->authzid,
                                    (unsigned)credentials->authzid_length, CANON_AUTHZID, out);
    return result;
}

/* The canon-user plugin did not take the name, or failed for a reason that is not the client's. */
static int result_of_name(int result)
{
    bool is_refused = result == SASL_BADAUTH || result == SASL_BADPARAM || result == SASL_BUFOVER;

    return is_refused ? SASL_BADAUTH : SASL_UNAVAIL;
}

/* The whole login. The name is canonicalised first: the host program's own log line about a failure
 * has it only then. */
static int authenticate(struct apw_front *front, sasl_server_params_t *params,
                        const struct credentials *credentials, sasl_out_params_t *out)
{
    unsigned flags = has_own_authzid(credentials) ? CANON_AUTHID : CANON_AUTHID | SASL_CU_AUTHZID;
    char trimmed[APW_LOGIN_SIZE];
    struct apw_decision decision;
    int result;

    if (front == NULL)
        return SASL_UNAVAIL;
    if (apw_login_canonicalise(credentials->login, credentials->login_length, NULL, trimmed) != 0) {
        /* Malformed, which the decision says too; asked for the log line and the delay. */
        result = ask(front, params, credentials->login, credentials->login_length, credentials,
                     &decision);
        apw_decision_clear(&decision);
        return result == SASL_OK ? SASL_BADAUTH : result;
    }
    result = params->canon_user(params->utils->conn, credentials->login,
                                (unsigned)credentials->login_length, flags, out);
    if (result != SASL_OK)
        return result_of_name(result);
    result = ask(front, params, out->authid, out->alen, credentials, &decision);
    if (result == SASL_OK)
        result = set_names(params, credentials, decision.name, flags, out);
    apw_decision_clear(&decision);
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

/* ---- PLAIN ---- */

static int plain_new(void *front, sasl_server_params_t *params, const char *challenge,
                     unsigned challenge_length, void **exchange_r)
{
    (void)params;
    (void)challenge;
    (void)challenge_length;
    *exchange_r = front;
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
    return authenticate(exchange, params, &credentials, out);
}

/* The front outlives the exchange. libsasl2 calls this without looking whether it is there. */
static void plain_dispose(void *front, const sasl_utils_t *utils)
{
    (void)front;
    (void)utils;
}

static void close_front(void *context, const sasl_utils_t *utils)
{
    struct apw_front *front = context;

    (void)utils;
    apw_front_close(&front);
}

/* ---- LOGIN ---- */

/* One exchange. PLAIN has none: it is a single message. */
struct exchange {
    struct apw_front *front;
    enum stage stage;
    char login[LOGIN_MESSAGE_MAX];
    size_t login_length;
};

static int login_new(void *front, sasl_server_params_t *params, const char *challenge,
                     unsigned challenge_length, void **exchange_r)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    (void)params;
    (void)challenge;
    (void)challenge_length;
    if (exchange == NULL)
        return SASL_NOMEM;
    exchange->front = front;
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
    static sasl_server_plug_t mechanisms[APW_SASL_MECHANISM_COUNT] = {
        {
            .mech_name = "PLAIN",
            .security_flags = SECURITY_FLAGS,
            .features = SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY,
            .mech_new = plain_new,
            .mech_step = plain_step,
            .mech_dispose = plain_dispose,
            .mech_free = close_front,
        },
        {
            .mech_name = "LOGIN",
            .security_flags = SECURITY_FLAGS,
            .mech_new = login_new,
            .mech_step = login_step,
            .mech_dispose = login_dispose,
        },
    };

    for (size_t i = 0; i < APW_SASL_MECHANISM_COUNT; i++)
        mechanisms[i].glob_context = front;
    return mechanisms;
}
