/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory_under_test.h"
#include "clock.h"

struct apw_error last_error;

struct apw_directory *open_with(const struct apw_uris *uris, int timeout_ms, const char *ca_path)
{
    const struct apw_identity identity = {.dn = (char *)SERVICE_DN, .password = (char *)SERVICE_PW};
    const struct apw_directory_settings settings = {.uris = uris,
                                                    .identity = &identity,
                                                    .start_tls = ca_path != NULL,
                                                    .tls_cacert = ca_path,
                                                    .timeout_ms = timeout_ms};
    struct apw_directory *directory;

    last_error.text[0] = '\0';
    if (ca_path != NULL)
        __lsan_disable(); /* libldap cannot free a TLS context */
    if (apw_directory_new(&settings, &directory, &last_error) != 0)
        fail_msg("%s", last_error.text);
    if (ca_path != NULL)
        __lsan_enable();
    return directory;
}

struct apw_directory *open_idle(int64_t idle_ms)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    const struct apw_identity identity = {.dn = (char *)SERVICE_DN, .password = (char *)SERVICE_PW};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = PLENTY_MS, .idle_ms = idle_ms};
    struct apw_directory *directory;

    assert_int_equal(apw_directory_new(&settings, &directory, &last_error), 0);
    return directory;
}

struct apw_directory *open_directory(int listener, int timeout_ms)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(listener)}};

    return open_with(&uris, timeout_ms, NULL);
}

struct apw_directory *open_two(const char *first_uri, const char *second_uri)
{
    const struct apw_uris uris = {.count = 2, .uri = {(char *)first_uri, (char *)second_uri}};

    return open_with(&uris, PLENTY_MS, NULL);
}

int64_t in_ms(int64_t milliseconds)
{
    return apw_clock_monotonic_ms() + milliseconds;
}

enum apw_user_bind bind_within(struct apw_directory *directory, int64_t milliseconds)
{
    return apw_directory_bind_user(directory, USER_DN, BYTES(USER_PW), in_ms(milliseconds),
                                   &last_error);
}

enum apw_user_bind bind_user(struct apw_directory *directory)
{
    return bind_within(directory, PLENTY_MS);
}

enum apw_ldap_result search_within(struct apw_directory *directory, unsigned limit,
                                   int64_t milliseconds, struct apw_entry **entries_r)
{
    static const char *const attributes[] = {"uid", "mail", NULL};

    const struct apw_query query = {.base = "dc=example,dc=org",
                                    .filter = "(uid=alice)",
                                    .attributes = attributes,
                                    .limit = limit};

    return apw_directory_search(directory, &query, in_ms(milliseconds), entries_r, &last_error);
}

enum apw_ldap_result search(struct apw_directory *directory, struct apw_entry **entries_r)
{
    return search_within(directory, 2, PLENTY_MS, entries_r);
}

void assert_search_is_ok(struct apw_directory *directory)
{
    struct apw_entry *entries;

    if (search(directory, &entries) != APW_LDAP_OK)
        fail_msg("%s", last_error.text);
    assert_non_null(entries);
    apw_entries_free(&entries);
}

void assert_error_is_set(void)
{
    assert_true(last_error.text[0] != '\0');
    assert_null(strstr(last_error.text, SERVICE_PW));
    assert_null(strstr(last_error.text, USER_PW));
}

size_t count_entries(const struct apw_entry *entries)
{
    size_t count = 0;

    for (; entries != NULL; entries = entries->next)
        count++;
    return count;
}

const char *const alice[] = {"uid", "alice", "mail", "alice@example.org", NULL};

bool accept_bind(const struct request *request)
{
    return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
}

bool answer_well(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    if (request->operation == MODIFY_REQUEST)
        return responder_result(request, MODIFY_RESPONSE, 0, NULL, NULL);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}
