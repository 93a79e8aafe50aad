/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile.h"
#include <time.h>

bool apw_profile_is_signed(const struct apw_portal *portal)
{
    const struct apw_profile_signer *signer = portal->portal_config->profile_signer;

    return signer != NULL && apw_profile_signer_is_valid(signer, (int64_t)time(NULL));
}

bool apw_profile_ends_soon(const struct apw_portal *portal, struct apw_error *why_r)
{
    const struct apw_profile_signer *signer = portal->portal_config->profile_signer;
    int64_t now = (int64_t)time(NULL);

    if (signer == NULL || apw_profile_signer_is_good_for(signer, now, APW_PROFILE_SIGNER_SOON_DAYS))
        return false;
    apw_profile_signer_describe(signer, now, why_r);
    apw_error_set(why_r, "%s; renew it and restart the page", why_r->text);
    return true;
}

static void tell_end(const struct apw_portal *portal)
{
    struct apw_profile_signer *signer = portal->portal_config->profile_signer;
    struct apw_error why = {""};
    int64_t now = (int64_t)time(NULL);

    if (!apw_profile_signer_is_news(signer, now))
        return;
    apw_profile_signer_describe(signer, now, &why);
    apw_error_set(&why, "%s; profiles are not signed until the page is restarted with a valid one",
                  why.text);
    apw_log_warning(portal->log, why.text);
}

static bool sign(const struct apw_portal *portal, struct apw_buffer *profile)
{
    struct apw_error error = {""};

    if (apw_profile_signer_sign(portal->portal_config->profile_signer, profile, &error) == 0)
        return true;
    apw_log_warning(portal->log, error.text);
    apw_buffer_free(profile);
    profile->is_broken = true;
    return false;
}

void apw_profile_finish(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    if (exchange->body.is_broken)
        return;
    if (apw_profile_is_signed(portal)) {
        if (!sign(portal, &exchange->body)) {
            exchange->status = 500;
            return;
        }
    } else if (portal->portal_config->profile_signer != NULL) {
        tell_end(portal);
    }
    exchange->status = 200;
    exchange->type = "application/x-apple-aspen-config";
    exchange->file_name = "mail.mobileconfig";
}
