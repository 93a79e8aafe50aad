/* SPDX-License-Identifier: BSD-2-Clause */
#include "tries.h"
#include "clock.h"
#include "web/browser.h"
#include <stdio.h>

#define FACTOR_TRIES      "second factor"
#define NETWORK_NAME_SIZE 512

struct limits {
    const char *what;
    const struct apw_patience *network; /* and of a known browser */
    const struct apw_patience *account; /* of all unknown browsers */
};

/* From one network five tries are free, then waiting grows from half a minute to a quarter of an
 * hour, and each try before its time makes it longer. All networks together have more tries and
 * wait less, so that somebody who knows the password cannot lock the owner out for long. */
static const struct apw_patience code_network = {
    .free = 5, .base_s = 30, .most_s = 900, .counts_polling = true};
static const struct apw_patience code_account = {.free = 30, .base_s = 5, .most_s = 60};
static const struct limits code_limits = {FACTOR_TRIES, &code_network, &code_account};

static const struct apw_patience mail_network = {
    .free = 3, .base_s = 60, .most_s = 900, .counts_polling = true};
static const struct apw_patience mail_account = {.free = 12, .base_s = 60, .most_s = 900};
static const struct limits mail_limits = {"code by mail", &mail_network, &mail_account};

static void name_network(const struct apw_request *request, char name_r[NETWORK_NAME_SIZE])
{
    char network[APW_THROTTLE_NETWORK_SIZE];

    apw_throttle_network(request->exchange->client, network);
    snprintf(name_r, NETWORK_NAME_SIZE, "%s %s", network, request->account.user->unique_id);
}

const char *apw_tries_browser(const struct apw_request *request)
{
    const char *mark = request->exchange->browser;
    const uint8_t *key = request->portal->portal_config->key;

    return apw_browser_is_known(key, request->visitor->login, mark) ? mark : NULL;
}

static bool take(const struct apw_request *request, const struct limits *limits)
{
    struct apw_throttle *throttle = request->portal->factor_throttle;
    const char *browser = apw_tries_browser(request);
    const char *account = request->account.user->unique_id;
    int64_t now = apw_clock_monotonic_ms();
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL)
        return apw_throttle_take(throttle, limits->what, browser, limits->network, now);
    name_network(request, network);
    if (!apw_throttle_take(throttle, limits->what, network, limits->network, now))
        return false;
    if (apw_throttle_take(throttle, limits->what, account, limits->account, now))
        return true;
    /* Nobody pays for the tries of others, and they do not fill the table. */
    apw_throttle_give_back(throttle, limits->what, network);
    return false;
}

bool apw_tries_take(const struct apw_request *request)
{
    return take(request, &code_limits);
}

bool apw_tries_take_mail(const struct apw_request *request)
{
    return take(request, &mail_limits);
}

void apw_tries_give_back_mail(const struct apw_request *request)
{
    struct apw_throttle *throttle = request->portal->factor_throttle;
    const char *browser = apw_tries_browser(request);
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL) {
        apw_throttle_give_back(throttle, mail_limits.what, browser);
        return;
    }
    name_network(request, network);
    apw_throttle_give_back(throttle, mail_limits.what, network);
    apw_throttle_give_back(throttle, mail_limits.what, request->account.user->unique_id);
}

void apw_tries_forget(const struct apw_request *request)
{
    struct apw_throttle *throttle = request->portal->factor_throttle;
    const char *browser = apw_tries_browser(request);
    char network[NETWORK_NAME_SIZE];

    apw_account_forget_sign_ins(request->portal,
                                &(struct apw_account_visit){.login = request->visitor->login,
                                                            .dn = request->session->owner,
                                                            .client = request->exchange->client,
                                                            .browser = request->exchange->browser});
    if (browser != NULL) {
        apw_throttle_forget(throttle, FACTOR_TRIES, browser);
        return;
    }
    name_network(request, network);
    apw_throttle_forget(throttle, FACTOR_TRIES, network);
    apw_throttle_give_back(throttle, FACTOR_TRIES, request->account.user->unique_id);
}
