/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of an unknown client: the PLAIN message, the login in it, the client's address; and the
 * log line that results. */
#include "event.h"
#include "fuzz.h"
#include "login.h"
#include "message.h"
#include "utf8.h"
#include "verify.h"
#include <sodium.h>

static enum apw_ldap_result lose_search(void *context, const struct apw_query *query,
                                        int64_t deadline, struct apw_entry **entries_r,
                                        struct apw_error *error)
{
    (void)context, (void)deadline;
    *entries_r = NULL;
    FUZZ_MUST(strlen(query->filter) > 0);
    apw_error_set(error, "search for %s: no answer in time", query->filter);
    return APW_LDAP_UNAVAILABLE;
}

static enum apw_ldap_result lose_series(void *context, struct apw_search_series *series,
                                        int64_t deadline, struct apw_error *error)
{
    for (size_t i = 0; i < series->count; i++)
        series->search[i].result = lose_search(context, &series->search[i].query, deadline,
                                               &series->search[i].entries, error);
    return APW_LDAP_UNAVAILABLE;
}

static int64_t now(void *context)
{
    (void)context;
    return 1795000000;
}

/* Whatever was sent, without a directory nobody is accepted, and the line is one line. */
static void try_attempt(const char *login, size_t login_length, const char *password,
                        size_t password_length, const char *client)
{
    static struct apw_config config = {.base = (char *)"dc=example,dc=org",
                                       .filter = (char *)"(|(uid=%u)(mail=%u))",
                                       .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)"};
    const struct apw_world world = {
        .search = lose_search, .search_series = lose_series, .now = now};
    const struct apw_attempt attempt = {.login = login,
                                        .login_length = login_length,
                                        .password = password,
                                        .password_length = password_length,
                                        .service = client,
                                        .client = client};
    struct apw_decision decision;
    char line[APW_EVENT_SIZE];

    apw_verify(&config, &world, &attempt, 0, &decision);
    FUZZ_MUST(decision.event.verdict != APW_ACCEPTED);
    FUZZ_MUST(decision.event.verdict == APW_REFUSED ||
              apw_login_is_wellformed(login, login_length));
    apw_event_format(&decision.event, line);
    FUZZ_MUST(fuzz_is_one_line(line) && apw_utf8_is_printable(line, strlen(line)));
    apw_verify_clear(&decision);
}

static void try_login(const char *login, size_t length, const char *realm)
{
    char canonical[APW_LOGIN_SIZE], again[APW_LOGIN_SIZE];

    if (apw_login_canonicalize(login, length, realm, canonical) != 0) {
        FUZZ_MUST(canonical[0] == '\0');
        return;
    }
    FUZZ_MUST(apw_login_is_wellformed(canonical, strlen(canonical)));
    FUZZ_MUST(apw_login_canonicalize(canonical, strlen(canonical), NULL, again) == 0);
    FUZZ_MUST(strcmp(canonical, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *message = (const char *)bytes;
    char *text = fuzz_text(bytes, length), client[64];
    struct apw_attempt parts;
    struct apw_authzid authzid;

    apw_message_parse_address(text, client, sizeof client);
    try_login(message, length, NULL);
    try_login(message, length, "example.org");
    if (apw_message_parse_plain(message, length, &parts, &authzid) == 0) {
        FUZZ_MUST(authzid.length + parts.login_length + parts.password_length + 2 == length);
        try_attempt(parts.login, parts.login_length, parts.password, parts.password_length, client);
    }
    try_attempt(message, length, "secret", 6, text);
    free(text);
    return 0;
}
