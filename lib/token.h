/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * token: the secret of a single-use link: 128 random bits in base64url. The directory has its
 * hash, which needs no salt and no cost: nobody guesses 128 bits.
 */
#ifndef APW_TOKEN_H
#define APW_TOKEN_H

#include <stdbool.h>

#define APW_TOKEN_SIZE 23 /* 22 characters and NUL; a hash has the same form */

/* Makes a new one. Secret: wipe it. sodium_init() must have succeeded. */
void apw_token_make(char token_r[APW_TOKEN_SIZE]);

void apw_token_hash(const char *token, char hash_r[APW_TOKEN_SIZE]);

/* Whether `hash` is the hash of the token; takes the same time whatever differs. */
bool apw_token_has_hash(const char *token, const char hash[APW_TOKEN_SIZE]);

/* Whether the text has the form of a token. */
bool apw_token_is_token(const char *text);

#endif
