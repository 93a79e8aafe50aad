/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches: result codes, entries, pages and references. */
#include "directory_under_test.h"

/* ---- searches ---- */

static const struct search_case {
    const char *name;
    int code;
    unsigned entries; /* sent before the code */
    unsigned limit;
    enum apw_ldap_result result;
} search_cases[] = {
    {"no entry is OK", 0, 0, 2, APW_LDAP_OK},
    {"one entry is OK", 0, 1, 2, APW_LDAP_OK},
    {"three entries without a limit are OK", 0, 3, 0, APW_LDAP_OK},
    {"sizeLimitExceeded at our own limit is OK", 4, 2, 2, APW_LDAP_OK},
    {"more entries than our limit are cut off", 0, 5, 2, APW_LDAP_OK},
    {"sizeLimitExceeded before our limit is an outage", 4, 1, 2, APW_LDAP_UNAVAILABLE},
    {"sizeLimitExceeded without an entry is an outage", 4, 0, 2, APW_LDAP_UNAVAILABLE},
    {"sizeLimitExceeded without a limit is an outage", 4, 2, 0, APW_LDAP_UNAVAILABLE},
    {"noSuchObject is its own result", 32, 0, 2, APW_LDAP_NO_SUCH_OBJECT},
    {"insufficientAccessRights is not permitted", 50, 0, 2, APW_LDAP_NOT_PERMITTED},
    {"operationsError with an entry is an outage", 1, 1, 2, APW_LDAP_UNAVAILABLE},
    {"timeLimitExceeded with an entry is an outage", 3, 1, 2, APW_LDAP_UNAVAILABLE},
    {"adminLimitExceeded with entries is an outage", 11, 2, 2, APW_LDAP_UNAVAILABLE},
    {"a referral with an entry is an outage", 10, 1, 2, APW_LDAP_UNAVAILABLE},
    {"invalidCredentials is an outage", 49, 0, 2, APW_LDAP_UNAVAILABLE},
    {"busy is an outage", 51, 0, 2, APW_LDAP_UNAVAILABLE},
    {"unavailable is an outage", 52, 0, 2, APW_LDAP_UNAVAILABLE},
    {"unwillingToPerform is an outage", 53, 0, 2, APW_LDAP_UNAVAILABLE},
    {"other is an outage", 80, 1, 2, APW_LDAP_UNAVAILABLE},
    {"an unknown code is an outage", 4096, 1, 2, APW_LDAP_UNAVAILABLE},
};

static bool answer_search_row(const struct request *request)
{
    const struct search_case *row = request->row;

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    for (unsigned i = 0; i < row->entries; i++)
        responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, row->code, NULL,
                            row->code == 10 ? responder_uri(1) : NULL);
}

