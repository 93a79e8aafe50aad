/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of a language, and the translations. */
#include "translations.h"
#include "unit.h"
#include "web/catalog.h"
#include "web/language.h"
#include "web/text.h"
#include "wording.h"
#include <dirent.h>

/* English, and what a site might have installed. */
static const struct apw_languages installed = {
    .count = 5,
    .language = {
        {.code = "en"}, {.code = "nb"}, {.code = "de"}, {.code = "pt"}, {.code = "pt-BR"}}};

static const struct header_case {
    const char *name;
    const char *header;
    const char *code;
} headers[] = {
    {"no header is English", NULL, "en"},
    {"an empty header is English", "", "en"},
    {"one language", "nb", "nb"},
    {"English", "en", "en"},
    {"a language with a region", "nb-NO", "nb"},
    {"a language with a script and a region", "de-Latn-CH", "de"},
    {"a language in upper case", "NB-no", "nb"},
    {"Norwegian is Bokmål", "no", "nb"},
    {"Norwegian with a region is Bokmål", "no-NO", "nb"},
    {"Nynorsk without a translation is better served by Bokmål than by English", "nn", "nb"},
    {"Nynorsk without a translation, with a region", "nn-NO,nn;q=0.9", "nb"},
    {"a region that has a translation of its own", "pt-BR", "pt-BR"},
    {"a region in another case", "PT-br;q=0.5", "pt-BR"},
    {"a region that has none", "pt-AO", "pt"},
    {"a language of which there is nothing", "fr", "en"},
    {"a language that begins like one", "nbx", "en"},
    {"a language that one begins like", "n", "en"},
    {"a language that is a beginning of the region", "xx-nb", "en"},
    {"anything is English", "*", "en"},

    {"the first of two", "nb,de", "nb"},
    {"the first of two, with spaces", " \t nb ,\tde ", "nb"},
    {"the first that there is", "fr,sv,de,nb", "de"},
    {"the one with more weight", "nb;q=0.5,de;q=0.8", "de"},
    {"a weight behind spaces", "nb ; q=0.5 , de ; q=0.8", "de"},
    {"no weight is the most", "nb;q=0.9,de", "de"},
    {"the same weight leaves the order", "de;q=0.5,nb;q=0.5", "de"},
    {"a weight of three digits", "nb;q=0.501,de;q=0.502", "de"},
    {"English may be wanted more", "nb;q=0.3,en;q=0.7", "en"},
    {"a weight of 0 is no", "nb;q=0", "en"},
    {"a weight of 0.000 is no", "nb;q=0.000,de;q=0.001", "de"},
    {"a header of Firefox", "nb-NO,nb;q=0.9,no-NO;q=0.8,no;q=0.6,nn-NO;q=0.5,nn;q=0.4,en-US;q=0.3",
     "nb"},
    {"a header of Safari", "nb-NO,nb;q=0.9", "nb"},
    {"a region of a later tag belongs to that tag", "nb;q=0.5,en-US;q=0.4", "nb"},

    {"commas alone", ",,,,", "en"},
    {"commas around one", ",,nb,,", "nb"},
    {"spaces alone", "   ", "en"},
    {"a semicolon alone", ";", "en"},
    {"a weight without a language", ";q=1,nb;q=0.1", "nb"},
    {"a weight above 1 is 1", "nb;q=1,de;q=99999999999999999999", "nb"},
    {"a weight below 0 is no", "nb;q=-1,de;q=0.1", "de"},
    {"an infinite weight is 1 at most", "nb;q=1,de;q=inf", "nb"},
    {"a weight that is no number is no", "nb;q=nan,de;q=0.1", "de"},
    {"a weight of letters is no", "nb;q=abc,de;q=0.1", "de"},
    {"an empty weight is no", "nb;q=,de;q=0.1", "de"},
    {"a weight that goes on in the next tag is no", "nb;q= ,de;q=0.1", "de"},
    {"a hyphen alone", "-", "en"},
    {"a hyphen in front", "-nb", "en"},
    {"a trailing hyphen", "nb-", "nb"},
    {"a path", "../../nb", "en"},
    {"a path after a language", "nb-/../de", "nb"},
    {"bytes past ASCII", "\xff\xfe,nb", "nb"},
    {"a line end", "nb\r\nSet-Cookie: x", "en"},
};

