/*
 * language: which languages there are, and in which one a visitor is answered.
 *
 * English is language 0; every other one is an installed translation of ours (gettext). All
 * translating is done at the start, in one thread: gettext() follows the process's environment, and
 * requests of several languages are answered at the same time.
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
 * where the system has no UTF-8 locale to do so from. */
int apw_language_select(const struct apw_languages *languages, unsigned language,
                        struct apw_error *error);

/* What the system says is English again: strerror() is for the log. */
void apw_language_leave(void);

/* The text in the selected language; the text itself where it has no translation. Borrowed for
 * good. */
const char *apw_translate(const char *text);

/* The language for an Accept-Language header (RFC 9110, 12.5.4), which may be NULL. */
unsigned apw_language_choose(const struct apw_languages *languages, const char *header);

#endif
