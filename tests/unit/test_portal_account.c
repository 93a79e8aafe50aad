/* SPDX-License-Identifier: BSD-2-Clause */
/* Enrollment when the directory stops answering halfway. */
#include "account.h"
#include "responder.h"
#include "unit.h"

#define DN "uid=alice,dc=example,dc=org"

/* Accepts changes, answers no searches: a server that goes away right after the change. */
static bool answer(const struct request *request)
{
    switch (request->operation) {
    case BIND_REQUEST:
        return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
    case MODIFY_REQUEST:
        return responder_result(request, MODIFY_RESPONSE, 0, NULL, NULL);
    default:
        return responder_result(request, SEARCH_DONE, 52, NULL, NULL); /* unavailable */
    }
}

/* Enrolls, replacing `old`, which may be NULL; returns the number of changes made. */
static int enrol(const struct apw_factor *old, enum apw_manage_result expected)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    const struct apw_identity identity = {.dn = (char *)"cn=portal", .password = (char *)"secret"};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = 20000};
    const struct apw_config config = {
        .path = (char *)"test", .base = (char *)DN, .deadline_ms = 20000, .timeout_ms = 20000};
    const struct apw_method method = {.kind = APW_METHOD_APP, .id = "1f2e3d4c", .since = 1};
    struct apw_user user = {.dn = (char *)DN,
                            .name = (char *)"alice",
                            .holder_dn = (char *)DN,
                            .has_holder = true,
                            .unique_id = (char *)"entry",
                            .has_class = true};
    const struct apw_factors_change change = {.removed = old, .added = &method};
    struct apw_portal_config portal_config = {.has_key = true};
    struct apw_portal portal = {.portal_config = &portal_config};
    struct apw_error error = {""};

    assert_int_equal(apw_directory_new(&settings, &portal.directory, &error), 0);
    portal.manager = (struct apw_manager){
        .config = &config, .directory = portal.directory, .with_enrolment = true};
    responder_expect(answer, NULL);
    assert_int_equal(apw_factors_apply(&portal, &user, &change, &error), expected);
    apw_directory_free(&portal.directory);
    return responder_seen().modifies;
}

static void test_first(void **state)
{
    (void)state;
    assert_int_equal(enrol(NULL, APW_MANAGE_UNAVAILABLE), 2);
}

static void test_change(void **state)
{
    (void)state;
    assert_int_equal(enrol(&(struct apw_factor){.value = "sealed=AAAA"}, APW_MANAGE_DONE), 1);
}

int main(void)
{
    UNIT_TEST("a first enrollment that cannot be checked afterwards is undone", test_first);
    UNIT_TEST("a change is not undone: no second factor would be left", test_change);
    return responder_unit_run();
}
