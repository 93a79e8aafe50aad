/*
 * login: the name that a client typed. Pure.
 */
#ifndef APW_LOGIN_H
#define APW_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#define APW_LOGIN_BYTES_MAX 255
#define APW_LOGIN_SIZE      (APW_LOGIN_BYTES_MAX + 1)

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing past U+10FFFF)? */
bool apw_text_is_utf8(const char *text, size_t length);

/* Valid UTF-8 without control characters: C0, DEL, C1, line separators, and changes of direction?
 */
bool apw_text_is_printable(const char *text, size_t length);

/* Bytes of the first character, 0 where it is a control character or not UTF-8. */
size_t apw_text_printable_bytes(const char *text, size_t length);

/* Characters in valid UTF-8. */
size_t apw_text_characters(const char *text, size_t length);

/* Trims ASCII white space at both ends and, where `realm` is neither NULL nor empty and the login
 * has no '@', appends "@realm". -1, and "" in login_r, where the result is not one that
 * apw_login_is_wellformed() takes. */
int apw_login_canonicalise(const char *login, size_t length, const char *realm,
                           char login_r[APW_LOGIN_SIZE]);

/* Not empty, not blank, at most 255 bytes, UTF-8, no control characters. */
bool apw_login_is_wellformed(const char *login, size_t length);

#endif
