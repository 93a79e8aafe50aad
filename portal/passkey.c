/* SPDX-License-Identifier: BSD-2-Clause */
#include "passkey.h"
#include "field.h"
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* Flags of the authenticator data (WebAuthn 6.1). */
#define USER_PRESENT    0x01
#define BACKUP_ELIGIBLE 0x08
#define BACKED_UP       0x10

#define HAS_MORE 0xc0 /* a credential, or extensions */

#define RP_HASH_BYTES crypto_hash_sha256_BYTES
#define FIXED_BYTES   (RP_HASH_BYTES + 1 + 4) /* with flags and counter */

/* The answer as bytes. */
struct decoded {
    uint8_t client_data[APW_PASSKEY_CLIENT_DATA_MAX];
    size_t client_data_length;
    uint8_t client_hash[crypto_hash_sha256_BYTES];
    uint8_t authenticator[APW_PASSKEY_AUTHENTICATOR_MAX];
    size_t authenticator_length;
    uint8_t signature[APW_PASSKEY_SIGNATURE_MAX];
    size_t signature_length;
};

void apw_passkey_make_challenge(char challenge_r[APW_PASSKEY_CHALLENGE_SIZE])
{
    uint8_t bytes[32];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(challenge_r, APW_PASSKEY_CHALLENGE_SIZE, bytes, sizeof bytes, BASE64);
}

/* ---- reading the answer ---- */

static int decode(const char *text, uint8_t *bytes_r, size_t size, size_t *length_r)
{
    return apw_field_decode(&(struct apw_field){text, strlen(text)}, bytes_r, size, length_r);
}

static int decode_response(const struct apw_passkey_response *response, struct decoded *decoded_r)
{
    const char *signature = response->signature == NULL ? "" : response->signature;

    if (decode(response->client_data, decoded_r->client_data, sizeof decoded_r->client_data,
               &decoded_r->client_data_length) != 0 ||
        decode(response->authenticator_data, decoded_r->authenticator,
               sizeof decoded_r->authenticator, &decoded_r->authenticator_length) != 0 ||
        decode(signature, decoded_r->signature, sizeof decoded_r->signature,
               &decoded_r->signature_length) != 0)
        return -1;
    crypto_hash_sha256(decoded_r->client_hash, decoded_r->client_data,
                       decoded_r->client_data_length);
    return 0;
}

/* jansson rejects strings that contain a NUL. */
static bool is_string(const json_t *object, const char *key, const char *wanted)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/* The client data names the ceremony, our challenge and our origin (7.1 steps 7 to 9, 7.2 steps 11
 * to 13). */
static int check_client_data(const struct apw_passkey_request *request, const char *type,
                             const struct decoded *decoded, struct apw_error *error)
{
    json_t *object = json_loadb((const char *)decoded->client_data, decoded->client_data_length,
                                JSON_REJECT_DUPLICATES, NULL);
    const char *wrong = NULL;

    if (!json_is_object(object))
        wrong = "are not a JSON object";
    else if (!is_string(object, "type", type))
        wrong = "are of another type";
    else if (!is_string(object, "challenge", request->challenge))
        wrong = "have another challenge";
    else if (!is_string(object, "origin", request->origin))
        wrong = "have another origin than public_url";
    else if (json_object_get(object, "crossOrigin") != NULL &&
             !json_is_false(json_object_get(object, "crossOrigin")))
        wrong = "come from a frame of another site";
    json_decref(object);
    return wrong == NULL ? 0 : apw_error_set(error, "the client data of the passkey %s", wrong);
}

static int check_flags(uint8_t flags, struct apw_error *error)
{
    if ((flags & USER_PRESENT) == 0)
        return apw_error_set(error, "nobody was present at the passkey");
    if ((flags & BACKED_UP) != 0 && (flags & BACKUP_ELIGIBLE) == 0)
        return apw_error_set(error, "the passkey is backed up, and cannot be");
    return 0;
}

/* ---- a new one ---- */

