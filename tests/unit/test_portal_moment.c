/* SPDX-License-Identifier: BSD-2-Clause */
/* Dates and services as people of each language read them. */
#include "moment.h"
#include "service_words.h"
#include "translations.h"
#include "unit.h"
#include "wording.h"
#include <time.h>

#define END_OF_DAY  INT64_C(1797465600) /* 2026-12-17T00:00:00Z, so the 16th is its last day */
#define AFTERNOON   (END_OF_DAY - 10 * 3600 + 5 * 60)
#define SUMMER_NOON INT64_C(1785585600) /* 2026-08-01T12:00:00Z */

static struct apw_languages languages;
static struct apw_texts *texts;

/* ---- moments ---- */

typedef void format(const struct apw_texts *texts, unsigned language, int64_t seconds,
                    char text_r[APW_MOMENT_SIZE]);

static const struct moment_case {
    const char *name;
    const char *zone;
    const char *language;
    format *format;
    int64_t seconds;
    const char *text;
} moments[] = {
    {"a day in English", "UTC", "en", apw_moment_day, AFTERNOON, "16 December 2026"},
    {"a day in Norwegian", "UTC", "nb", apw_moment_day, AFTERNOON, "16. desember 2026"},
    {"a minute in English", "UTC", "en", apw_moment_minute, AFTERNOON, "16 December 2026, 14:05"},
    {"a minute in Norwegian", "UTC", "nb", apw_moment_minute, AFTERNOON,
     "16. desember 2026 kl. 14.05"},
    {"a minute in Nynorsk", "UTC", "nn", apw_moment_minute, AFTERNOON,
     "16. desember 2026 kl. 14.05"},
    {"a minute in Swedish", "UTC", "sv", apw_moment_minute, AFTERNOON,
     "16 december 2026 kl. 14:05"},
    {"a minute in Danish", "UTC", "da", apw_moment_minute, AFTERNOON,
     "16. december 2026 kl. 14.05"},
    {"a minute in Finnish", "UTC", "fi", apw_moment_minute, AFTERNOON,
     "16. joulukuuta 2026 klo 14.05"},
    {"a minute in German", "UTC", "de", apw_moment_minute, AFTERNOON,
     "16. Dezember 2026, 14:05 Uhr"},
    {"a minute in Dutch", "UTC", "nl", apw_moment_minute, AFTERNOON, "16 december 2026 om 14:05"},
    {"a minute in French", "UTC", "fr", apw_moment_minute, AFTERNOON, "16 décembre 2026 à 14:05"},
    {"a minute in Spanish", "UTC", "es", apw_moment_minute, AFTERNOON,
     "16 de diciembre de 2026, 14:05"},
    {"a minute in Italian", "UTC", "it", apw_moment_minute, AFTERNOON,
     "16 dicembre 2026, ore 14:05"},
    {"a minute in Polish", "UTC", "pl", apw_moment_minute, AFTERNOON, "16 grudnia 2026, 14:05"},
    {"the first of a month in French", "UTC", "fr", apw_moment_day, SUMMER_NOON, "1er août 2026"},
    {"the first of a month in German", "UTC", "de", apw_moment_day, SUMMER_NOON, "1. August 2026"},
    {"the first of a month in Italian", "UTC", "it", apw_moment_minute, SUMMER_NOON,
     "1º agosto 2026, ore 12:00"},
    {"a minute in summer elsewhere", "Europe/Oslo", "en", apw_moment_minute, SUMMER_NOON,
     "1 August 2026, 14:00"},
    {"with its zone", "Europe/Oslo", "en", apw_moment_zoned, AFTERNOON,
     "16 December 2026, 15:05 (CET)"},
    {"another day on the other side of the world", "Pacific/Auckland", "en", apw_moment_day,
     AFTERNOON, "17 December 2026"},
    {"the end of a day is that day", "UTC", "en", apw_moment_end, END_OF_DAY, "16 December 2026"},
    {"an end within a day has its time", "UTC", "en", apw_moment_end, AFTERNOON,
     "16 December 2026, 14:05"},
    {"the end of a day elsewhere is within a day here", "Europe/Oslo", "en", apw_moment_end,
     END_OF_DAY, "17 December 2026, 01:00"},
    {"a moment that has no year", "UTC", "en", apw_moment_day, INT64_MAX, "?"},
};

