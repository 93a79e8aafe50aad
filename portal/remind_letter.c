/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind_letter.h"
#include "letter.h"
#include "mail_address.h"
#include "moment.h"
#include "policy.h"
#include "wording.h"
#include <stdio.h>

#define FILE_SIZE 64

/* What the texts are filled with. */
struct writing {
    const struct apw_portal *portal;
    unsigned language;
    struct apw_variables variables;
    struct apw_buffer text;
};

const char *apw_remind_letter_address(const struct apw_user *user)
{
    return user->mail.count > 0 && apw_mail_address_is_valid(user->mail.value[0].bytes)
               ? user->mail.value[0].bytes
               : NULL;
}

static unsigned language_of(const struct apw_portal *portal, const struct apw_user *user)
{
    return apw_language_choose(&portal->site.languages,
                               user->also.count > 0 ? user->also.value[0].bytes : NULL);
}

static int fill(struct writing *writing, const char *file, struct apw_error *error)
{
    return apw_template_fill(writing->portal->site.templates, file, writing->language,
                             &writing->variables, &writing->text, error);
}

static int add_row(struct writing *writing, const struct apw_managed_password *password,
                   struct apw_error *error)
{
    const struct apw_texts *texts = writing->portal->site.texts;
    char created[APW_MOMENT_SIZE], used[APW_MOMENT_SIZE], expires[APW_MOMENT_SIZE];
    const char *never = apw_text_in(texts, APW_TEXT_NEVER, writing->language),
               *not_yet = apw_text_in(texts, APW_TEXT_NOT_USED, writing->language);

    apw_moment_day(texts, writing->language, password->record.created, created);
    if (password->has_use)
        apw_moment_day(texts, writing->language, password->use.at, used);
    if (password->end != APW_POLICY_NEVER)
        apw_moment_end(texts, writing->language, password->end, expires);
    apw_template_set(&writing->variables, "label", password->record.label);
    apw_template_set(&writing->variables, "created", created);
    apw_template_set(&writing->variables, "last_used", password->has_use ? used : not_yet);
    apw_template_set(&writing->variables, "expires",
                     password->end != APW_POLICY_NEVER ? expires : never);
    return fill(writing, "remind-row.txt", error);
}

static int write_text(struct writing *writing, const struct apw_remind_due *due,
                      struct apw_error *error)
{
    char file[FILE_SIZE];

    snprintf(file, sizeof file, "mail-remind-%s.txt", apw_remind_rules_name(due->mail));
    if (fill(writing, file, error) != 0)
        return -1;
    for (size_t i = 0; i < due->password_count; i++)
        if (add_row(writing, due->password[i], error) != 0)
            return -1;
    return fill(writing, "mail-remind-facts.txt", error);
}

int apw_remind_letter_write(const struct apw_portal *portal, const struct apw_user *user,
                            const struct apw_remind_due *due, int64_t now, struct apw_mail *mail_r,
                            struct apw_error *error)
{
    const struct apw_portal_config *config = portal->portal_config;
    struct writing writing = {.portal = portal, .language = language_of(portal, user)};
    const char *code = portal->site.languages.language[writing.language].code;
    const struct apw_support *support = apw_supports_find(&config->support, code);
    int64_t date = due->mail == APW_REMIND_MAIL_UNUSED_REVOKE ? apw_remind_rules_revocation(now)
                                                              : user->enforce_from;
    char day[APW_MOMENT_SIZE];
    int status;

    apw_moment_day(portal->site.texts, writing.language, date, day);
    apw_template_set(&writing.variables, "date", day);
    apw_template_set(&writing.variables, "site", config->site);
    apw_template_set(&writing.variables, "url", config->url);
    apw_template_set(&writing.variables, "user", user->name);
    apw_template_set(&writing.variables, "support", support == NULL ? NULL : support->text);
    status = write_text(&writing, due, error);
    if (status == 0)
        status = apw_letter_compose(portal, writing.language, apw_remind_letter_address(user),
                                    writing.text.bytes, mail_r, error);
    apw_buffer_free(&writing.text);
    return status;
}
