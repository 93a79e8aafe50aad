/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error: the text of a failure, for people.
 *
 * A function that returns -1 leaves one line here: what is wrong, where (file and line, key, URI,
 * DN) and what to do. Never a password or a hash.
 */
#ifndef APW_ERROR_H
#define APW_ERROR_H

struct apw_error {
    char text[512]; /* NUL-terminated, cut if too long; "" if nothing failed */
};

/* Writes the text, printf-like, and returns -1 so that a caller can `return apw_error_set(…)`.
 * `error` may be NULL. The arguments may point into error->text. */
int apw_error_set(struct apw_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
