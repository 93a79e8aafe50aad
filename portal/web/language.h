/*
 * language: which languages there are, and in which one a visitor is answered.
 *
 * English is language 0; every other one is an installed translation of ours, as gettext's tools
 * make them. All translating is done at the start, in one thread.
 */
#ifndef APW_LANGUAGE_H
#define APW_LANGUAGE_H

#include "error.h"
#include <stddef.h>

#define APW_LANGUAGES_MAX 16

struct apw_languages {
    unsigned count;
    char code[APW_LANGUAGES_MAX][16]; /* "en", "nb", "pt-BR" (RFC 5646) */
};

/* Finds the translations below `folder` (…/share/locale). */
void apw_languages_find(const char *folder, struct apw_languages *languages_r);

/* Has apw_translate() speak that language from now on; for the start, while there is one thread. -1
 * where the translation cannot be read. */
int apw_language_select(const struct apw_languages *languages, unsigned language,
                        struct apw_error *error);

/* The text in the selected language; the text itself where it has no translation. Borrowed for
 * good. */
const char *apw_translate(const char *text);

/* The language for an Accept-Language header (RFC 9110, 12.5.4), which may be NULL. */
unsigned apw_language_choose(const struct apw_languages *languages, const char *header);

#endif
