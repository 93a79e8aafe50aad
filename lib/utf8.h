/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8: text in UTF-8 (RFC 3629). Pure.
 */
#ifndef APW_UTF8_H
#define APW_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the first character. Returns its bytes, or 0 if it is not valid UTF-8. `length` is at
 * least 1. */
size_t apw_utf8_decode(const char *text, size_t length, uint32_t *character_r);

/* No surrogates, no overlong forms, nothing past U+10FFFF. */
bool apw_utf8_is_valid(const char *text, size_t length);

/* Valid, and without control characters: C0, DEL, C1, line separators, and changes of direction. */
bool apw_utf8_is_printable(const char *text, size_t length);

/* Bytes of the first character; 0 if it is a control character or not valid UTF-8. */
size_t apw_utf8_printable_bytes(const char *text, size_t length);

/* An ASCII letter in lower case, whatever the locale; other bytes stay. */
char apw_utf8_lower(char c);

/* Characters in valid UTF-8. */
size_t apw_utf8_characters(const char *text, size_t length);

#endif
