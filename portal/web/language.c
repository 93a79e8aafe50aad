#include "web/language.h"
#include "web/catalog.h"
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DOMAIN "app-password-portal"

/* What has been read so far, as the texts are borrowed for good, and the one that is spoken now:
 * NULL for English. */
static struct translation {
    struct translation *next;
    struct apw_catalog *catalog;
    char path[];
} * translations, *spoken;

static char translations_folder[PATH_MAX];

/* A language that people ask for, and the translation that they get. */
static const struct {
    const char *asked;
    const char *given;
} stand_ins[] = {{"no", "nb"}, {"nn", "nb"}};

/* Copies with one character in the place of another: gettext's pt_BR is pt-BR on the web. */
static void copy_with(const char *from, char old, char new, char *to)
{
    do
        *to++ = *from == old ? new : *from;
    while (*from++ != '\0');
}

static void add(struct apw_languages *languages, const char *folder)
{
    if (languages->count < APW_LANGUAGES_MAX && strlen(folder) < sizeof languages->code[0])
        copy_with(folder, '_', '-', languages->code[languages->count++]);
}

void apw_languages_find(const char *folder, struct apw_languages *languages_r)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    char path[PATH_MAX];

    memset(languages_r, 0, sizeof *languages_r);
    add(languages_r, "en");
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        int length =
            snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/" DOMAIN ".mo", folder, entry->d_name);

        if (entry->d_name[0] != '.' && length < (int)sizeof path && access(path, R_OK) == 0)
            add(languages_r, entry->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    snprintf(translations_folder, sizeof translations_folder, "%s", folder);
}

/* Reads it the first time. NULL where it cannot be read. */
static struct translation *translation_of(const char *path, struct apw_error *error)
{
    struct translation *translation = translations;

    while (translation != NULL && strcmp(translation->path, path) != 0)
        translation = translation->next;
    if (translation != NULL)
        return translation;
    translation = calloc(1, sizeof *translation + strlen(path) + 1);
    if (translation == NULL) {
        apw_error_set(error, "out of memory");
        return NULL;
    }
    if (apw_catalog_read(path, &translation->catalog, error) != 0) {
        free(translation);
        return NULL;
    }
    strcpy(translation->path, path);
    translation->next = translations;
    translations = translation;
    return translation;
}

int apw_language_select(const struct apw_languages *languages, unsigned language,
                        struct apw_error *error)
{
    char folder[sizeof languages->code[0]], path[PATH_MAX];

    spoken = NULL;
    if (language == 0)
        return 0;
    copy_with(languages->code[language], '-', '_', folder);
    if (snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/" DOMAIN ".mo", translations_folder,
                 folder) >= (int)sizeof path)
        return apw_error_set(error, "the name of the folder of translations is too long");
    spoken = translation_of(path, error);
    return spoken != NULL ? 0 : -1;
}

const char *apw_translate(const char *text)
{
    const char *translated = spoken != NULL ? apw_catalog_find(spoken->catalog, text) : NULL;

    return translated != NULL ? translated : text;
}

static int find_exactly(const struct apw_languages *languages, const char *tag, size_t length)
{
    for (unsigned i = 0; i < languages->count; i++)
        if (strlen(languages->code[i]) == length &&
            strncasecmp(languages->code[i], tag, length) == 0)
            return (int)i;
    return -1;
}

/* The language of a tag such as "nb-NO", by all of it or else by what stands before the hyphen. -1
 * for none. */
static int find(const struct apw_languages *languages, const char *tag, size_t length)
{
    int found = find_exactly(languages, tag, length);

    if (found >= 0)
        return found;
    if (memchr(tag, '-', length) != NULL)
        length = strcspn(tag, "-");
    for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++)
        if (strlen(stand_ins[i].asked) == length &&
            strncasecmp(tag, stand_ins[i].asked, length) == 0) {
            tag = stand_ins[i].given;
            length = strlen(tag);
        }
    return find_exactly(languages, tag, length);
}

/* The weight behind a tag, in thousandths: ";q=0.8" is 800, nothing is 1000. */
static int read_weight(const char *text, size_t length)
{
    const char *q = memchr(text, '=', length);
    double weight = q == NULL ? 1.0 : strtod(q + 1, NULL);

    return weight > 1.0 ? 1000 : weight > 0.0 ? (int)(weight * 1000) : 0;
}

unsigned apw_language_choose(const struct apw_languages *languages, const char *header)
{
    int best_weight = 0;
    unsigned best = 0;

    while (header != NULL && *header != '\0') {
        size_t length = strcspn(header, ","), tag_length;
        const char *tag = header + strspn(header, " \t");
        int weight, found;

        if (tag > header + length)
            tag = header + length;
        tag_length = strcspn(tag, " \t;,");
        weight = read_weight(tag + tag_length, (size_t)(header + length - tag) - tag_length);
        found = tag_length > 0 ? find(languages, tag, tag_length) : -1;
        if (found >= 0 && weight > best_weight) {
            best = (unsigned)found;
            best_weight = weight;
        }
        header += length + (header[length] == ',');
    }
    return best;
}
