/* SPDX-License-Identifier: BSD-2-Clause */
/* An account for Thunderbird for Android: the JSON, and what it cannot have. */
#include "transfer.h"
#include "unit.h"
#include <jansson.h>

#define PASSWORD "k7q2-9xd4-m2hp-w8ra-e5tb"

static struct apw_host_port imap, smtp;

/* A good one, for each test to change. */
static struct apw_transfer begin(void)
{
    imap = (struct apw_host_port){(char *)"imap.example.org", "993"};
    smtp = (struct apw_host_port){(char *)"smtp.example.org", "587"};
    return (struct apw_transfer){.imap = &imap,
                                 .smtp = &smtp,
                                 .login = "alice",
                                 .password = PASSWORD,
                                 .address = "alice@example.org",
                                 .name = "Alice Berg"};
}

static void assert_written(const struct apw_transfer *transfer, const char *expected)
{
    char json[APW_TRANSFER_SIZE];
    json_t *read;

    assert_int_equal(apw_transfer_write(transfer, json), 0);
    assert_string_equal(json, expected);
    read = json_loads(json, 0, NULL);
    assert_non_null(read);
    json_decref(read);
}

static void assert_refused(const struct apw_transfer *transfer)
{
    char json[APW_TRANSFER_SIZE];

    memset(json, 'x', sizeof json);
    assert_int_equal(apw_transfer_write(transfer, json), -1);
    assert_int_equal(json[0], '\0');
    assert_null(memmem(json, sizeof json, PASSWORD, strlen(PASSWORD)));
}

static void test_account(void **state)
{
    struct apw_transfer transfer = begin();

    (void)state;
    assert_written(&transfer, "[1,[1,1],[0,\"imap.example.org\",993,3,1,\"alice\",\"\",\"" PASSWORD
                              "\"],[[[0,\"smtp.example.org\",587,2,1,\"alice\",\"" PASSWORD
                              "\"],[\"alice@example.org\",\"Alice Berg\"]]]]");
}

static void test_ports(void **state)
{
    struct apw_transfer transfer = begin();

    (void)state;
    strcpy(imap.port, "143");
    strcpy(smtp.port, "465");
    assert_written(&transfer, "[1,[1,1],[0,\"imap.example.org\",143,2,1,\"alice\",\"\",\"" PASSWORD
                              "\"],[[[0,\"smtp.example.org\",465,3,1,\"alice\",\"" PASSWORD
                              "\"],[\"alice@example.org\",\"Alice Berg\"]]]]");
}

/* Programs that read QR codes guess the character set. */
static void test_name(void **state)
{
    struct apw_transfer transfer = begin();

    (void)state;
    transfer.name = "K\xc3\xa5re \"K\" \\";
    assert_written(&transfer, "[1,[1,1],[0,\"imap.example.org\",993,3,1,\"alice\",\"\",\"" PASSWORD
                              "\"],[[[0,\"smtp.example.org\",587,2,1,\"alice\",\"" PASSWORD
                              "\"],[\"alice@example.org\",\"K\\u00E5re \\\"K\\\" \\\\\"]]]]");
}

static void test_refused(void **state)
{
    char *longest = unit_repeat("a", APW_TRANSFER_SIZE);
    struct apw_transfer transfer = begin();

    (void)state;
    transfer.address = "bl\xc3\xa5@example.org";
    assert_refused(&transfer);
    transfer = begin();
    imap.host = (char *)"bl\xc3\xa5.example.org";
    assert_refused(&transfer);
    transfer = begin();
    smtp.host = (char *)"smtp example.org";
    assert_refused(&transfer);
    transfer = begin();
    transfer.name = "Alice\nBerg";
    assert_refused(&transfer);
    transfer = begin();
    transfer.login = "alice\r";
    assert_refused(&transfer);
    transfer = begin();
    transfer.name = "not UTF-8: \xff";
    assert_refused(&transfer);
    transfer = begin();
    transfer.name = longest;
    assert_refused(&transfer);
    free(longest);
}

/* The JSON may have all bytes but one, for the NUL. */
static void test_longest(void **state)
{
    struct apw_transfer transfer = begin();
    char json[APW_TRANSFER_SIZE], *name = unit_repeat("a", APW_TRANSFER_SIZE);
    size_t rest;

    (void)state;
    transfer.name = "";
    assert_int_equal(apw_transfer_write(&transfer, json), 0);
    rest = APW_TRANSFER_SIZE - 1 - strlen(json);
    transfer.name = name;
    name[rest] = '\0';
    assert_int_equal(apw_transfer_write(&transfer, json), 0);
    assert_int_equal(strlen(json), APW_TRANSFER_SIZE - 1);
    name[rest] = 'a';
    name[rest + 1] = '\0';
    assert_refused(&transfer);
    free(name);
}

int main(void)
{
    UNIT_TEST("an account has servers, login, app password and sender", test_account);
    UNIT_TEST("the port says whether TLS comes first", test_ports);
    UNIT_TEST("a name past ASCII is escaped", test_name);
    UNIT_TEST("an account that the format cannot have is refused", test_refused);
    UNIT_TEST("the longest account fits, a longer one is refused", test_longest);
    return unit_run();
}
