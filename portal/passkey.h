/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passkey: checks what browsers send for passkeys and security keys (WebAuthn level 2). Pure; opens
 * no device.
 *
 * libfido2 reads the authenticator data and checks signatures, jansson reads the client data. There
 * is no attestation, so a registration has no signature to check (7.1, step 21).
 */
#ifndef APW_PASSKEY_H
#define APW_PASSKEY_H

#include "error.h"
#include "method.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_PASSKEY_CHALLENGE_SIZE    44   /* 32 random bytes in base64url, and NUL */
#define APW_PASSKEY_CLIENT_DATA_MAX   2048 /* bytes, as the others */
#define APW_PASSKEY_AUTHENTICATOR_MAX 2048
#define APW_PASSKEY_SIGNATURE_MAX     512

/* The site, and what it asked for. Borrowed. */
struct apw_passkey_request {
    const char *host;   /* the relying party's id, in lower case */
    const char *origin; /* "https://mail.example.org" */
    const char *challenge;
};

/* The browser's answer: base64url without padding. Borrowed. */
struct apw_passkey_response {
    const char *client_data;
    const char *authenticator_data;
    const char *signature; /* not for a registration */
};

/* Makes a challenge. sodium_init() must have succeeded. */
void apw_passkey_make_challenge(char challenge_r[APW_PASSKEY_CHALLENGE_SIZE]);

/* Reads a new passkey: kind, credential, public key, counter and flags of *method_r. -1 if it is
 * not the answer to that request. */
int apw_passkey_register(const struct apw_passkey_request *request,
                         const struct apw_passkey_response *response, struct apw_method *method_r,
                         struct apw_error *error);

/* Whether the owner of *method signed the request. If so, its counter and flags are now those of
 * this use: store them. -1 also if the counter did not rise, as that of a copy would not. */
int apw_passkey_verify(const struct apw_passkey_request *request,
                       const struct apw_passkey_response *response, struct apw_method *method,
                       struct apw_error *error);

/* Whether the method is the credential with that id, in base64url. */
bool apw_passkey_is(const struct apw_method *method, const char *credential);

/* Writes the credential's id in base64url. */
#define APW_PASSKEY_CREDENTIAL_SIZE (APW_METHOD_CREDENTIAL_MAX * 4 / 3 + 4)
void apw_passkey_credential(const struct apw_method *method,
                            char text_r[APW_PASSKEY_CREDENTIAL_SIZE]);

#endif