static void test_header(void **state)
{
    const struct header_case *row = *state;
    char *header = row->header == NULL ? NULL : unit_copy(row->header, strlen(row->header) + 1);
    unsigned language = apw_language_choose(&installed, header);

    assert_true(language < installed.count);
    assert_string_equal(installed.language[language].code, row->code);
    free(header);
}

/* Both written forms of Norwegian, or one. */
static const struct norwegian_case {
    const char *name;
    struct apw_languages installed;
    const char *header;
    const char *code;
} norwegian[] = {
    {"Nynorsk", {3, {{.code = "en"}, {.code = "nb"}, {.code = "nn"}}}, "nn", "nn"},
    {"Nynorsk with a region", {3, {{.code = "en"}, {.code = "nb"}, {.code = "nn"}}}, "nn-NO", "nn"},
    {"Bokmål beside Nynorsk", {3, {{.code = "en"}, {.code = "nn"}, {.code = "nb"}}}, "nb-NO", "nb"},
    {"either of them", {3, {{.code = "en"}, {.code = "nn"}, {.code = "nb"}}}, "no", "nb"},
    {"Bokmål without a translation", {2, {{.code = "en"}, {.code = "nn"}}}, "nb-NO", "nn"},
    {"either of them without Bokmål", {2, {{.code = "en"}, {.code = "nn"}}}, "no", "nn"},
};

static void test_norwegian(void **state)
{
    const struct norwegian_case *row = *state;
    unsigned language = apw_language_choose(&row->installed, row->header);

    assert_string_equal(row->installed.language[language].code, row->code);
}

static void test_code(void **state)
{
    (void)state;
    assert_int_equal(apw_language_find(&installed, "en"), 0);
    assert_int_equal(apw_language_find(&installed, "PT-br"), 4);
    assert_int_equal(apw_language_find(&installed, "pt-AO"), -1);
    assert_int_equal(apw_language_find(&installed, "no"), -1);
    assert_int_equal(apw_language_find(&installed, ""), -1);
}

static void test_long_headers(void **state)
{
    static const char *const parts[] = {"nb,", "x", "fr;q=0.1,", "-", ";", ",", "=", "q=1,", "nb-"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(parts); i++) {
        char *header = unit_repeat(parts[i], 10000);

        assert_true(apw_language_choose(&installed, header) < 2);
        free(header);
    }
}

static void test_english_alone(void **state)
{
    const struct apw_languages english = {.count = 1, .language = {{.code = "en"}}};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(headers); i++)
        assert_int_equal(apw_language_choose(&english, headers[i].header), 0);
}

/* ---- what is installed ---- */

static void test_find(void **state)
{
    struct apw_languages languages;
    unsigned spaces = 0;

    (void)state;
    translations_load(&languages);
    for (const char *code = APW_LANGUAGES; *code != '\0'; code++)
        spaces += *code == ' ';
    assert_true(spaces >= 1);
    assert_int_equal(languages.count, 1 + spaces + 1);
    assert_string_equal(languages.language[0].code, "en");
    for (unsigned i = 1; i < languages.count; i++)
        assert_contains(APW_LANGUAGES "zz-ZZ", languages.language[i].code);
    apw_languages_free(&languages);
}

/* The list that a page offers: English, then by the languages' own names, whatever order the folder
 * has. */
static void test_order(void **state)
{
    struct apw_languages languages;

    (void)state;
    translations_load(&languages);
    assert_string_equal(apw_language_name(&languages, 0), "English");
    for (unsigned i = 1; i < languages.count; i++) {
        const char *name = apw_language_name(&languages, i);

        assert_string_not_equal(name, "English");
        assert_string_not_equal(name, languages.language[i].code);
        if (i > 1 && strcmp(apw_language_name(&languages, i - 1), name) >= 0)
            assert_true(strcmp(languages.language[i - 1].code, "nb") == 0 &&
                        strcmp(languages.language[i].code, "zz-ZZ") == 0); /* the same catalog */
    }
    assert_string_equal(apw_language_name(&languages, translations_number(&languages, "nb")),
                        "Norsk bokmål");
    apw_languages_free(&languages);
}

