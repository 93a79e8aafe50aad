/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile_signer: signs profiles for Apple devices, which install a signed one without a warning.
 *
 * A signed profile is a CMS SignedData (RFC 5652) in DER, with the profile, the certificate and its
 * intermediates inside. libcrypto makes it.
 */
#ifndef APW_PROFILE_SIGNER_H
#define APW_PROFILE_SIGNER_H

#include "error.h"
#include "web/buffer.h"
#include <stdbool.h>
#include <stdint.h>

#define APW_PROFILE_SIGNER_SOON_DAYS 14 /* before its end, it is time to renew the certificate */

struct apw_profile_signer;

/* Reads a PEM file: the certificate, then its intermediates. */
int apw_profile_signer_new(const char *certificate, struct apw_profile_signer **signer_r,
                           struct apw_error *error);

/* Reads its private key, also PEM, which others must not be able to read; tries it. */
int apw_profile_signer_set_key(struct apw_profile_signer *signer, const char *key,
                               struct apw_error *error);
bool apw_profile_signer_has_key(const struct apw_profile_signer *signer);

/* Whether the certificate is valid at that time, in seconds since 1970. */
bool apw_profile_signer_is_valid(const struct apw_profile_signer *signer, int64_t now);

/* In words, such as "profile_certificate FILE: the certificate expires on …". */
void apw_profile_signer_describe(const struct apw_profile_signer *signer, int64_t now,
                                 struct apw_error *text_r);

/* Whether the certificate is valid then, and so many days later. */
bool apw_profile_signer_is_good_for(const struct apw_profile_signer *signer, int64_t now, int days);

/* True at the first call, and after that once a day. Thread-safe. */
bool apw_profile_signer_is_news(struct apw_profile_signer *signer, int64_t now);

/* Replaces the profile by the signed one, and wipes every copy of it. Thread-safe. After -1, the
 * profile may be gone. */
int apw_profile_signer_sign(const struct apw_profile_signer *signer, struct apw_buffer *profile,
                            struct apw_error *error);

void apw_profile_signer_free(struct apw_profile_signer **signer); /* wipes; takes NULL */

#endif
