/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * support: how users reach support, in the language of the page.
 */
#ifndef APW_SUPPORT_H
#define APW_SUPPORT_H

#include "error.h"
#include "web/language.h"

#define APW_SUPPORTS_MAX (APW_LANGUAGES_MAX + 1)

struct apw_support {
    char language[APW_LANGUAGE_CODE_SIZE]; /* "" for all others */
    char *text;                            /* owned */
    char *link; /* owned; of the first web or mail address in the text, or NULL */
};

/* Those of a site; all zeroes: none. */
struct apw_supports {
    unsigned count;
    struct apw_support support[APW_SUPPORTS_MAX];
};

/* Adds the text for all other languages, or those of a list like "nb …; de …". */
int apw_supports_add(struct apw_supports *supports, const char *text, struct apw_error *error);
int apw_supports_add_list(struct apw_supports *supports, const char *list, struct apw_error *error);

/* -1 if one is for a language that the page does not have. */
int apw_supports_check(const struct apw_supports *supports, const struct apw_languages *languages,
                       struct apw_error *error);

void apw_supports_free(struct apw_supports *supports);

/* The one for a language such as "nb", else the one for all others; NULL if there is none. */
const struct apw_support *apw_supports_find(const struct apw_supports *supports,
                                            const char *language);

#endif
