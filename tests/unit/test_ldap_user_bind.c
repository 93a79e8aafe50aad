/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's bind: every result code, with and without a password policy control. */
#include "directory_under_test.h"
#include <lber.h>

#define POLICY_OID "1.3.6.1.4.1.42.2.27.8.5.1"

/* ---- results and controls ---- */

#define NO_CONTROL       NULL, NULL, 0
#define POLICY(value)    POLICY_OID, BYTES(value)
#define POLICY_ERROR(n)  POLICY("\x30\x03\x81\x01" n)
#define ACCOUNT_LOCKED   POLICY_ERROR("\x01")
#define CHANGE_AFTER_RST POLICY_ERROR("\x02")
#define PASSWORD_EXPIRED POLICY_ERROR("\0")
#define GARBLED          POLICY("\xff\xff\xff")

static const struct bind_case {
    const char *name;
    int code;
    const char *oid;
    const char *value;
    size_t length;
    enum apw_user_bind result;
} bind_cases[] = {
    {"success is accepted", 0, NO_CONTROL, APW_USER_BIND_OK},
    {"invalidCredentials is a wrong password", 49, NO_CONTROL, APW_USER_BIND_WRONG},
    {"inappropriateAuthentication is a wrong password", 48, NO_CONTROL, APW_USER_BIND_WRONG},
    {"noSuchObject is a wrong password", 32, NO_CONTROL, APW_USER_BIND_WRONG},
    {"constraintViolation is a locked account", 19, NO_CONTROL, APW_USER_BIND_LOCKED},
    {"unwillingToPerform is a locked account", 53, NO_CONTROL, APW_USER_BIND_LOCKED},
    {"operationsError is an outage", 1, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"protocolError is an outage", 2, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"timeLimitExceeded is an outage", 3, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"compareFalse is an outage", 5, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"compareTrue is an outage", 6, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"authMethodNotSupported is an outage", 7, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"strongerAuthRequired is an outage", 8, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"referral is an outage", 10, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"adminLimitExceeded is an outage", 11, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"confidentialityRequired is an outage", 13, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"saslBindInProgress is an outage", 14, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"invalidDNSyntax is an outage", 34, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"insufficientAccessRights is an outage", 50, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"busy is an outage", 51, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"unavailable is an outage", 52, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"loopDetect is an outage", 54, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"other is an outage", 80, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"an unknown code is an outage", 255, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"a code of more than one byte is an outage", 4096, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"a negative code is an outage", -1, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"the lowest code is an outage", INT32_MIN, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},

    {"success with an empty policy control is accepted", 0, POLICY("\x30\0"), APW_USER_BIND_OK},
    {"success with a warning before expiry is accepted", 0, POLICY("\x30\x05\xa0\x03\x80\x01\x05"),
     APW_USER_BIND_OK},
    {"success with grace logins left is accepted", 0, POLICY("\x30\x05\xa0\x03\x81\x01\x02"),
     APW_USER_BIND_OK},
    {"success with accountLocked is locked", 0, ACCOUNT_LOCKED, APW_USER_BIND_LOCKED},
    {"success with changeAfterReset must change", 0, CHANGE_AFTER_RST, APW_USER_BIND_MUST_CHANGE},
    {"success with a warning and changeAfterReset must change", 0,
     POLICY("\x30\x08\xa0\x03\x80\x01\x05\x81\x01\x02"), APW_USER_BIND_MUST_CHANGE},
    {"success with passwordExpired is an outage", 0, PASSWORD_EXPIRED, APW_USER_BIND_UNAVAILABLE},
    {"success with passwordModNotAllowed is an outage", 0, POLICY_ERROR("\x03"),
     APW_USER_BIND_UNAVAILABLE},
    {"success with an unknown policy error is an outage", 0, POLICY_ERROR("\x63"),
     APW_USER_BIND_UNAVAILABLE},
    {"success with a garbled policy control is an outage", 0, GARBLED, APW_USER_BIND_UNAVAILABLE},
    {"success with a truncated policy control is an outage", 0, POLICY("\x30\x03\x81"),
     APW_USER_BIND_UNAVAILABLE},
    {"success with an empty policy control value is an outage", 0, POLICY(""),
     APW_USER_BIND_UNAVAILABLE},
    {"success with a policy control without a value is an outage", 0, POLICY_OID, NULL, 0,
     APW_USER_BIND_UNAVAILABLE},
    {"success with another control is accepted", 0, "1.2.3.4", BYTES("\x30\x03\x81\x01\x01"),
     APW_USER_BIND_OK},
    {"invalidCredentials with accountLocked is locked", 49, ACCOUNT_LOCKED, APW_USER_BIND_LOCKED},
    {"invalidCredentials with passwordExpired must change", 49, PASSWORD_EXPIRED,
     APW_USER_BIND_MUST_CHANGE},
    {"inappropriateAuthentication with passwordExpired is a wrong password", 48, PASSWORD_EXPIRED,
     APW_USER_BIND_WRONG},
    {"noSuchObject with passwordExpired is a wrong password", 32, PASSWORD_EXPIRED,
     APW_USER_BIND_WRONG},
    {"invalidCredentials with a garbled control is a wrong password", 49, GARBLED,
     APW_USER_BIND_WRONG},
    {"unwillingToPerform with a garbled control is locked", 53, GARBLED, APW_USER_BIND_LOCKED},
    {"busy with changeAfterReset is an outage", 51, CHANGE_AFTER_RST, APW_USER_BIND_UNAVAILABLE},
};

