/* SPDX-License-Identifier: BSD-2-Clause */
#include "tries.h"
#include "clock.h"
#include "web/browser.h"
#include <stdio.h>

#define NETWORK_NAME_SIZE 512

struct limits {
    const char *what;
    struct apw_patience network; /* and of a known browser */
    struct apw_patience account; /* of all unknown browsers; `free` 0: without a limit */
};

/* A few tries from one network are free; then the wait grows, and each try during it makes it
 * longer, so constant polling gets none. All networks together have more codes by mail; constant
 * polling uses them up, so guessing.h tells the owner. Nobody guesses an enrollment code. */
static const struct limits limits_of[APW_TRIES_COUNT] = {
    [APW_TRIES_FACTOR] = {.what = "second factor", .network = {5, 30, 900, true}},
    [APW_TRIES_CODE] = {.what = "enrollment code", .network = {5, 30, 900, true}},
    [APW_TRIES_MAIL] = {.what = "code by mail",
                        .network = {3, 60, 900, true},
                        .account = {12, 60, 900, false}},
};

static void name_network(const struct apw_request *request, char name_r[NETWORK_NAME_SIZE])
{
    char network[APW_THROTTLE_NETWORK_SIZE];

    apw_throttle_network(request->exchange->client, network);
    snprintf(name_r, NETWORK_NAME_SIZE, "%s %s", network, request->account.user->unique_id);
}

const char *apw_tries_browser(const struct apw_request *request)
{
    const char *mark = request->exchange->browser;
    /* A mark from before the newest second factor was set up may be of a lost computer. */
    int64_t since = apw_factors_newest(&request->account.factors);

    return apw_browser_is_known_since(request->portal->portal_config->key, request->visitor->login,
                                      mark, since)
               ? mark
               : NULL;
}

bool apw_tries_take(const struct apw_request *request, enum apw_tries_kind kind)
{
    const struct apw_portal *portal = request->portal;
    const struct limits *limits = &limits_of[kind];
    const char *browser = apw_tries_browser(request);
    const char *account = request->account.user->unique_id;
    int64_t now = apw_clock_monotonic_ms();
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL)
        return apw_throttle_take(portal->browser_throttle, limits->what, browser, &limits->network,
                                 now);
    name_network(request, network);
    if (!apw_throttle_take(portal->factor_throttle, limits->what, network, &limits->network, now))
        return false;
    if (limits->account.free == 0 ||
        apw_throttle_take(portal->account_throttle, limits->what, account, &limits->account, now))
        return true;
    /* Nobody pays for the tries of others, and they do not fill the table. */
    apw_throttle_give_back(portal->factor_throttle, limits->what, network);
    return false;
}

bool apw_tries_account_waits(const struct apw_request *request, enum apw_tries_kind kind)
{
    return apw_tries_browser(request) == NULL &&
           apw_throttle_wait_ms(request->portal->account_throttle, limits_of[kind].what,
                                request->account.user->unique_id, apw_clock_monotonic_ms()) > 0;
}

unsigned apw_tries_wait_minutes(const struct apw_request *request, enum apw_tries_kind kind)
{
    const struct apw_portal *portal = request->portal;
    const char *what = limits_of[kind].what, *browser = apw_tries_browser(request);
    int64_t now = apw_clock_monotonic_ms(), wait, account = 0;
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL) {
        wait = apw_throttle_wait_ms(portal->browser_throttle, what, browser, now);
    } else {
        name_network(request, network);
        wait = apw_throttle_wait_ms(portal->factor_throttle, what, network, now);
        account = apw_throttle_wait_ms(portal->account_throttle, what,
                                       request->account.user->unique_id, now);
    }
    return apw_throttle_minutes(wait > account ? wait : account);
}

void apw_tries_give_back(const struct apw_request *request, enum apw_tries_kind kind)
{
    const struct apw_portal *portal = request->portal;
    const char *what = limits_of[kind].what, *browser = apw_tries_browser(request);
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL) {
        apw_throttle_give_back(portal->browser_throttle, what, browser);
        return;
    }
    name_network(request, network);
    apw_throttle_give_back(portal->factor_throttle, what, network);
    apw_throttle_give_back(portal->account_throttle, what, request->account.user->unique_id);
}

static void forget_sign_ins(const struct apw_request *request)
{
    const struct apw_account_person person = {.login = request->visitor->login,
                                              .dn = request->session->owner,
                                              .client = request->exchange->client,
                                              .browser = request->exchange->browser};

    apw_account_forget_sign_ins(request->portal, &person);
}

void apw_tries_forget(const struct apw_request *request, enum apw_tries_kind kind)
{
    const struct apw_portal *portal = request->portal;
    const char *what = limits_of[kind].what, *browser = apw_tries_browser(request);
    char network[NETWORK_NAME_SIZE];

    forget_sign_ins(request);
    if (browser != NULL) {
        apw_throttle_forget(portal->browser_throttle, what, browser);
        return;
    }
    name_network(request, network);
    apw_throttle_forget(portal->factor_throttle, what, network);
    apw_throttle_give_back(portal->account_throttle, what, request->account.user->unique_id);
}
