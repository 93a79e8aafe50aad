/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/catalog.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC         0x950412deU
#define MAGIC_SWAPPED 0xde120495U
#define SIZE_MAX_FILE (1U << 20)

/* Offsets in the file's header, each of a word of four bytes. */
enum { AT_MAGIC = 0, AT_COUNT = 8, AT_TEXTS = 12, AT_TRANSLATIONS = 16 };

struct apw_catalog {
    size_t size;
    bool is_swapped; /* in the other byte order */
    unsigned char bytes[SIZE_MAX_FILE];
};

/* The word at an offset; past the end 0, where no text can be. */
static uint32_t word_at(const struct apw_catalog *catalog, uint64_t offset)
{
    uint32_t word;

    if (offset + sizeof word > catalog->size)
        return 0;
    memcpy(&word, catalog->bytes + offset, sizeof word);
    return catalog->is_swapped ? __builtin_bswap32(word) : word;
}

/* Text number `i` of a table of lengths and offsets; NULL if it does not end within the file. */
static const char *text_at(const struct apw_catalog *catalog, uint32_t table, uint32_t i)
{
    uint64_t entry = (uint64_t)table + 8 * (uint64_t)i;
    uint64_t length = word_at(catalog, entry), place = word_at(catalog, entry + 4);

    if (place == 0 || place + length >= catalog->size || catalog->bytes[place + length] != '\0')
        return NULL;
    return (const char *)catalog->bytes + place;
}

int apw_catalog_read(const char *path, struct apw_catalog **catalog_r, struct apw_error *error)
{
    struct apw_catalog *catalog = NULL;
    FILE *file = fopen(path, "re");
    uint32_t magic;

    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    catalog = calloc(1, sizeof *catalog);
    if (catalog != NULL)
        catalog->size = fread(catalog->bytes, 1, sizeof catalog->bytes, file);
    fclose(file);
    if (catalog == NULL)
        return apw_error_set(error, "out of memory");
    magic = word_at(catalog, AT_MAGIC);
    if (magic != MAGIC && magic != MAGIC_SWAPPED) {
        free(catalog);
        return apw_error_set(error, "%s: not a translation (.mo file) made by gettext's msgfmt",
                             path);
    }
    catalog->is_swapped = magic == MAGIC_SWAPPED;
    *catalog_r = catalog;
    return 0;
}

const char *apw_catalog_find(const struct apw_catalog *catalog, const char *text)
{
    uint32_t count = word_at(catalog, AT_COUNT), texts = word_at(catalog, AT_TEXTS);

    for (uint32_t i = 0; i < count && i < catalog->size / 8; i++) {
        const char *found = text_at(catalog, texts, i);

        if (found != NULL && strcmp(found, text) == 0)
            return text_at(catalog, word_at(catalog, AT_TRANSLATIONS), i);
    }
    return NULL;
}
