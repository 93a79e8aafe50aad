/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text: a table of sentences, in every language.
 */
#ifndef APW_TEXT_H
#define APW_TEXT_H

#include "error.h"
#include "web/language.h"

struct apw_texts;

/* Translates `count` English sentences; number 0 is always "". All of it is borrowed, and must
 * outlive the texts. */
int apw_texts_load(const struct apw_languages *languages, const char *const english[], size_t count,
                   struct apw_texts **texts_r, struct apw_error *error);
void apw_texts_free(struct apw_texts **texts); /* takes NULL */

/* Borrowed from `texts`. */
const char *apw_text_in(const struct apw_texts *texts, unsigned text, unsigned language);

#endif
