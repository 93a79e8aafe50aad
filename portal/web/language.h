/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * language: the installed translations, and the one in which to answer a request.
 *
 * Language 0 is English, in which the texts are written. Every other one is a .mo file. After
 * loading, everything here is only read: thread-safe.
 */
#ifndef APW_LANGUAGE_H
#define APW_LANGUAGE_H

#include "error.h"
#include "web/catalog.h"
#include <stddef.h>

#define APW_LANGUAGES_MAX 16

struct apw_languages {
    unsigned count;
    char code[APW_LANGUAGES_MAX][16];               /* "en", "nb", "pt-BR" (RFC 5646) */
    struct apw_catalog *catalog[APW_LANGUAGES_MAX]; /* owned; NULL for English */
};

/* Reads every FOLDER/<language>/LC_MESSAGES/<domain>.mo. -1 if one of them is damaged. */
int apw_languages_load(const char *folder, const char *domain, struct apw_languages *languages_r,
                       struct apw_error *error);
void apw_languages_free(struct apw_languages *languages);

/* The translation, or the text itself if it has none. Borrowed from `languages`. */
const char *apw_language_translate(const struct apw_languages *languages, unsigned language,
                                   const char *text);

/* The language for an Accept-Language header (RFC 9110, 12.5.4), which may be NULL. */
unsigned apw_language_choose(const struct apw_languages *languages, const char *header);

#endif
