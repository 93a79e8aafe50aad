/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/text.h"
#include <stdlib.h>

struct apw_texts {
    size_t count;
    const char *text[]; /* those of the first language, of the second, … */
};

int apw_texts_load(const struct apw_languages *languages, const char *const english[], size_t count,
                   struct apw_texts **texts_r, struct apw_error *error)
{
    struct apw_texts *texts =
        calloc(1, sizeof *texts + languages->count * count * sizeof texts->text[0]);

    *texts_r = texts;
    if (texts == NULL)
        return apw_error_set(error, "out of memory");
    texts->count = count;
    for (unsigned i = 0; i < languages->count; i++)
        for (size_t j = 0; j < count; j++)
            texts->text[i * count + j] =
                j == 0 ? "" : apw_language_translate(languages, i, english[j]);
    return 0;
}

void apw_texts_free(struct apw_texts **texts)
{
    free(*texts);
    *texts = NULL;
}

const char *apw_text_in(const struct apw_texts *texts, unsigned text, unsigned language)
{
    return texts->text[language * texts->count + text];
}
