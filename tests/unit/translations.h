/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translations: the catalogs built from po/, in the layout of an installation.
 */
#ifndef APW_TRANSLATIONS_H
#define APW_TRANSLATIONS_H

#include "unit.h"
#include "web/language.h"
#include <sys/stat.h>

static char translations_folder[UNIT_PATH_SIZE];

static inline void translations_remove(void)
{
    char command[UNIT_PATH_SIZE + 32];

    snprintf(command, sizeof command, "rm -rf '%s'", translations_folder);
    if (system(command) != 0)
        abort();
}

/* Adds a language with this catalog. */
static inline void translations_install(const char *code, const char *catalog)
{
    char path[UNIT_PATH_SIZE + 64];

    snprintf(path, sizeof path, "%s/%s", translations_folder, code);
    if (mkdir(path, 0755) != 0)
        abort();
    strcat(path, "/LC_MESSAGES");
    if (mkdir(path, 0755) != 0)
        abort();
    strcat(path, "/app-password-portal.mo");
    if (symlink(catalog, path) != 0)
        abort();
}

/* The first call installs the catalogs, one of them also for a region, and folders without a
 * catalog. Each call loads them. The caller frees the languages. */
static inline void translations_load(struct apw_languages *languages_r)
{
    struct apw_error error = {""};

    unit_path("locale", translations_folder);
    if (access(translations_folder, F_OK) != 0) {
        if (mkdir(translations_folder, 0755) != 0)
            abort();
        atexit(translations_remove);
        for (const char *code = APW_LANGUAGES; *code != '\0'; code += strcspn(code, " ") + 1) {
            char name[16], catalog[UNIT_PATH_SIZE];

            snprintf(name, sizeof name, "%.*s", (int)strcspn(code, " "), code);
            snprintf(catalog, sizeof catalog, APW_BUILDDIR "/po/%s.mo", name);
            translations_install(name, catalog);
        }
        translations_install("zz_ZZ", APW_BUILDDIR "/po/nb.mo");
        translations_install("xx", "/nowhere");
        translations_install("a-name-that-is-too-long", APW_BUILDDIR "/po/nb.mo");
        translations_install(".hidden", APW_BUILDDIR "/po/nb.mo");
    }
    if (apw_languages_load(translations_folder, "app-password-portal", languages_r, &error) != 0)
        fail_msg("%s", error.text);
}

static inline unsigned translations_number(const struct apw_languages *languages, const char *code)
{
    unsigned i = 0;

    while (i < languages->count && strcmp(languages->language[i].code, code) != 0)
        i++;
    if (i == languages->count)
        fail_msg("there is no %s", code);
    return i;
}

#endif
