/* SPDX-License-Identifier: BSD-2-Clause */
/* Invitations: what is stored, which one a link names, and the link's last part. */
#include "invitation.h"
#include "unit.h"
#include <sodium.h>

#define START "invitation id=k7q2 created=20261129101500Z until=20261130101500Z"
#define HASH  " hash=AAAAAAAAAAAAAAAAAAAAAA"
#define LABEL " label=Phone of Kari"

static const struct value_case {
    const char *name;
    const char *value;
    const char *factor;
    const char *services;
    size_t networks;
    bool has_expires;
} values[] = {
    {"the shortest value", START HASH LABEL, "", "", 0, false},
    {"a value with a factor", START HASH " factor=1f2e3d4c" LABEL, "1f2e3d4c", "", 0, false},
    {"a value with all limits",
     START HASH " expires=20270522000000Z services=smtp,imap from=192.0.2.0/24,::1" LABEL, "",
     "smtp,imap", 2, true},
    {"a value with everything",
     START HASH " factor=1f2e3d4c expires=20270522000000Z services=imap from=192.0.2.0/24" LABEL,
     "1f2e3d4c", "imap", 1, true},
};

static void test_value(void **state)
{
    const struct value_case *row = *state;
    char *copy = unit_copy(row->value, strlen(row->value)), again[APW_INVITATION_VALUE_SIZE];
    struct apw_invitation invitation;
    struct apw_error error = {""};

    assert_true(apw_invitation_is_value(copy, strlen(row->value)));
    assert_int_equal(apw_invitation_parse(copy, strlen(row->value), &invitation, &error), 0);
    assert_string_equal(invitation.record.id, "k7q2");
    assert_true(invitation.record.created == 1795947300);
    assert_true(invitation.until == 1795947300 + 86400);
    assert_string_equal(invitation.hash, "AAAAAAAAAAAAAAAAAAAAAA");
    assert_string_equal(invitation.factor, row->factor);
    assert_string_equal(invitation.record.services, row->services);
    assert_int_equal(invitation.record.from.count, row->networks);
    assert_int_equal(invitation.record.has_expires, row->has_expires);
    assert_string_equal(invitation.record.label, "Phone of Kari");
    assert_int_equal(apw_invitation_format(&invitation, again, &error), 0);
    assert_string_equal(again, row->value);
    free(copy);
}

static const char *const damaged[] = {
    "",
    "invitation",
    "invitation ",
    "id=k7q2 created=20261129101500Z until=20261130101500Z" HASH LABEL,
    "sealed=AAAA",
    START LABEL,
    START HASH,
    START HASH " label=",
    START HASH " label= x",
    START HASH " label=a\nb",
    "invitation id=K7Q2 created=20261129101500Z until=20261130101500Z" HASH LABEL,
    "invitation id=k7q2 until=20261130101500Z" HASH LABEL,
    "invitation id=k7q2 created=20261129101500Z" HASH LABEL,
    "invitation id=k7q2 created=20261129101500Z until=tomorrow" HASH LABEL,
    START " hash=AAAA" LABEL,
    START " hash=AAAAAAAAAAAAAAAAAAAAA*" LABEL,
    START HASH "A" LABEL,
    START HASH " factor=1f2e3d4" LABEL,
    START HASH " factor=1F2E3D4C" LABEL,
    START HASH " services=" LABEL,
    START HASH " services=smtp from=everywhere" LABEL,
    START HASH " from=::1 services=smtp" LABEL,
    START HASH " other=x" LABEL,
    START HASH HASH LABEL,
};

static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(damaged); i++) {
        char *copy = unit_copy(damaged[i], strlen(damaged[i]));
        struct apw_error error = {""};
        struct apw_invitation invitation;

        memset(&invitation, 0xff, sizeof invitation);
        assert_int_equal(apw_invitation_parse(copy, strlen(damaged[i]), &invitation, &error), -1);
        assert_true(unit_is_zero(&invitation, sizeof invitation));
        assert_string_equal(error.text, "malformed invitation");
        free(copy);
    }
}

/* ---- finding one ---- */

#define NOW 1795950000

