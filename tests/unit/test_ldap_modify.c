/* SPDX-License-Identifier: BSD-2-Clause */
/* Modifications: result codes, and that each is sent once. */
#include "directory_under_test.h"

static const struct modify_case {
    const char *name;
    int code; /* -1: the server closes the connection instead */
    enum apw_ldap_result result;
    const char *error;
} modify_cases[] = {
    {"a modification that succeeds is OK", 0, APW_LDAP_OK, ""},
    {"noSuchAttribute is a conflict", 16, APW_LDAP_CONFLICT, "modify " USER_DN},
    {"attributeOrValueExists is a conflict", 20, APW_LDAP_CONFLICT, "modify " USER_DN},
    {"insufficientAccessRights is not permitted to modify", 50, APW_LDAP_NOT_PERMITTED, "modify"},
    {"noSuchObject to a modification is noSuchObject", 32, APW_LDAP_NO_SUCH_OBJECT, "modify"},
    {"objectClassViolation refuses the modification", 65, APW_LDAP_REFUSED, "modify"},
    {"constraintViolation refuses the modification", 19, APW_LDAP_REFUSED, "modify"},
    {"a referral means a read-only replica", 10, APW_LDAP_READ_ONLY, "set write_uri"},
    {"unwillingToPerform means a read-only server", 53, APW_LDAP_READ_ONLY, "modify"},
    {"busy to a modification is an outage", 51, APW_LDAP_UNAVAILABLE, "modify"},
    {"a lost answer to a modification is an outage", -1, APW_LDAP_UNAVAILABLE,
     "it may have been made"},
};

static bool answer_modify_row(const struct request *request)
{
    const struct modify_case *row = request->row;

    if (request->operation != MODIFY_REQUEST)
        return answer_well(request);
    return row->code >= 0 && responder_result(request, MODIFY_RESPONSE, row->code, NULL,
                                              row->code == 10 ? responder_uri(1) : NULL);
}

static enum apw_ldap_result modify(struct apw_directory *directory)
{
    static const struct apw_change changes[] = {{APW_CHANGE_DELETE, "appPassword", "old"},
                                                {APW_CHANGE_ADD, "appPassword", "new"},
                                                {APW_CHANGE_REPLACE, "description", NULL}};

    return apw_directory_modify(directory, USER_DN, changes, UNIT_COUNT(changes), in_ms(PLENTY_MS),
                                &last_error);
}

/* Sent once, on a fresh connection as on a kept one. */
static void test_modify(void **state)
{
    const struct modify_case *row = *state;

    for (int is_kept = 0; is_kept <= 1; is_kept++) {
        struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

        responder_expect(answer_modify_row, row);
        if (is_kept)
            assert_search_is_ok(directory);
        assert_int_equal(modify(directory), row->result);
        if (row->error[0] == '\0')
            assert_string_equal(last_error.text, "");
        else
            assert_contains(last_error.text, row->error);
        assert_int_equal(responder_seen().modifies, 1);
        assert_search_is_ok(directory); /* the directory still works */
        apw_directory_free(&directory);
    }
}

static void test_modify_after_idle(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    responder_expect(answer_well, NULL); /* drops the connection */
    assert_int_equal(modify(directory), APW_LDAP_OK);
    assert_int_equal(responder_seen().modifies, 1);
    apw_directory_free(&directory);
}

/* The control of draft-sermersheim-ldap-chaining: not critical, its value referralsRequired (3). */
static const char never_forward[] = "\x30\x22\x04\x19"
                                    "1.3.6.1.4.1.4203.666.11.3"
                                    "\x04\x05\x30\x03\x0a\x01\x03";

static bool answer_whether_forwarded(const struct request *request)
{
    bool is_never =
        memmem(request->bytes, request->length, never_forward, sizeof never_forward - 1) != NULL;

    if (request->operation != MODIFY_REQUEST)
        return answer_well(request);
    return responder_result(request, MODIFY_RESPONSE, is_never ? 10 : 0, NULL,
                            is_never ? responder_uri(1) : NULL);
}

static void test_modify_here(void **state)
{
    static const struct apw_change change = {APW_CHANGE_DELETE, "appPasswordUsed", "old"};
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_whether_forwarded, NULL);
    assert_int_equal(modify(directory), APW_LDAP_OK);
    assert_int_equal(
        apw_directory_modify_here(directory, USER_DN, &change, 1, in_ms(PLENTY_MS), &last_error),
        APW_LDAP_READ_ONLY);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(modify_cases, test_modify);
    UNIT_TEST("a modification on a connection closed while idle is made", test_modify_after_idle);
    UNIT_TEST("only a modification that must not be forwarded says so", test_modify_here);
    return responder_unit_run();
}