static bool answer_bind_row(const struct request *request)
{
    const struct bind_case *row = request->row;
    const struct control control = {row->oid, row->value, row->length};

    return responder_result(request, BIND_RESPONSE, row->code, row->oid != NULL ? &control : NULL,
                            NULL);
}

static void test_bind(void **state)
{
    const struct bind_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    enum apw_user_bind result;

    responder_expect(answer_bind_row, row);
    result = bind_user(directory);
    assert_int_equal(result, row->result);
    if (result == APW_USER_BIND_UNAVAILABLE)
        assert_error_is_set();
    else
        assert_string_equal(last_error.text, "");
    assert_int_equal(responder_seen().binds, 1);
    apw_directory_free(&directory);
}

/* ---- the codes of Active Directory ---- */

#define WINDOWS(code)                                                                              \
    "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data " code ", v4563"

static const struct code_case {
    const char *name;
    int code;
    const char *text;
    enum apw_user_bind result;
} code_cases[] = {
    {"52e is a wrong password", 49, WINDOWS("52e"), APW_USER_BIND_WRONG},
    {"525 is a wrong password", 49, WINDOWS("525"), APW_USER_BIND_WRONG},
    {"530 is a disabled account", 49, WINDOWS("530"), APW_USER_BIND_DISABLED},
    {"531 is a disabled account", 49, WINDOWS("531"), APW_USER_BIND_DISABLED},
    {"533 is a disabled account", 49, WINDOWS("533"), APW_USER_BIND_DISABLED},
    {"701 is a disabled account", 49, WINDOWS("701"), APW_USER_BIND_DISABLED},
    {"532 must change", 49, WINDOWS("532"), APW_USER_BIND_MUST_CHANGE},
    {"773 must change", 49, WINDOWS("773"), APW_USER_BIND_MUST_CHANGE},
    {"775 is a locked account", 49, WINDOWS("775"), APW_USER_BIND_LOCKED},
    {"an unknown code is a wrong password", 49, WINDOWS("999"), APW_USER_BIND_WRONG},
    {"Samba's text ends with the code", 49,
     "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1",
     APW_USER_BIND_LOCKED},
    {"a code elsewhere in the text is none", 49, "invalid, data 775", APW_USER_BIND_WRONG},
    {"a code does not turn an outage into a refusal", 80, WINDOWS("775"),
     APW_USER_BIND_UNAVAILABLE},
    {"a code with success is not a refusal", 0, WINDOWS("775"), APW_USER_BIND_OK},
};

static bool answer_code_row(const struct request *request)
{
    const struct code_case *row = request->row;

    return responder_result_text(request, BIND_RESPONSE, row->code, row->text);
}

static void test_code(void **state)
{
    const struct code_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    responder_expect(answer_code_row, row);
    assert_int_equal(bind_user(directory), row->result);
    if (row->code == 49 && strstr(row->text, "AcceptSecurityContext") != NULL)
        assert_contains(last_error.text, row->text);
    apw_directory_free(&directory);
}

/* The password arrives unchanged, and the policy control is requested. */
static void test_bind_request(void **state)
{
    static const char password[] = " p\xc3\xa4ss\\*\xff ";
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    BerElement *ber;
    struct berval value, dn, credentials;
    ber_int_t id, version;
    struct seen seen;

    (void)state;
    responder_expect(accept_bind, NULL);
    assert_int_equal(apw_directory_bind_user(directory, USER_DN, password, sizeof password - 2,
                                             in_ms(PLENTY_MS), &last_error),
                     APW_USER_BIND_OK);
    seen = responder_seen();
    value = (struct berval){.bv_len = seen.bind_length, .bv_val = seen.bind};
    ber = ber_init(&value);
    assert_non_null(ber);
    assert_true(ber_scanf(ber, "{i{imm", &id, &version, &dn, &credentials) != LBER_ERROR);
    assert_int_equal(version, 3);
    assert_int_equal(dn.bv_len, strlen(USER_DN));
    assert_memory_equal(dn.bv_val, USER_DN, dn.bv_len);
    assert_int_equal(credentials.bv_len, sizeof password - 2);
    assert_memory_equal(credentials.bv_val, password, credentials.bv_len);
    assert_non_null(memmem(seen.bind, seen.bind_length, BYTES(POLICY_OID)));
    ber_free(ber, 1);
    apw_directory_free(&directory);
}

/* The server would accept an anonymous bind. */
static void test_anonymous_bind(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(accept_bind, NULL);
    assert_int_equal(
        apw_directory_bind_user(directory, USER_DN, "", 0, in_ms(PLENTY_MS), &last_error),
        APW_USER_BIND_WRONG);
    assert_int_equal(
        apw_directory_bind_user(directory, "", BYTES(USER_PW), in_ms(PLENTY_MS), &last_error),
        APW_USER_BIND_WRONG);
    assert_int_equal(responder_seen().connections[0], 0);
    apw_directory_free(&directory);
}

static bool answer_with_referral_to_bind(const struct request *request)
{
    return responder_result(request, BIND_RESPONSE, 10, NULL, responder_uri(1));
}

static void test_referral(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_with_referral_to_bind, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_int_equal(responder_seen().connections[1], 0);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(bind_cases, test_bind);
    UNIT_ROWS(code_cases, test_code);
    UNIT_TEST("the user's bind carries the password's bytes", test_bind_request);
    UNIT_TEST("an anonymous bind is never sent", test_anonymous_bind);
    UNIT_TEST("a referral is not followed with the user's password", test_referral);
    return responder_unit_run();
}
