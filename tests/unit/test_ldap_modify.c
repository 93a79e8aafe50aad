/* SPDX-License-Identifier: BSD-2-Clause */
/* Modifications and additions: result codes, what is sent, and that it is sent once. */
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

/* Over the Unix socket, whose other end learns of it at once: a modification is not sent again. */
static void test_modify_after_idle(void **state)
{
    struct apw_directory *directory = open_directory(RESPONDER_PORTS, PLENTY_MS);

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

/* ---- new entries ---- */

#define NEW_DN "appPasswordOwner=0f3e,ou=entries,o=app-passwords"

static const struct add_case {
    const char *name;
    int code; /* -1: the server closes the connection instead */
    enum apw_ldap_result result;
    const char *error;
} add_cases[] = {
    {"an addition that succeeds is OK", 0, APW_LDAP_OK, ""},
    {"entryAlreadyExists is a conflict", 68, APW_LDAP_CONFLICT, "add " NEW_DN},
    {"insufficientAccessRights is not permitted to add", 50, APW_LDAP_NOT_PERMITTED, "add"},
    {"noSuchObject to an addition is noSuchObject", 32, APW_LDAP_NO_SUCH_OBJECT, "add"},
    {"objectClassViolation refuses the addition", 65, APW_LDAP_REFUSED, "add"},
    {"invalidAttributeSyntax refuses the addition", 21, APW_LDAP_REFUSED, "add"},
    {"a referral to an addition means a read-only replica", 10, APW_LDAP_READ_ONLY, "add"},
    {"unwillingToPerform means a read-only server, too", 53, APW_LDAP_READ_ONLY, "add"},
    {"busy to an addition is an outage", 51, APW_LDAP_UNAVAILABLE, "add"},
    {"a lost answer to an addition is an outage", -1, APW_LDAP_UNAVAILABLE,
     "add (it may have been made)"},
};

static char added[RESPONDER_MESSAGE_SIZE];
static size_t added_length;

static bool answer_add_row(const struct request *request)
{
    const struct add_case *row = request->row;

    if (request->operation != ADD_REQUEST)
        return answer_well(request);
    memcpy(added, request->bytes, request->length);
    added_length = request->length;
    return row->code >= 0 && responder_result(request, ADD_RESPONSE, row->code, NULL,
                                              row->code == 10 ? responder_uri(1) : NULL);
}

/* Counts, in the last addition, the attributes of that name, or the values. */
static size_t count_strings(const char *text)
{
    char string[64];
    size_t count = 0, length = strlen(text) + 2;
    const char *at = added, *end = added + added_length;

    snprintf(string, sizeof string, "\x04%c%s", (int)strlen(text), text);
    while ((at = memmem(at, (size_t)(end - at), string, length)) != NULL) {
        count++;
        at += length;
    }
    return count;
}

/* Each attribute is named once, wherever its values stand among the changes (RFC 4511, 4.7). */
static void assert_attributes_are_named_once(void)
{
    static const char *const once[] = {NEW_DN,     "objectClass", "appPassword", "uid",  "classOne",
                                       "classTwo", "first",       "second",      "alice"};

    for (size_t i = 0; i < UNIT_COUNT(once); i++)
        if (count_strings(once[i]) != 1)
            fail_msg("%s: %zu times", once[i], count_strings(once[i]));
    assert_int_equal(count_strings("APPPASSWORD") + count_strings("OBJECTCLASS"), 0);
}

static enum apw_ldap_result add(struct apw_directory *directory)
{
    static const struct apw_change changes[] = {{APW_CHANGE_ADD, "objectClass", "classOne"},
                                                {APW_CHANGE_ADD, "appPassword", "first"},
                                                {APW_CHANGE_ADD, "uid", "alice"},
                                                {APW_CHANGE_ADD, "OBJECTCLASS", "classTwo"},
                                                {APW_CHANGE_ADD, "APPPASSWORD", "second"}};

    return apw_directory_add(directory, NEW_DN, changes, UNIT_COUNT(changes), in_ms(PLENTY_MS),
                             &last_error);
}

/* Sent once, on a fresh connection as on a kept one. */
static void test_add(void **state)
{
    const struct add_case *row = *state;

    for (int is_kept = 0; is_kept <= 1; is_kept++) {
        struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

        responder_expect(answer_add_row, row);
        if (is_kept)
            assert_search_is_ok(directory);
        assert_int_equal(add(directory), row->result);
        assert_contains(last_error.text, row->error);
        assert_true((row->error[0] == '\0') == (last_error.text[0] == '\0'));
        assert_null(strstr(last_error.text, "first")); /* a value may be a hash */
        assert_int_equal(responder_seen().adds, 1);
        assert_int_equal(responder_seen().modifies, 0);
        assert_attributes_are_named_once();
        assert_search_is_ok(directory); /* the directory still works */
        apw_directory_free(&directory);
    }
}

static bool answer_and_keep(const struct request *request)
{
    if (request->operation == MODIFY_REQUEST) {
        memcpy(added, request->bytes, request->length);
        added_length = request->length;
    }
    return answer_well(request);
}

/* In a modification the changes stay apart: their order matters. */
static void test_modify_stays_apart(void **state)
{
    static const struct apw_change changes[] = {{APW_CHANGE_DELETE, "appPassword", "old"},
                                                {APW_CHANGE_ADD, "appPassword", "new"}};
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_and_keep, NULL);
    assert_int_equal(apw_directory_modify(directory, NEW_DN, changes, UNIT_COUNT(changes),
                                          in_ms(PLENTY_MS), &last_error),
                     APW_LDAP_OK);
    assert_int_equal(count_strings("appPassword"), 2);
    assert_int_equal(
        apw_directory_add(directory, NEW_DN, changes, 3000, in_ms(PLENTY_MS), &last_error),
        APW_LDAP_UNAVAILABLE);
    assert_contains(last_error.text, "more than 2048 changes");
    assert_int_equal(responder_seen().adds, 0);
    apw_directory_free(&directory);
}