/* libfido2 reads the data only if it knows the type of the key. NULL if it knows none that fits. */
static fido_cred_t *read_credential(const struct decoded *decoded)
{
    static const int types[] = {COSE_ES256, COSE_EDDSA, COSE_RS256};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        fido_cred_t *credential = fido_cred_new();

        if (credential != NULL && fido_cred_set_type(credential, types[i]) == FIDO_OK &&
            fido_cred_set_authdata_raw(credential, decoded->authenticator,
                                       decoded->authenticator_length) == FIDO_OK)
            return credential;
        fido_cred_free(&credential);
    }
    return NULL;
}

static bool is_for_host(const struct decoded *decoded, const char *host)
{
    uint8_t hash[RP_HASH_BYTES];

    crypto_hash_sha256(hash, (const uint8_t *)host, strlen(host));
    return decoded->authenticator_length >= sizeof hash &&
           memcmp(decoded->authenticator, hash, sizeof hash) == 0;
}

static int copy_credential(const fido_cred_t *credential, struct apw_method *method_r)
{
    size_t id_length = fido_cred_id_len(credential), key_length = fido_cred_pubkey_len(credential);

    if (id_length == 0 || id_length > sizeof method_r->credential || key_length == 0 ||
        key_length > sizeof method_r->public_key)
        return -1;
    method_r->kind = APW_METHOD_PASSKEY;
    method_r->algorithm = fido_cred_type(credential);
    method_r->credential_length = id_length;
    memcpy(method_r->credential, fido_cred_id_ptr(credential), id_length);
    method_r->public_key_length = key_length;
    memcpy(method_r->public_key, fido_cred_pubkey_ptr(credential), key_length);
    method_r->counter = fido_cred_sigcount(credential);
    method_r->flags = fido_cred_flags(credential);
    return 0;
}

static int read_registration(const struct apw_passkey_request *request,
                             const struct decoded *decoded, struct apw_method *method_r,
                             struct apw_error *error)
{
    fido_cred_t *credential = read_credential(decoded);
    int status = -1;

    if (credential == NULL)
        apw_error_set(error, "the authenticator data have no key of a type that we accept");
    else if (!is_for_host(decoded, request->host))
        apw_error_set(error, "the passkey is for another host than %s", request->host);
    else if (check_flags(fido_cred_flags(credential), error) == 0)
        status = copy_credential(credential, method_r) == 0
                     ? 0
                     : apw_error_set(error, "the passkey's id is empty or too long");
    fido_cred_free(&credential);
    return status;
}

int apw_passkey_register(const struct apw_passkey_request *request,
                         const struct apw_passkey_response *response, struct apw_method *method_r,
                         struct apw_error *error)
{
    struct decoded decoded;

    memset(method_r, 0, sizeof *method_r);
    if (decode_response(response, &decoded) != 0)
        return apw_error_set(error, "the answer is not base64url, or too long");
    return check_client_data(request, "webauthn.create", &decoded, error) == 0 &&
                   read_registration(request, &decoded, method_r, error) == 0
               ? 0
               : -1;
}

/* ---- a signature ---- */

static int verify_es256(const fido_assert_t *assertion, const struct apw_method *method)
{
    es256_pk_t *key = es256_pk_new();
    int result = FIDO_ERR_INTERNAL;

    if (key != NULL &&
        es256_pk_from_ptr(key, method->public_key, method->public_key_length) == FIDO_OK)
        result = fido_assert_verify(assertion, 0, COSE_ES256, key);
    es256_pk_free(&key);
    return result;
}

static int verify_eddsa(const fido_assert_t *assertion, const struct apw_method *method)
{
    eddsa_pk_t *key = eddsa_pk_new();
    int result = FIDO_ERR_INTERNAL;

    if (key != NULL &&
        eddsa_pk_from_ptr(key, method->public_key, method->public_key_length) == FIDO_OK)
        result = fido_assert_verify(assertion, 0, COSE_EDDSA, key);
    eddsa_pk_free(&key);
    return result;
}