static void write_value(const char *token, int64_t until, char value_r[APW_INVITATION_VALUE_SIZE])
{
    struct apw_invitation invitation = {
        .until = until, .record = {.id = "k7q2", .created = NOW - 60, .label = "Phone"}};
    struct apw_error error = {""};

    apw_token_hash(token, invitation.hash);
    assert_int_equal(apw_invitation_format(&invitation, value_r, &error), 0);
}

static void test_link(void **state)
{
    char value[APW_INVITATION_VALUE_SIZE], token[APW_TOKEN_SIZE], wrong[APW_TOKEN_SIZE];
    struct apw_value list[] = {{.bytes = (char *)(uintptr_t) "sealed=AAAA", .length = 11},
                               {.bytes = (char *)(uintptr_t) "invitation x", .length = 12},
                               {.bytes = value}};
    const struct apw_user user = {.method = {.count = 3, .value = list}};
    struct apw_invitation invitation;

    (void)state;
    apw_token_make(token);
    apw_token_make(wrong);
    write_value(token, NOW + 1, value);
    list[2].length = strlen(value);
    assert_ptr_equal(apw_invitation_find_token(&user, token, NOW, &invitation), value);
    assert_string_equal(invitation.record.id, "k7q2");
    assert_null(apw_invitation_find_token(&user, token, NOW + 1, &invitation));
    assert_true(unit_is_zero(&invitation, sizeof invitation));
    assert_null(apw_invitation_find_token(&user, wrong, NOW, &invitation));
    assert_ptr_equal(apw_invitation_find_id(&user, "k7q2"), value);
    assert_null(apw_invitation_find_id(&user, "k7q3"));
    assert_true(apw_user_has_method(&user, value));
    assert_false(apw_user_has_method(&user, "invitation"));
    assert_int_equal(apw_invitation_count(&user), 2);
}

/* ---- the link ---- */

static const char *const logins[] = {"alice", "alice@example.net", "k\xc3\xa5re", "a", "-/.%?"};

static void test_code(void **state)
{
    char longest[APW_LOGIN_SIZE];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i <= UNIT_COUNT(logins); i++) {
        const char *login = i < UNIT_COUNT(logins) ? logins[i] : longest;
        char token[APW_TOKEN_SIZE], code[APW_INVITATION_CODE_SIZE];
        char login_again[APW_LOGIN_SIZE], token_again[APW_TOKEN_SIZE];

        apw_token_make(token);
        apw_invitation_write_code(login, token, code);
        assert_int_equal(apw_invitation_read_code(code, login_again, token_again), 0);
        assert_string_equal(login_again, login);
        assert_string_equal(token_again, token);
    }
}

#define TOKEN "AAAAAAAAAAAAAAAAAAAAAA"

static const char *const wrong_codes[] = {
    "",
    "/",
    "YWxpY2U",
    "YWxpY2U/",
    TOKEN,
    "YWxpY2U/" TOKEN "A",
    "YWxpY2U/AAAA",
    "YWxpY2U/AAAAAAAAAAAAAAAAAAAAA/",
    "YWxpY2U//" TOKEN,
    "YWxpY2U=/" TOKEN,
    "YWx pY2U/" TOKEN,
    "YWxpY2U\xc3\xa5/" TOKEN,
    "YQBi/" TOKEN /* a NUL byte */,
};

static void test_wrong_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(wrong_codes); i++) {
        char login[APW_LOGIN_SIZE], token[APW_TOKEN_SIZE];

        assert_int_equal(apw_invitation_read_code(wrong_codes[i], login, token), -1);
    }
}

static void test_long_code(void **state)
{
    char code[1024], login[APW_LOGIN_SIZE], token[APW_TOKEN_SIZE];

    (void)state;
    memset(code, 'A', 344); /* 258 bytes */
    strcpy(code + 344, "/" TOKEN);
    assert_int_equal(apw_invitation_read_code(code, login, token), -1);
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(values, test_value);
    UNIT_TEST("damaged values are none", test_damaged);
    UNIT_TEST("a link names the invitation with its token, until its end", test_link);
    UNIT_TEST("a code carries login and token", test_code);
    UNIT_TEST("other codes are none", test_wrong_codes);
    UNIT_TEST("a code with too long a login is none", test_long_code);
    return unit_run();
}
