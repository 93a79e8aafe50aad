/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password: an app password as text. Pure; no directory, no hash.
 *
 * Shown as k7q2-9fjd-x3mh-4tnz-p8ww: twenty symbols of Crockford's base32 in lower case. The first
 * four are the id, which is not secret; fifteen are secret (75 bits); the last is a check symbol,
 * Luhn's algorithm modulo 32 over the other nineteen. The canonical form, which is hashed, has no
 * separators.
 */
#ifndef APW_PASSWORD_H
#define APW_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define APW_ID_LENGTH       4
#define APW_PASSWORD_LENGTH 20

/* A canonical app password and its NUL. Secret: wipe with sodium_memzero(). */
struct apw_password {
    char symbols[APW_PASSWORD_LENGTH + 1];
};

/* Makes a new one from the system's random numbers. sodium_init() must have succeeded. */
void apw_password_make(struct apw_password *password_r);

/* Whether `typed` is an app password: twenty symbols with the right check symbol, after ignoring
 * ASCII case, white space, invisible characters (ignorable.h), hyphens and dashes, and reading o as
 * 0, i and l as 1.
 * Fills *password_r, or wipes it. `typed` need not end in NUL and may contain any bytes. */
bool apw_password_recognize(const char *typed, size_t length, struct apw_password *password_r);

/* Whether `typed` is an app password exactly as apw_password_show() writes it, which no
 * account password is by chance. */
bool apw_password_is_as_shown(const char *typed, size_t length);

/* Whether a login is an app password typed into the wrong field, perhaps with a realm appended. */
bool apw_password_is_login(const char *login, size_t length);

/* Copies the id: the first four symbols and a NUL. */
void apw_password_id(const struct apw_password *password, char id_r[APW_ID_LENGTH + 1]);

/* Whether `text` is four symbols of the alphabet, as an id is stored. */
bool apw_password_is_id(const char *text, size_t length);

/* Makes `count` random symbols and a NUL. */
void apw_password_make_symbols(size_t count, char *symbols_r);

/* Reads exactly `count` symbols as typed, as apw_password_recognize() does, and a NUL. */
bool apw_password_read_symbols(const char *typed, size_t length, size_t count, char *symbols_r);

#define APW_PASSWORD_SHOWN_SIZE (APW_PASSWORD_LENGTH + 4 + 1)
/* The form shown to people, in groups of four with hyphens. Secret: wipe it. */
void apw_password_show(const struct apw_password *password, char shown_r[APW_PASSWORD_SHOWN_SIZE]);

/* The check symbol for the nineteen symbols before it; 0 if one is not in the alphabet. */
char apw_password_check_symbol(const char *symbols);

/* Reads an id as typed: upper case, o for 0, i and l for 1. -1 if it is not an id. */
int apw_password_id_canonicalize(const char *typed, char id_r[APW_ID_LENGTH + 1]);

#endif
