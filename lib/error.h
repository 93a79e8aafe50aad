/*
 * error: the text of a failure, for people.
 *
 * A helper returns 0 or -1 and, on -1, leaves one line here that says what was wrong, where (file
 * and line, key, URI, DN) and what would be right. Never a password or a hash.
 */
#ifndef APW_ERROR_H
#define APW_ERROR_H

struct apw_error {
    char text[512]; /* NUL-terminated, cut where it does not fit; "" while nothing failed */
};

/* Writes the text, printf-like, and returns -1 so that a caller can `return apw_error_set(…)`.
 * `error` may be NULL. The arguments may point into error->text. */
int apw_error_set(struct apw_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