static int verify_rs256(const fido_assert_t *assertion, const struct apw_method *method)
{
    rs256_pk_t *key = rs256_pk_new();
    int result = FIDO_ERR_INTERNAL;

    if (key != NULL &&
        rs256_pk_from_ptr(key, method->public_key, method->public_key_length) == FIDO_OK)
        result = fido_assert_verify(assertion, 0, COSE_RS256, key);
    rs256_pk_free(&key);
    return result;
}

static int verify_signature(const fido_assert_t *assertion, const struct apw_method *method)
{
    switch (method->algorithm) {
    case COSE_ES256:
        return verify_es256(assertion, method);
    case COSE_EDDSA:
        return verify_eddsa(assertion, method);
    case COSE_RS256:
        return verify_rs256(assertion, method);
    default:
        return FIDO_ERR_INVALID_ARGUMENT;
    }
}

/* A copy of the key would count on its own, so a count that does not rise tells of one. Many
 * passkeys do not count. */
static int check_use(const fido_assert_t *assertion, const struct decoded *decoded,
                     struct apw_method *method, struct apw_error *error)
{
    uint32_t counter = fido_assert_sigcount(assertion, 0);
    uint8_t flags = fido_assert_flags(assertion, 0);

    if (method->counter != 0 && counter <= method->counter)
        return apw_error_set(error, "the passkey counts %u uses after %llu: it may be a copy",
                             (unsigned)counter, (unsigned long long)method->counter);
    if ((flags & HAS_MORE) == 0 && decoded->authenticator_length != FIXED_BYTES)
        return apw_error_set(error, "there is something behind the authenticator data");
    if (((flags ^ method->flags) & BACKUP_ELIGIBLE) != 0)
        return apw_error_set(error, "the passkey can be backed up now, or no longer can");
    if (check_flags(flags, error) != 0)
        return -1;
    method->counter = counter;
    method->flags = flags;
    return 0;
}

int apw_passkey_verify(const struct apw_passkey_request *request,
                       const struct apw_passkey_response *response, struct apw_method *method,
                       struct apw_error *error)
{
    fido_assert_t *assertion;
    struct decoded decoded;
    int status = -1;

    if (decode_response(response, &decoded) != 0)
        return apw_error_set(error, "the answer is not base64url, or too long");
    if (check_client_data(request, "webauthn.get", &decoded, error) != 0)
        return -1;
    assertion = fido_assert_new();
    if (assertion == NULL || fido_assert_set_count(assertion, 1) != FIDO_OK)
        apw_error_set(error, "out of memory");
    else if (fido_assert_set_rp(assertion, request->host) != FIDO_OK ||
             fido_assert_set_up(assertion, FIDO_OPT_TRUE) != FIDO_OK ||
             fido_assert_set_clientdata_hash(assertion, decoded.client_hash,
                                             sizeof decoded.client_hash) != FIDO_OK ||
             fido_assert_set_authdata_raw(assertion, 0, decoded.authenticator,
                                          decoded.authenticator_length) != FIDO_OK ||
             fido_assert_set_sig(assertion, 0, decoded.signature, decoded.signature_length) !=
                 FIDO_OK)
        apw_error_set(error, "the authenticator data or the signature are malformed");
    else if (verify_signature(assertion, method) != FIDO_OK)
        apw_error_set(error, "the passkey did not sign this, or for another host");
    else
        status = check_use(assertion, &decoded, method, error);
    fido_assert_free(&assertion);
    return status;
}

/* ---- ids ---- */

void apw_passkey_credential(const struct apw_method *method,
                            char text_r[APW_PASSKEY_CREDENTIAL_SIZE])
{
    sodium_bin2base64(text_r, APW_PASSKEY_CREDENTIAL_SIZE, method->credential,
                      method->credential_length, BASE64);
}

bool apw_passkey_is(const struct apw_method *method, const char *credential)
{
    char own[APW_PASSKEY_CREDENTIAL_SIZE];

    if (method->kind != APW_METHOD_PASSKEY)
        return false;
    apw_passkey_credential(method, own);
    return strcmp(own, credential) == 0;
}
