/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"
#include "method.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Makes a link of one word. NULL if it is no address, or without memory. */
static char *make_link(const char *word, size_t length)
{
    static const char http[] = "https://";
    char address[512], *link = NULL;

    while (length > 0 && strchr(",;.:()<>\"", word[length - 1]) != NULL)
        length--;
    while (length > 0 && strchr("(<\"", *word) != NULL) {
        word++;
        length--;
    }
    if (length >= sizeof address)
        return NULL;
    memcpy(address, word, length);
    address[length] = '\0';
    if (strncmp(address, http, sizeof http - 1) == 0 && length > sizeof http - 1)
        return strdup(address);
    if (apw_mail_address_is_valid(address) && asprintf(&link, "mailto:%s", address) < 0)
        link = NULL;
    return link;
}

static char *find_link(const char *text)
{
    char *link = NULL;

    while (link == NULL && *(text += strspn(text, " \t")) != '\0') {
        size_t length = strcspn(text, " \t");

        link = make_link(text, length);
        text += length;
    }
    return link;
}

static int add(struct apw_supports *supports, const char *language, const char *text, size_t length,
               struct apw_error *error)
{
    struct apw_support *support = &supports->support[supports->count];

    if (supports->count == APW_SUPPORTS_MAX)
        return apw_error_set(error, "more than %d languages", APW_SUPPORTS_MAX - 1);
    snprintf(support->language, sizeof support->language, "%s", language);
    support->text = strndup(text, length);
    if (support->text == NULL)
        return apw_error_set(error, "out of memory");
    support->link = find_link(support->text);
    supports->count++;
    return 0;
}

int apw_supports_add(struct apw_supports *supports, const char *text, struct apw_error *error)
{
    return add(supports, "", text, strlen(text), error);
}

int apw_supports_add_list(struct apw_supports *supports, const char *list, struct apw_error *error)
{
    while (*(list += strspn(list, " \t;")) != '\0') {
        size_t length = strcspn(list, ";"), code_length = strcspn(list, " \t;");
        char code[sizeof supports->support[0].language];
        const char *text = list + code_length;

        text += strspn(text, " \t");
        if (code_length < 2 || code_length >= sizeof code || text >= list + length)
            return apw_error_set(error, "not a list like \"nb hjelp@example.org; de …\"");
        memcpy(code, list, code_length);
        code[code_length] = '\0';
        if (add(supports, code, text, (size_t)(list + length - text), error) != 0)
            return -1;
        list += length;
    }
    return 0;
}

int apw_supports_check(const struct apw_supports *supports, const struct apw_languages *languages,
                       struct apw_error *error)
{
    char codes[APW_LANGUAGES_MAX * (APW_LANGUAGE_CODE_SIZE + 1)] = "";

    for (unsigned i = 0; i < languages->count; i++) {
        strcat(codes, " ");
        strcat(codes, languages->language[i].code);
    }
    for (unsigned i = 0; i < supports->count; i++) {
        const char *language = supports->support[i].language;

        if (language[0] != '\0' && apw_language_find(languages, language) < 0)
            return apw_error_set(
                error, "portal.conf: support_in: \"%s\" is no language of the page; it has%s",
                language, codes);
    }
    return 0;
}

void apw_supports_free(struct apw_supports *supports)
{
    for (unsigned i = 0; i < supports->count; i++) {
        free(supports->support[i].text);
        free(supports->support[i].link);
    }
    memset(supports, 0, sizeof *supports);
}

const struct apw_support *apw_supports_find(const struct apw_supports *supports,
                                            const char *language)
{
    const struct apw_support *found = NULL;

    for (unsigned i = 0; i < supports->count; i++) {
        const struct apw_support *support = &supports->support[i];

        if (strcasecmp(support->language, language) == 0)
            return support;
        if (support->language[0] == '\0')
            found = support;
    }
    return found;
}
