/* SPDX-License-Identifier: BSD-2-Clause */
/* Outlook's request: the address in it, and what is no such request. */
#include "autodiscover.h"
#include "unit.h"

#define SCHEMA                                                                                     \
    "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/"        \
    "responseschema/2006a</AcceptableResponseSchema>"
#define HEAD                                                                                       \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com" \
    "/exchange/autodiscover/outlook/requestschema/2006\"><Request>"
#define END              "</Request></Autodiscover>"
#define ADDRESS(address) "<EMailAddress>" address "</EMailAddress>"
#define WITH(address)                                                                              \
    HEAD ADDRESS(address)                                                                          \
    SCHEMA END
#define TEN(text) text text text text text text text text text text
#define ALICE     "alice@example.org"

static const struct request_case {
    const char *name;
    const char *text;
    const char *address; /* NULL: it is refused */
} requests[] = {
    {"Outlook's request", WITH(ALICE), ALICE},
    {"with the schema in front of the address", HEAD SCHEMA ADDRESS(ALICE) END, ALICE},
    {"with a name in front of the address", HEAD "<LegacyDN>/o=x</LegacyDN>" ADDRESS(ALICE) SCHEMA,
     ALICE},
    {"with a tag in the address", WITH("alice+news@example.org"), "alice+news@example.org"},
    {"of two addresses the first one", HEAD ADDRESS(ALICE) ADDRESS("bob@example.org") SCHEMA,
     ALICE},
    {"no text", "", NULL},
    {"no XML", "address=" ALICE, NULL},
    {"without an address", HEAD SCHEMA END, NULL},
    {"with an empty address", WITH(""), NULL},
    {"with a word for an address", WITH("alice"), NULL},
    {"without a schema", HEAD ADDRESS(ALICE) END, NULL},
    {"of a phone, for ActiveSync",
     HEAD ADDRESS(ALICE) "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/"
                         "autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema>",
     NULL},
    {"cut off in the address", SCHEMA "<EMailAddress>" ALICE, NULL},
    {"cut off before the address", SCHEMA "<EMailAddress>", NULL},
    {"cut off in the tag", SCHEMA "<EMailAddress", NULL},
    {"with a tag around the address", WITH("<b>" ALICE "</b>"), NULL},
    {"with a reference in the address", WITH("&amp;alice@example.org"), NULL},
    {"with an entity", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" WITH("&e;"),
     NULL},
    {"with a line in the address", WITH("alice\r\n@example.org"), NULL},
    {"with a character past ASCII", WITH("\xc3\xa5se@example.org"), NULL},
    {"with an address that is too long", WITH(TEN(TEN("xxxxxxxxxx")) "@example.org"), NULL},
};

static void test_request(void **state)
{
    const struct request_case *row = *state;
    char address[APW_MAIL_ADDRESS_SIZE];
    int status = apw_autodiscover_read(row->text, strlen(row->text), address);

    assert_int_equal(status, row->address == NULL ? -1 : 0);
    assert_string_equal(address, row->address == NULL ? "" : row->address);
}

static void test_nul(void **state)
{
    static const char text[] = SCHEMA "<EMailAddress>alice@example.org\0x</EMailAddress>";
    char address[APW_MAIL_ADDRESS_SIZE];

    (void)state;
    assert_int_equal(apw_autodiscover_read(text, sizeof text - 1, address), -1);
    assert_string_equal(address, "");
}

/* The text need not end in a NUL. */
static void test_every_end(void **state)
{
    static const char text[] = WITH(ALICE);
    char address[APW_MAIL_ADDRESS_SIZE];

    (void)state;
    for (size_t length = 0; length < sizeof text; length++) {
        char *copy = malloc(length + 1);

        assert_non_null(copy);
        memcpy(copy + 1, text, length);
        if (apw_autodiscover_read(copy + 1, length, address) == 0)
            assert_string_equal(address, ALICE);
        free(copy);
    }
}

int main(void)
{
    UNIT_ROWS(requests, test_request);
    UNIT_TEST("a NUL in the address", test_nul);
    UNIT_TEST("a request that ends anywhere", test_every_end);
    return unit_run();
}