/* ---- deletions ---- */

#define DELETE_REQUEST  0x4a /* RFC 4511, 4.8 */
#define DELETE_RESPONSE 0x6b

static const struct modify_case delete_cases[] = {
    {"a deletion that succeeds is OK", 0, APW_LDAP_OK, ""},
    {"noSuchObject to a deletion is noSuchObject", 32, APW_LDAP_NO_SUCH_OBJECT, "delete " USER_DN},
    {"notAllowedOnNonLeaf refuses the deletion", 66, APW_LDAP_REFUSED, "delete"},
    {"insufficientAccessRights is not permitted to delete", 50, APW_LDAP_NOT_PERMITTED, "delete"},
    {"a lost answer to a deletion is an outage", -1, APW_LDAP_UNAVAILABLE, "it may have been made"},
};

static bool answer_delete_row(const struct request *request)
{
    const struct modify_case *row = request->row;

    if (request->operation != DELETE_REQUEST)
        return answer_well(request);
    return row->code >= 0 && responder_result(request, DELETE_RESPONSE, row->code, NULL, NULL);
}

/* Sent once. */
static void test_delete(void **state)
{
    const struct modify_case *row = *state;
    struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

    responder_expect(answer_delete_row, row);
    assert_int_equal(apw_directory_delete(directory, USER_DN, in_ms(PLENTY_MS), &last_error),
                     row->result);
    if (row->error[0] == '\0')
        assert_string_equal(last_error.text, "");
    else
        assert_contains(last_error.text, row->error);
    assert_int_equal(responder_seen().others, 1);
    assert_search_is_ok(directory);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(add_cases, test_add);
    UNIT_TEST("a modification names an attribute for each change", test_modify_stays_apart);
    UNIT_ROWS(modify_cases, test_modify);
    UNIT_TEST("a modification on a connection closed while idle is made", test_modify_after_idle);
    UNIT_TEST("only a modification that must not be forwarded says so", test_modify_here);
    UNIT_ROWS(delete_cases, test_delete);
    return responder_unit_run();
}
