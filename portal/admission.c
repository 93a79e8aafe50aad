/* SPDX-License-Identifier: BSD-2-Clause */
#include "admission.h"
#include "clock.h"
#include "visitor.h"
#include "web/browser.h"
#include <string.h>

struct apw_web_session *apw_admission_begin(const struct apw_portal *portal,
                                            struct apw_exchange *exchange,
                                            const char login[APW_LOGIN_SIZE], const char *dn)
{
    struct apw_web_sessions *sessions = portal->site.sessions;
    int64_t now = apw_clock_monotonic_ms();
    struct apw_web_session *session = NULL;
    struct apw_visitor *visitor;
    char site[APW_THROTTLE_NETWORK_SIZE];
    struct apw_web_session_asker asker = {.owner = dn, .network = site};

    apw_throttle_site(exchange->client, site);
    asker.is_known = portal->portal_config->proxy.user_header != NULL ||
                     apw_browser_is_known(portal->portal_config->key, login, exchange->browser);
    if (exchange->cookie[0] != '\0')
        session = apw_web_session_enter(sessions, exchange->cookie, now, NULL);
    if (session != NULL)
        apw_web_session_end(sessions, session);
    session = apw_web_session_begin(sessions, &asker, now, exchange->new_cookie);
    if (session == NULL)
        return NULL;
    visitor = session->content;
    strcpy(visitor->login, login);
    return session;
}
