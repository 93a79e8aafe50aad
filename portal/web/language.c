/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/language.h"
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Marks a text for scripts/update-po. */
#define N_(text) text

/* TRANSLATORS: the name of your language in your language, as in "Deutsch". */
static const char own_name[] = N_("English");

/* If there is no translation into a language, its readers get another one that they read well. */
static const struct {
    const char *asked;
    const char *given;
} stand_ins[] = {{"no", "nb"}, {"no", "nn"}, {"nn", "nb"}, {"nb", "nn"}};

/* gettext's pt_BR is pt-BR on the web. */
static void set_code(const char *name, char code_r[APW_LANGUAGE_CODE_SIZE])
{
    do
        *code_r++ = (char)(*name == '_' ? '-' : *name);
    while (*name++ != '\0');
}

/* Adds the language of that name, if its translation is installed. */
static int add(struct apw_languages *languages, const char *folder, const char *name,
               const char *domain, struct apw_error *error)
{
    struct apw_language *language = &languages->language[languages->count];
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/%s.mo", folder, name, domain);

    if (strlen(name) >= sizeof language->code || length >= (int)sizeof path ||
        access(path, R_OK) != 0)
        return 0;
    if (languages->count == APW_LANGUAGES_MAX)
        return apw_error_set(error, "%s: more than %d languages", path, APW_LANGUAGES_MAX);
    if (apw_catalog_read(path, &language->catalog, error) != 0)
        return -1;
    set_code(name, language->code);
    languages->count++;
    return 0;
}

static const char *name_of(const struct apw_language *language)
{
    const char *name =
        language->catalog != NULL ? apw_catalog_find(language->catalog, own_name) : own_name;

    return name != NULL ? name : language->code;
}

static int compare_names(const void *left, const void *right)
{
    const struct apw_language *one = left, *other = right;
    int order = strcmp(name_of(one), name_of(other));

    return order != 0 ? order : strcmp(one->code, other->code);
}

int apw_languages_load(const char *folder, const char *domain, struct apw_languages *languages_r,
                       struct apw_error *error)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int status = 0;

    memset(languages_r, 0, sizeof *languages_r);
    strcpy(languages_r->language[languages_r->count++].code, "en");
    while (status == 0 && directory != NULL && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            status = add(languages_r, folder, entry->d_name, domain, error);
    if (directory != NULL)
        closedir(directory);
    /* People look for theirs in the list, and folders have no order. */
    qsort(languages_r->language + 1, languages_r->count - 1, sizeof languages_r->language[0],
          compare_names);
    if (status != 0)
        apw_languages_free(languages_r);
    return status;
}

void apw_languages_free(struct apw_languages *languages)
{
    for (unsigned i = 0; i < languages->count; i++)
        free(languages->language[i].catalog);
    memset(languages, 0, sizeof *languages);
}

const char *apw_language_name(const struct apw_languages *languages, unsigned language)
{
    return name_of(&languages->language[language]);
}

const char *apw_language_translate(const struct apw_languages *languages, unsigned language,
                                   const char *text)
{
    const struct apw_catalog *catalog = languages->language[language].catalog;
    const char *translated = catalog != NULL ? apw_catalog_find(catalog, text) : NULL;

    return translated != NULL ? translated : text;
}

static int find_exactly(const struct apw_languages *languages, const char *tag, size_t length)
{
    for (unsigned i = 0; i < languages->count; i++)
        if (strlen(languages->language[i].code) == length &&
            strncasecmp(languages->language[i].code, tag, length) == 0)
            return (int)i;
    return -1;
}

int apw_language_find(const struct apw_languages *languages, const char *code)
{
    return find_exactly(languages, code, strlen(code));
}

/* The language of a tag such as "nb-NO": of the whole tag, else of the part before the hyphen, else
 * its stand-in; -1 if there is none. */
static int find(const struct apw_languages *languages, const char *tag, size_t length)
{
    int found = find_exactly(languages, tag, length);

    if (found < 0 && memchr(tag, '-', length) != NULL) {
        length = strcspn(tag, "-");
        found = find_exactly(languages, tag, length);
    }
    for (size_t i = 0; found < 0 && i < sizeof stand_ins / sizeof stand_ins[0]; i++)
        if (strlen(stand_ins[i].asked) == length &&
            strncasecmp(tag, stand_ins[i].asked, length) == 0)
            found = apw_language_find(languages, stand_ins[i].given);
    return found;
}

/* The weight after a tag, in thousandths: ";q=0.8" is 800; the default is 1000. */
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
