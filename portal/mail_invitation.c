/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail_invitation.h"
#include "account.h"
#include "factor_mail.h"
#include "invitation.h"
#include "letter.h"
#include "moment.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define NONE EXIT_FAILURE /* there is no address, or no mail can go there */

/* A letter, and what it is about. The address and the strings are borrowed. */
struct letter {
    char login[APW_LOGIN_SIZE];
    unsigned language;
    struct apw_account account;
    const char *address;
    struct apw_invitation invitation;
    char *link; /* secret; owned */
};

/* ---- what to send, and where ---- */

/* The token on standard input, or "". Secret. -1 if there is something else. */
static int read_token(char token_r[APW_TOKEN_SIZE], struct apw_error *error)
{
    char input[APW_TOKEN_SIZE + 1]; /* with a line end */
    size_t length = 0;
    ssize_t got;
    int status;

    while ((got = read(STDIN_FILENO, input + length, sizeof input - length)) > 0)
        length += (size_t)got;
    if (length > 0 && input[length - 1] == '\n')
        length--;
    status = got == 0 && length < APW_TOKEN_SIZE ? 0 : -1;
    memset(token_r, 0, APW_TOKEN_SIZE);
    if (status == 0)
        memcpy(token_r, input, length);
    if (length > 0 && !apw_token_is_token(token_r))
        status = -1;
    sodium_memzero(input, sizeof input);
    return status == 0 ? 0
                       : apw_error_set(
                             error, "standard input must be empty, or the token of an invitation");
}

static int find_account(const struct apw_portal *portal, const char *user, struct letter *letter,
                        struct apw_error *error)
{
    if (apw_login_canonicalize(user, strlen(user), NULL, letter->login) != 0) {
        apw_error_set(error, "this is no name with which somebody can sign in");
        return NONE;
    }
    switch (apw_account_find(portal, letter->login, &letter->account, error)) {
    case APW_ACCOUNT_THERE:
        return EXIT_SUCCESS;
    case APW_ACCOUNT_GONE:
        apw_error_set(error, "the page does not find this user, or the account has ended");
        return NONE;
    case APW_ACCOUNT_SEALED:
        return EX_CONFIG;
    case APW_ACCOUNT_UNAVAILABLE:
        break;
    }
    return EX_TEMPFAIL;
}

/* Says why no address gets a link, and how else the user gets one. */
static void explain(const struct apw_portal *portal, const struct apw_factors *factors,
                    struct apw_error *error)
{
    bool asks_for_more = factors->count == 0 && portal->portal_config->proxy.user_header == NULL;
    bool has_own = false, has_forbidden = false;

    for (size_t i = 0; i < factors->count; i++)
        if (factors->factor[i].method.kind == APW_METHOD_MAIL) {
            has_own = has_own || factors->factor[i].is_allowed;
            has_forbidden = has_forbidden || !factors->factor[i].is_allowed;
        }
    apw_error_set(
        error, "%s; without --mail, the link is printed: hand it over in person or by letter%s",
        has_own         ? "the alternate address is in the mailbox that the link would open, or in "
                          "own_domains of portal.conf"
        : has_forbidden ? "second_factors in portal.conf no longer allows codes by mail, so the "
                          "alternate address is not used"
        : factors->count > 0 ? "no alternate address is on file"
                             : "no alternate address is on file, because no second step is set up",
        asks_for_more ? "; it asks to set one up first" : "");
}

/* One copy of the link is enough. */
static int choose_address(const struct apw_portal *portal, struct letter *letter,
                          struct apw_error *error)
{
    const struct apw_method *found = apw_factor_mail_for_link(portal, &letter->account);

    if (found == NULL) {
        explain(portal, &letter->account.factors, error);
        return NONE;
    }
    letter->address = found->address;
    return EXIT_SUCCESS;
}