static void test_find_nothing(void **state)
{
    struct apw_languages languages;

    (void)state;
    assert_int_equal(apw_languages_load("/nowhere", "domain", &languages, NULL), 0);
    assert_int_equal(languages.count, 1);
    assert_string_equal(languages.language[0].code, "en");
    assert_string_equal(apw_language_translate(&languages, 0, "Sign in"), "Sign in");
    apw_languages_free(&languages);
}

/* A translation that is there but damaged is an error, not English. */
static void test_damaged(void **state)
{
    struct apw_languages languages;
    struct apw_error error = {""};
    char folder[UNIT_PATH_SIZE], path[UNIT_PATH_SIZE + 64];

    (void)state;
    unit_path("damaged", folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    snprintf(path, sizeof path, "%s/nb", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    strcat(path, "/LC_MESSAGES");
    assert_int_equal(mkdir(path, 0755), 0);
    strcat(path, "/domain.mo");
    unit_write(path, "not a catalog", 13);
    assert_int_equal(apw_languages_load(folder, "other", &languages, &error), 0);
    assert_int_equal(languages.count, 1);
    apw_languages_free(&languages);
    assert_int_equal(apw_languages_load(folder, "domain", &languages, &error), -1);
    assert_contains(error.text, "/nb/LC_MESSAGES/domain.mo: not a translation");
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* None is left out without a word. */
static void test_too_many(void **state)
{
    struct apw_languages languages;
    struct apw_error error = {""};
    char command[2 * UNIT_PATH_SIZE + 256], folder[UNIT_PATH_SIZE];

    (void)state;
    unit_path("many", folder);
    snprintf(command, sizeof command,
             "for i in $(seq %d); do mkdir -p '%s'/$i/LC_MESSAGES && cp " APW_BUILDDIR
             "/po/nb.mo '%s'/$i/LC_MESSAGES/d.mo || exit 1; done",
             APW_LANGUAGES_MAX, folder, folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(apw_languages_load(folder, "d", &languages, &error), -1);
    assert_contains(error.text, "more than 64 languages");
    snprintf(command, sizeof command, "rm -r '%s'/1", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(apw_languages_load(folder, "d", &languages, &error), 0);
    assert_int_equal(languages.count, APW_LANGUAGES_MAX);
    apw_languages_free(&languages);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void test_translate(void **state)
{
    struct apw_languages languages;
    unsigned bokmal, region;

    (void)state;
    translations_load(&languages);
    bokmal = translations_number(&languages, "nb");
    region = translations_number(&languages, "zz-ZZ");
    setenv("LANGUAGE", "de", 1); /* the server's own language does not matter */
    assert_string_equal(apw_language_translate(&languages, bokmal, "Sign in"), "Logg inn");
    assert_string_equal(apw_language_translate(&languages, region, "Sign in"), "Logg inn");
    assert_string_equal(apw_language_translate(&languages, 0, "Sign in"), "Sign in");
    assert_string_equal(apw_language_translate(&languages, bokmal, "no text of ours"),
                        "no text of ours");
    apw_languages_free(&languages);
}

/* A file that ends too early: some texts are there, the others stay English. */
static void test_cut_off(void **state)
{
    static char bytes[1 << 18];
    FILE *file = fopen(APW_BUILDDIR "/po/nb.mo", "re");
    char path[UNIT_PATH_SIZE];
    size_t size;

    (void)state;
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 1000 && size < sizeof bytes);
    unit_path("cut.mo", path);
    for (size_t length = 0; length < size; length += length < 64 ? 1 : 61) {
        struct apw_catalog *catalog = NULL;
        const char *found;

        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(apw_catalog_read(path, &catalog, NULL), length < 4 ? -1 : 0);
        if (catalog == NULL)
            continue;
        found = apw_catalog_find(catalog, "Sign in");
        assert_true(found == NULL || strcmp(found, "Logg inn") == 0);
        free(catalog);
    }
    assert_int_equal(unlink(path), 0);
}

static void test_texts(void **state)
{
    struct apw_languages languages;
    struct apw_texts *texts;
    unsigned bokmal, same = 0;

    (void)state;
    translations_load(&languages);
    bokmal = translations_number(&languages, "nb");
    assert_int_equal(apw_texts_load(&languages, apw_wording, APW_TEXT_COUNT, &texts, NULL), 0);
    assert_string_equal(apw_text_in(texts, APW_TEXT_NONE, 0), "");
    assert_string_equal(apw_text_in(texts, APW_TEXT_NONE, bokmal), "");
    for (unsigned text = APW_TEXT_NONE + 1; text < APW_TEXT_COUNT; text++) {
        const char *english = apw_text_in(texts, text, 0);
        const char *translated = apw_text_in(texts, text, bokmal);

        assert_non_null(english);
        assert_true(english[0] != '\0' && translated[0] != '\0');
        same += text != APW_TEXT_FIRST_DAY && strcmp(english, translated) == 0;
    }
    assert_int_equal(same, 0);
    apw_texts_free(&texts);
    apw_languages_free(&languages);
}

/* ---- every text is shown somewhere ---- */

/* The text of a source file of the page. */
static char *read_source(const char *name)
{
    char path[UNIT_PATH_SIZE], *text = calloc(1, 65536);
    FILE *file;

    snprintf(path, sizeof path, APW_SRCDIR "/portal/%s", name);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(text);
    text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return text;
}

static bool is_used(const char *name)
{
    DIR *directory = opendir(APW_SRCDIR "/portal");
    struct dirent *entry;
    bool found = false;

    assert_non_null(directory);
    while (!found && (entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);
        char *text;

        if (length < 3 || strcmp(entry->d_name + length - 2, ".c") != 0 ||
            strcmp(entry->d_name, "wording.c") == 0)
            continue;
        text = read_source(entry->d_name);
        for (const char *at = text; !found && (at = strstr(at, name)) != NULL; at++) {
            char next = at[strlen(name)];

            found = next != '_' && (next < 'A' || next > 'Z');
        }
        free(text);
    }
    closedir(directory);
    return found;
}

static void test_used(void **state)
{
    char *header = read_source("wording.h"), *rest = NULL;
    size_t count = 0;

    (void)state;
    for (char *name = strtok_r(header, " ,\n", &rest); name != NULL;
         name = strtok_r(NULL, " ,\n", &rest)) {
        if (strncmp(name, "APW_TEXT_", 9) != 0 && strncmp(name, "APW_TITLE_", 10) != 0)
            continue;
        if (strchr(name, ']') == NULL && strcmp(name, "APW_TEXT_COUNT") != 0 && !is_used(name))
            fail_msg("%s is not used", name);
        count++;
    }
    assert_true(count > 40);
    free(header);
}

int main(void)
{
    UNIT_ROWS(headers, test_header);
    UNIT_ROWS(norwegian, test_norwegian);
    UNIT_TEST("a code is found if there is exactly this language", test_code);
    UNIT_TEST("headers of ten thousand parts are read to their end", test_long_headers);
    UNIT_TEST("without translations every answer is in English", test_english_alone);
    UNIT_TEST("installed translations are found, and nothing else", test_find);
    UNIT_TEST("languages have their own names and the order of these", test_order);
    UNIT_TEST("without any there is English", test_find_nothing);
    UNIT_TEST("a damaged translation is an error", test_damaged);
    UNIT_TEST("too many translations are an error", test_too_many);
    UNIT_TEST("a text is translated into each language", test_translate);
    UNIT_TEST("a translation that ends too early does no harm", test_cut_off);
    UNIT_TEST("every text is there in every language", test_texts);
    UNIT_TEST("every text is used", test_used);
    return unit_run();
}
