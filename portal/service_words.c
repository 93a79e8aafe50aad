/* SPDX-License-Identifier: BSD-2-Clause */
#include "service_words.h"
#include "service.h"
#include "wording.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *service;
    enum apw_text word;
} words[] = {
    {"imap", APW_TEXT_READING},
    {"pop3", APW_TEXT_READING},
    {"smtp", APW_TEXT_SENDING},
    {"sieve", APW_TEXT_FILTERING},
};
#define WORDS (sizeof words / sizeof words[0])

static void append(const char *word, size_t length, char words_r[APW_SERVICE_WORDS_SIZE])
{
    size_t used = strlen(words_r);

    snprintf(words_r + used, APW_SERVICE_WORDS_SIZE - used, "%s%.*s", used > 0 ? ", " : "",
             (int)length, word);
}

static bool has_word(const char *name, size_t length)
{
    char canonical[APW_SERVICE_SIZE];

    if (apw_service_canonicalize(name, length, canonical) == 0)
        for (size_t i = 0; i < WORDS; i++)
            if (strcmp(words[i].service, canonical) == 0)
                return true;
    return false;
}

void apw_service_words(const struct apw_texts *texts, unsigned language, const char *services,
                       char words_r[APW_SERVICE_WORDS_SIZE])
{
    enum apw_text last = APW_TEXT_NONE;

    words_r[0] = '\0';
    if (services[0] == '\0') {
        const char *all = apw_text_in(texts, APW_TEXT_ALL_SERVICES, language);

        append(all, strlen(all), words_r);
        return;
    }
    for (size_t i = 0; i < WORDS; i++) {
        const char *word = apw_text_in(texts, words[i].word, language);

        if (words[i].word == last || !apw_service_list_has(services, words[i].service))
            continue;
        append(word, strlen(word), words_r);
        last = words[i].word;
    }
    for (const char *name = services;; name++) {
        size_t length = strcspn(name, ",");

        if (length > 0 && !has_word(name, length))
            append(name, length, words_r);
        name += length;
        if (*name == '\0')
            return;
    }
}

bool apw_services_have(const char *services, const char *service)
{
    return services[0] == '\0' || apw_service_list_has(services, service);
}

bool apw_services_read(const char *services)
{
    return apw_services_have(services, "imap") || apw_services_have(services, "pop3");
}

bool apw_services_send(const char *services)
{
    return apw_services_have(services, "smtp");
}
