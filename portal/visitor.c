/* SPDX-License-Identifier: BSD-2-Clause */
#include "visitor.h"
#include "config.h"
#include "secret.h"
#include <sodium.h>

static void clear(void *content)
{
    struct apw_visitor *visitor = content;

    apw_secret_free(&visitor->enrolment_code_value);
}

const struct apw_web_session_content apw_visitor_content = {sizeof(struct apw_visitor), clear};

void apw_visitor_forget_mail_code(struct apw_visitor *visitor)
{
    sodium_memzero(&visitor->mail, sizeof visitor->mail);
}

void apw_visitor_forget_codes(struct apw_visitor *visitor)
{
    sodium_memzero(&visitor->codes, sizeof visitor->codes);
}

void apw_visitor_forget_pending(struct apw_visitor *visitor)
{
    sodium_memzero(&visitor->pending, sizeof visitor->pending);
    visitor->has_pending = false;
}

void apw_visitor_forget_password(struct apw_visitor *visitor)
{
    sodium_memzero(&visitor->password, sizeof visitor->password);
    sodium_memzero(visitor->profile_token, sizeof visitor->profile_token);
    visitor->has_password = false;
    visitor->again_until_ms = 0;
    visitor->profile_until_ms = 0;
}

void apw_visitor_forget_link(struct apw_visitor *visitor)
{
    sodium_memzero(&visitor->link, sizeof visitor->link);
}

void apw_visitor_forget_helped_code(struct apw_visitor *visitor)
{
    sodium_memzero(visitor->helped_code, sizeof visitor->helped_code);
}