static int find_invitation(const struct apw_portal *portal, struct letter *letter,
                           const char token[APW_TOKEN_SIZE], struct apw_error *error)
{
    if (apw_invitation_find_token(letter->account.user, token, (int64_t)time(NULL),
                                  &letter->invitation) == NULL) {
        apw_error_set(error, "the page's directory does not show the invitation; is it another "
                             "server, or one that is behind?");
        return EX_TEMPFAIL;
    }
    letter->link = apw_invitation_write_link(portal->portal_config->url, letter->login, token);
    if (letter->link != NULL)
        return EXIT_SUCCESS;
    apw_error_set(error, "out of memory");
    return EX_TEMPFAIL;
}

/* ---- sending ---- */

static int write_text(const struct apw_portal *portal, const struct letter *letter,
                      struct apw_buffer *text, struct apw_error *error)
{
    const struct apw_portal_config *config = portal->portal_config;
    const struct apw_support *support =
        apw_supports_find(&config->support, portal->site.languages.language[letter->language].code);
    struct apw_variables variables = {.count = 0};
    char date[APW_MOMENT_SIZE];

    apw_moment_zoned(portal->site.texts, letter->language, letter->invitation.until, date);
    apw_template_set(&variables, "link", letter->link);
    apw_template_set(&variables, "label", letter->invitation.record.label);
    apw_template_set(&variables, "date", date);
    apw_template_set(&variables, "support", support == NULL ? NULL : support->text);
    apw_template_set(&variables, "user", letter->login);
    apw_template_set(&variables, "url", config->url);
    return apw_template_fill(portal->site.templates, "mail-invitation.txt", letter->language,
                             &variables, text, error);
}

static int send_letter(const struct apw_portal *portal, const struct letter *letter,
                       struct apw_error *error)
{
    struct apw_buffer text = {NULL, 0, 0, false};
    struct apw_mail mail = {.to = NULL};
    enum apw_mail_result result = APW_MAIL_NOT_SENT;

    if (write_text(portal, letter, &text, error) == 0 &&
        apw_letter_compose(portal, letter->language, letter->address, text.bytes, &mail, error) ==
            0)
        result = apw_mail_send(&portal->portal_config->mail, &mail, NULL, error);
    apw_buffer_free(&text);
    apw_mail_free(&mail);
    switch (result) {
    case APW_MAIL_SENT:
        return EXIT_SUCCESS;
    case APW_MAIL_REFUSED:
        return NONE;
    case APW_MAIL_NOT_SENT:
        break;
    }
    return EX_TEMPFAIL;
}

static int find_language(const struct apw_portal *portal, const char *code, unsigned *language_r,
                         struct apw_error *error)
{
    int language = apw_language_find(&portal->site.languages, code);

    if (language < 0) {
        apw_error_set(error, "\"%s\" is no language of the page; its pages list them at the foot",
                      code);
        return EX_USAGE;
    }
    *language_r = (unsigned)language;
    return EXIT_SUCCESS;
}

int apw_mail_invitation_run(const struct apw_portal *portal, const char *user, const char *language)
{
    struct letter letter = {.address = NULL};
    char token[APW_TOKEN_SIZE] = "", masked[APW_FACTOR_MAIL_MASKED_SIZE];
    struct apw_error error = {""};
    int status = find_language(portal, language, &letter.language, &error);

    if (status == EXIT_SUCCESS && read_token(token, &error) != 0)
        status = EX_USAGE;
    if (status == EXIT_SUCCESS)
        status = find_account(portal, user, &letter, &error);
    if (status == EXIT_SUCCESS)
        status = choose_address(portal, &letter, &error);
    if (status == EXIT_SUCCESS && token[0] != '\0')
        status = find_invitation(portal, &letter, token, &error);
    if (status == EXIT_SUCCESS && token[0] != '\0')
        status = send_letter(portal, &letter, &error);
    if (status == EXIT_SUCCESS) {
        apw_factor_mail_mask(letter.address, masked);
        puts(masked);
    } else {
        fprintf(stderr, "app-password-portal: %s\n", error.text);
    }
    apw_account_free(&letter.account);
    if (letter.link != NULL)
        sodium_memzero(letter.link, strlen(letter.link));
    free(letter.link);
    sodium_memzero(token, sizeof token);
    sodium_memzero(&letter, sizeof letter);
    return status;
}
