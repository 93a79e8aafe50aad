/* SPDX-License-Identifier: BSD-2-Clause */
#include "tries.h"
#include "clock.h"
#include "web/browser.h"
#include <stdio.h>

#define FACTOR_TRIES      "second factor"
#define NETWORK_NAME_SIZE 512

/* From one network five tries are free, then waiting grows from half a minute to a quarter of an
 * hour. All networks together have more tries and wait less, so that somebody who knows the
 * password cannot lock the owner out for long. */
static const struct apw_patience network_patience = {.free = 5, .base_s = 30, .most_s = 900};
static const struct apw_patience account_patience = {.free = 30, .base_s = 5, .most_s = 60};

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

bool apw_tries_take(const struct apw_request *request)
{
    struct apw_throttle *throttle = request->portal->factor_throttle;
    const char *browser = apw_tries_browser(request);
    const char *account = request->account.user->unique_id;
    int64_t now = apw_clock_monotonic_ms();
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL)
        return apw_throttle_take(throttle, FACTOR_TRIES, browser, &network_patience, now);
    name_network(request, network);
    if (!apw_throttle_take(throttle, FACTOR_TRIES, network, &network_patience, now))
        return false;
    if (apw_throttle_take(throttle, FACTOR_TRIES, account, &account_patience, now))
        return true;
    /* Nobody pays for the tries of others, and they do not fill the table. */
    apw_throttle_give_back(throttle, FACTOR_TRIES, network);
    return false;
}

void apw_tries_forget(const struct apw_request *request)
{
    struct apw_throttle *throttle = request->portal->factor_throttle;
    const char *browser = apw_tries_browser(request);
    char network[NETWORK_NAME_SIZE];

    if (browser != NULL) {
        apw_throttle_forget(throttle, FACTOR_TRIES, browser);
        return;
    }
    name_network(request, network);
    apw_throttle_forget(throttle, FACTOR_TRIES, network);
    apw_throttle_give_back(throttle, FACTOR_TRIES, request->account.user->unique_id);
}
