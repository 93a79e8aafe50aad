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

#define APW_LANGUAGES_MAX      64
#define APW_LANGUAGE_CODE_SIZE 16

struct apw_language {
    char code[APW_LANGUAGE_CODE_SIZE]; /* "en", "nb", "pt-BR" (RFC 5646) */
    struct apw_catalog *catalog;       /* owned; NULL for English */
};

/* English, then the others in the order of their own names. */
struct apw_languages {
    unsigned count;
    struct apw_language language[APW_LANGUAGES_MAX];
};

/* Reads every FOLDER/<language>/LC_MESSAGES/<domain>.mo. -1 if one of them is damaged, or there are
 * too many. */
int apw_languages_load(const char *folder, const char *domain, struct apw_languages *languages_r,
                       struct apw_error *error);
void apw_languages_free(struct apw_languages *languages);

/* Its name in the language itself, as in "Deutsch". Borrowed from `languages`. */
const char *apw_language_name(const struct apw_languages *languages, unsigned language);

/* The translation, or the text itself if it has none. Borrowed from `languages`. */
const char *apw_language_translate(const struct apw_languages *languages, unsigned language,
                                   const char *text);

/* The language of that code, -1 if there is none. */
int apw_language_find(const struct apw_languages *languages, const char *code);

/* The language for an Accept-Language header (RFC 9110, 12.5.4), which may be NULL. */
unsigned apw_language_choose(const struct apw_languages *languages, const char *header);

#endif