static void test_search(void **state)
{
    const struct search_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    responder_expect(answer_search_row, row);
    assert_int_equal(search_within(directory, row->limit, PLENTY_MS, &entries), row->result);
    if (row->result == APW_LDAP_OK) {
        assert_int_equal(count_entries(entries),
                         row->limit > 0 && row->entries > row->limit ? row->limit : row->entries);
        assert_string_equal(last_error.text, "");
    } else {
        assert_null(entries);
        assert_error_is_set();
        assert_contains(last_error.text, responder_uri(0));
    }
    assert_int_equal(responder_seen().connections[1], 0); /* no referral is followed */
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

static bool answer_with_rich_entry(const struct request *request)
{
    static const char *const rich[] = {"uid", "alice", "cn;lang-en", "Alice", "CN",
                                       "",    "x",     "\xff\x01",   NULL};

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, rich);
    responder_entry(request, "", alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_entry(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    const struct apw_attribute *attribute;
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_with_rich_entry, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_OK);
    assert_int_equal(count_entries(entries), 2);
    assert_string_equal(entries->dn, USER_DN);
    assert_string_equal(entries->next->dn, "");
    attribute = apw_entry_attribute(entries, "UID");
    assert_int_equal(attribute->count, 1);
    assert_string_equal(attribute->value[0].bytes, "alice");
    attribute = apw_entry_attribute(entries, "cn"); /* not cn;lang-en */
    assert_int_equal(attribute->count, 1);
    assert_int_equal(attribute->value[0].length, 0);
    assert_string_equal(attribute->value[0].bytes, "");
    attribute = apw_entry_attribute(entries, "x");
    assert_memory_equal(attribute->value[0].bytes, "\xff\x01", 3);
    assert_null(apw_entry_attribute(entries, "mail"));
    assert_int_equal(entries->attribute_count, 4);
    assert_true(entries->attribute[1].has_options);
    assert_string_equal(entries->attribute[1].name, "cn");
    apw_entries_free(&entries);
    assert_null(entries);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

/* ---- broken entries ---- */

/* An unreadable attribute may be the one that locks the account. */
static const struct entry_case {
    const char *name;
    const char *bytes;
    size_t length;
    enum apw_ldap_result result;
} entry_cases[] = {
    {"the bytes of an entry are read",
     BYTES("\x30\x16\x02\x01\x02\x64\x11\x04\x03o=x\x30\x0a\x30\x08\x04\x01u\x31\x03\x04\x01"
           "a"),
     APW_LDAP_OK},
    {"an entry without attributes is read", BYTES("\x30\x0c\x02\x01\x02\x64\x07\x04\x03o=x\x30\0"),
     APW_LDAP_OK},
    {"an entry with a truncated value is an outage",
     BYTES("\x30\x16\x02\x01\x02\x64\x11\x04\x03o=x\x30\x0a\x30\x08\x04\x01u\x31\x03\x04\x7f"
           "a"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with truncated values is an outage",
     BYTES("\x30\x16\x02\x01\x02\x64\x11\x04\x03o=x\x30\x0a\x30\x08\x04\x01u\x31\x7f\x04\x01"
           "a"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with a truncated second attribute is an outage",
     BYTES("\x30\x1a\x02\x01\x02\x64\x15\x04\x03o=x\x30\x0e\x30\x08\x04\x01u\x31\x03\x04\x01"
           "a\x30\x08\x04\x01"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with something else among its attributes is an outage",
     BYTES("\x30\x18\x02\x01\x02\x64\x13\x04\x03o=x\x30\x0c\x30\x08\x04\x01u\x31\x03\x04\x01"
           "a\x05\0"),
     APW_LDAP_UNAVAILABLE},
    {"an entry without a DN is an outage", BYTES("\x30\x07\x02\x01\x02\x64\x02\x30\0"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with a NUL in its DN is an outage",
     BYTES("\x30\x0c\x02\x01\x02\x64\x07\x04\x03o\0x\x30\0"), APW_LDAP_UNAVAILABLE},
    {"an entry with a NUL in an attribute's name is an outage",
     BYTES("\x30\x17\x02\x01\x02\x64\x12\x04\x03o=x\x30\x0b\x30\x09\x04\x02u\0\x31\x03\x04"
           "\x01"
           "a"),
     APW_LDAP_UNAVAILABLE},
};

static bool answer_entry_row(const struct request *request)
{
    const struct entry_case *row = request->row;

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_send(request, row->bytes, row->length);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_entry_bytes(void **state)
{
    const struct entry_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    responder_expect(answer_entry_row, row);
    if (row->result != APW_LDAP_OK)
        __lsan_disable(); /* libldap 2.5 leaks a request if it cannot decode the answer */
    assert_int_equal(search(directory, &entries), row->result);
    if (row->result != APW_LDAP_OK) {
        __lsan_enable();
        assert_error_is_set();
    }
    assert_int_equal(count_entries(entries), row->result == APW_LDAP_OK);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

/* ---- pages ---- */

#define PAGES_OID "1.2.840.113556.1.4.319"
#define LAST_PAGE PAGES_OID, BYTES("\x30\x05\x02\x01\0\x04\0")

static const struct page_case {
    const char *name;
    const char *oid;
    const char *value;
    size_t length;
    int code;
    enum apw_ldap_result result;
} page_cases[] = {
    {"a page without a control is the last", NULL, NULL, 0, 0, APW_LDAP_OK},
    {"a page with an empty cookie is the last", LAST_PAGE, 0, APW_LDAP_OK},
    {"a page control without a value is an outage", PAGES_OID, NULL, 0, 0, APW_LDAP_UNAVAILABLE},
    {"a page control with an empty value is an outage", PAGES_OID, BYTES(""), 0,
     APW_LDAP_UNAVAILABLE},
    {"a garbled page control is an outage", PAGES_OID, BYTES("\x30\x7f\x02"), 0,
     APW_LDAP_UNAVAILABLE},
    {"pages that end at a limit are refused", LAST_PAGE, 4, APW_LDAP_REFUSED},
    {"pages of a busy server are an outage", LAST_PAGE, 51, APW_LDAP_UNAVAILABLE},
};

static bool answer_page_row(const struct request *request)
{
    const struct page_case *row = request->row;
    const struct control control = {row->oid, row->value, row->length};

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, row->code, row->oid != NULL ? &control : NULL,
                            NULL);
}

static int count_calls(void *context, const struct apw_entry *entry)
{
    assert_string_equal(entry->dn, USER_DN);
    return ++*(int *)context == 5;
}

static enum apw_ldap_result search_pages(struct apw_directory *directory, int *calls_r)
{
    static const char *const attributes[] = {"uid", NULL};
    const struct apw_query query = {
        .base = "dc=example,dc=org", .filter = "(uid=*)", .attributes = attributes};

    *calls_r = 0;
    return apw_directory_search_each(directory, &query, PLENTY_MS, count_calls, calls_r,
                                     &last_error);
}

static void test_page(void **state)
{
    const struct page_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int calls;

    responder_expect(answer_page_row, row);
    assert_int_equal(search_pages(directory, &calls), row->result);
    assert_int_equal(calls, 1);
    if (row->result != APW_LDAP_OK)
        assert_error_is_set();
    apw_directory_free(&directory);
}

/* There is always a further page. */
static bool answer_with_more_pages(const struct request *request)
{
    static const struct control more = {PAGES_OID, BYTES("\x30\x06\x02\x01\0\x04\x01x")};

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, &more, NULL);
}

static void test_pages_end_by_callback(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int calls;

    (void)state;
    responder_expect(answer_with_more_pages, NULL);
    assert_int_equal(search_pages(directory, &calls), APW_LDAP_OK);
    assert_int_equal(calls, 5);
    apw_directory_free(&directory);
}

#define IMPATIENT_MS 4000 /* within which a bind is answered, also on a busy machine */

/* Answers a search later than timeout_ms. */
static bool answer_late(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    usleep((IMPATIENT_MS + 500) * 1000);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_patience(void **state)
{
    struct apw_directory *directory = open_directory(0, IMPATIENT_MS);
    struct apw_entry *entries;
    int calls;

    (void)state;
    responder_expect(answer_late, NULL);
    assert_int_equal(search_pages(directory, &calls), APW_LDAP_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    apw_directory_free(&directory);
}

/* ---- references ---- */

static bool answer_with_reference(const struct request *request)
{
    char reference[200];
    size_t length = strlen(responder_uri(1));

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    /* SearchResultReference (RFC 4511, 4.5.2) of one URI */
    snprintf(reference, sizeof reference, "\x30%c\x02\x01%c\x73%c\x04%c%s", (char)(length + 7),
             (char)request->id, (char)(length + 2), (char)length, responder_uri(1));
    responder_send(request, reference, length + 9);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_reference(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_with_reference, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_OK);
    assert_int_equal(count_entries(entries), 1);
    assert_int_equal(responder_seen().connections[1], 0);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(search_cases, test_search);
    UNIT_TEST("an entry has all its values", test_entry);
    UNIT_ROWS(entry_cases, test_entry_bytes);
    UNIT_ROWS(page_cases, test_page);
    UNIT_TEST("pages continue while there is a cookie and the callback wants more",
              test_pages_end_by_callback);
    UNIT_TEST("only a page may take longer than the timeout", test_patience);
    UNIT_TEST("references to other servers are not followed", test_reference);
    return responder_unit_run();
}
