/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor_passkey.h"
#include "clock.h"
#include "label.h"
#include "passkey.h"
#include "web/buffer.h"
#include <sodium.h>
#include <string.h>

#define CHALLENGE_MINUTES 10
#define HANDLE_BYTES      32
#define HANDLE_SIZE       44
#define VARIANT           sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* ---- what is asked for ---- */

/* The same challenge for several tabs, until one of them answers. */
static const char *challenge_of(struct apw_visitor *visitor)
{
    if (apw_clock_remaining_ms(visitor->challenge_until_ms) == 0) {
        apw_passkey_make_challenge(visitor->challenge);
        visitor->challenge_until_ms = apw_clock_monotonic_ms() + CHALLENGE_MINUTES * 60 * 1000;
    }
    return visitor->challenge;
}

/* Takes the challenge, which is good for one answer. -1 if there is none. */
static int take_challenge(struct apw_visitor *visitor, char challenge_r[APW_PASSKEY_CHALLENGE_SIZE],
                          struct apw_error *error)
{
    bool is_late = apw_clock_remaining_ms(visitor->challenge_until_ms) == 0;

    memcpy(challenge_r, visitor->challenge, sizeof visitor->challenge);
    sodium_memzero(visitor->challenge, sizeof visitor->challenge);
    visitor->challenge_until_ms = 0;
    return is_late ? apw_error_set(error, "the page is older than %d minutes", CHALLENGE_MINUTES)
                   : 0;
}

/* The ids of the person's passkeys, with spaces between them; "" for none. */
static void list_credentials(const struct apw_factors *factors, struct apw_buffer *list)
{
    char credential[APW_PASSKEY_CREDENTIAL_SIZE];

    for (size_t i = 0; i < factors->count; i++) {
        const struct apw_factor *factor = &factors->factor[i];

        if (factor->method.kind != APW_METHOD_PASSKEY || !factor->is_allowed)
            continue;
        apw_passkey_credential(&factor->method, credential);
        if (list->length > 0)
            apw_buffer_add_string(list, " ");
        apw_buffer_add_string(list, credential);
    }
}

/* Says nothing about the person, and is the same for all of their passkeys (WebAuthn 14.6.1). */
static void make_handle(const struct apw_request *request, char handle_r[HANDLE_SIZE])
{
    uint8_t own_key[crypto_generichash_KEYBYTES], bytes[HANDLE_BYTES];
    const char *id = request->account.user->unique_id;

    crypto_kdf_derive_from_key(own_key, sizeof own_key, 1, "passkeys",
                               request->portal->portal_config->key);
    crypto_generichash(bytes, sizeof bytes, (const uint8_t *)id, strlen(id), own_key,
                       sizeof own_key);
    sodium_bin2base64(handle_r, HANDLE_SIZE, bytes, sizeof bytes, VARIANT);
    sodium_memzero(own_key, sizeof own_key);
}

static void set_request(struct apw_request *request, const struct apw_buffer *list)
{
    apw_page_set(&request->page, "challenge", challenge_of(request->visitor));
    apw_page_set(&request->page, "host", request->portal->portal_config->factors.origin.host);
    apw_page_set(&request->page, "credentials", list->bytes);
}

void apw_factor_passkey_show(struct apw_request *request)
{
    struct apw_buffer list = {.bytes = NULL};
    char handle[HANDLE_SIZE];

    if (!request->portal->portal_config->factors.allows[APW_METHOD_PASSKEY]) {
        apw_request_go(request, "choose");
        return;
    }
    list_credentials(&request->account.factors, &list);
    make_handle(request, handle);
    set_request(request, &list);
    apw_page_set(&request->page, "handle", handle);
    apw_request_show_step(request, APW_TITLE_PASSKEY, "passkey.html", 2);
    apw_buffer_free(&list);
}

void apw_factor_passkey_set_challenge(struct apw_request *request, struct apw_buffer *credentials_r)
{
    list_credentials(&request->account.factors, credentials_r);
    set_request(request, credentials_r);
}

/* ---- what is answered ---- */

static struct apw_passkey_response response_of(const struct apw_request *request)
{
    return (struct apw_passkey_response){
        .client_data = apw_request_field(request, APW_FIELD_CLIENT_DATA),
        .authenticator_data = apw_request_field(request, APW_FIELD_AUTHENTICATOR_DATA),
        .signature = apw_request_field(request, APW_FIELD_SIGNATURE)};
}

static struct apw_passkey_request request_of(const struct apw_request *request,
                                             const char *challenge)
{
    const struct apw_origin *origin = &request->portal->portal_config->factors.origin;

    return (struct apw_passkey_request){
        .host = origin->host, .origin = origin->text, .challenge = challenge};
}

static bool is_known(const struct apw_factors *factors, const struct apw_method *method)
{
    char credential[APW_PASSKEY_CREDENTIAL_SIZE];

    apw_passkey_credential(method, credential);
    for (size_t i = 0; i < factors->count; i++)
        if (apw_passkey_is(&factors->factor[i].method, credential))
            return true;
    return false;
}

bool apw_factor_passkey_register(struct apw_request *request, struct apw_method *method_r)
{
    const struct apw_passkey_response response = response_of(request);
    char challenge[APW_PASSKEY_CHALLENGE_SIZE];
    const struct apw_passkey_request asked = request_of(request, challenge);
    struct apw_error error = {""};
    int status = take_challenge(request->visitor, challenge, &error);

    if (status == 0)
        status = apw_passkey_register(&asked, &response, method_r, &error);
    if (status == 0 && is_known(&request->account.factors, method_r))
        status = apw_error_set(&error, "the passkey is set up already");
    if (status == 0) /* without a valid name it has none */
        apw_label_read(apw_request_field(request, APW_FIELD_LABEL), method_r->name);
    else
        apw_request_log(request, APW_REFUSED, APW_REASON_WRONG_SECOND_FACTOR, "enrol", NULL,
                        &error);
    return status == 0;
}

const struct apw_factor *apw_factor_passkey_answered(const struct apw_request *request)
{
    const struct apw_factors *factors = &request->account.factors;
    const char *credential = apw_request_field(request, APW_FIELD_CREDENTIAL);

    for (size_t i = 0; i < factors->count; i++)
        if (factors->factor[i].is_allowed && apw_passkey_is(&factors->factor[i].method, credential))
            return &factors->factor[i];
    return NULL;
}

enum apw_reason apw_factor_passkey_check(const struct apw_request *request,
                                         struct apw_method *method, struct apw_error *error)
{
    const struct apw_passkey_response response = response_of(request);
    char challenge[APW_PASSKEY_CHALLENGE_SIZE];
    const struct apw_passkey_request asked = request_of(request, challenge);

    return take_challenge(request->visitor, challenge, error) == 0 &&
                   apw_passkey_verify(&asked, &response, method, error) == 0
               ? APW_REASON_SECOND_FACTOR
               : APW_REASON_WRONG_SECOND_FACTOR;
}
