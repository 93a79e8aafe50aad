/* SPDX-License-Identifier: BSD-2-Clause */
#include "letter.h"
#include "wording.h"
#include <string.h>

/* NULL unless the link in `support` is a mail address. */
static const char *reply_address(const struct apw_portal *portal, const char *language)
{
    static const char scheme[] = "mailto:";
    const struct apw_support *support =
        apw_supports_find(&portal->portal_config->support, language);

    return support != NULL && support->link != NULL &&
                   strncmp(support->link, scheme, sizeof scheme - 1) == 0
               ? support->link + sizeof scheme - 1
               : NULL;
}

int apw_letter_compose(const struct apw_portal *portal, unsigned language, const char *to,
                       const char *text, struct apw_mail *mail_r, struct apw_error *error)
{
    const char *code = portal->site.languages.language[language].code;

    return apw_mail_compose(
        &(struct apw_mail_content){
            .from = portal->portal_config->mail.from,
            .from_name = apw_text_in(portal->site.texts, APW_TEXT_FROM_NAME, language),
            .to = to,
            .reply_to = reply_address(portal, code),
            .language = code,
            .text = text},
        mail_r, error);
}