static void test_moment(void **state)
{
    const struct moment_case *row = *state;
    struct apw_error error = {""};
    char text[APW_MOMENT_SIZE];

    if (apw_moment_use_zone(row->zone, &error) != 0)
        fail_msg("%s", error.text);
    row->format(texts, translations_number(&languages, row->language), row->seconds, text);
    assert_string_equal(text, row->text);
}

static void test_months(void **state)
{
    char text[APW_MOMENT_SIZE], seen[12][APW_MOMENT_SIZE];
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_moment_use_zone("UTC", &error), 0);
    for (unsigned i = 0; i < languages.count; i++)
        for (int month = 0; month < 12; month++) {
            struct tm day = {.tm_year = 126, .tm_mon = month, .tm_mday = 15, .tm_hour = 12};

            apw_moment_day(texts, i, (int64_t)timegm(&day), text);
            assert_non_null(strstr(text, "15"));
            assert_non_null(strstr(text, "2026"));
            for (int other = 0; other < month; other++)
                assert_string_not_equal(text, seen[other]);
            strcpy(seen[month], text);
        }
}

static void test_no_zone(void **state)
{
    static const char *const wrong[] = {"Europe/Nowhere", "/etc/localtime", "Europe",
                                        "../zoneinfo/UTC", "x"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
        struct apw_error error = {""};

        assert_int_equal(apw_moment_use_zone(wrong[i], &error), -1);
        assert_contains(error.text, "is not a time zone like Europe/Oslo");
    }
}

/* ---- services ---- */

static const struct words_case {
    const char *name;
    const char *services;
    const char *language;
    const char *words;
} words[] = {
    {"no services are all", "", "en", "all mail"},
    {"two protocols for the same", "imap,pop3", "en", "reading mail"},
    {"in one order", "sieve,imap,smtp,pop3", "en", "reading mail, sending mail, mail filters"},
    {"in Norwegian", "smtp,imap", "nb", "å lese e-post, å sende e-post"},
    {"other names of the same", "submission,imaps", "en", "reading mail, sending mail"},
    {"a service without a word", "xmpp,smtp", "en", "sending mail, xmpp"},
    {"no service at all", "smt/p,", "en", "smt/p"},
};

static void test_words(void **state)
{
    const struct words_case *row = *state;
    char text[APW_SERVICE_WORDS_SIZE];

    apw_service_words(texts, translations_number(&languages, row->language), row->services, text);
    assert_string_equal(text, row->words);
}

static const struct use_case {
    const char *name;
    const char *services;
    bool reads, sends;
} uses[] = {
    {"all services read and send", "", true, true}, {"IMAP reads", "imap", true, false},
    {"POP3 reads", "sieve,pop3s", true, false},     {"submission sends", "submission", false, true},
    {"others do neither", "xmpp", false, false},
};

static void test_uses(void **state)
{
    const struct use_case *row = *state;

    assert_int_equal(apw_services_read(row->services), row->reads);
    assert_int_equal(apw_services_send(row->services), row->sends);
}

int main(void)
{
    struct apw_error error = {""};
    int status;

    translations_load(&languages);
    if (apw_texts_load(&languages, apw_wording, APW_TEXT_COUNT, &texts, &error) != 0)
        abort();
    UNIT_ROWS(moments, test_moment);
    UNIT_TEST("each language has twelve months", test_months);
    UNIT_TEST("an unknown zone is an error", test_no_zone);
    UNIT_ROWS(words, test_words);
    UNIT_ROWS(uses, test_uses);
    status = unit_run();
    apw_texts_free(&texts);
    apw_languages_free(&languages);
    return status;
}
