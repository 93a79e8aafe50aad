/* SPDX-License-Identifier: BSD-2-Clause */
/* "Who am I?": the answers that a server may give. */
#include "directory_under_test.h"
#include <stdlib.h>

/* An ExtendedResponse without its message ID; `rest` is the name as [11], or "". */
#define ANSWER(length, code, rest) BYTES("\x78" length "\x0a\x01" code "\x04\0\x04\0" rest)

static const struct whoami_case {
    const char *name;
    const char *answer; /* NULL: the server closes the connection instead */
    size_t length;
    enum apw_ldap_result result;
    const char *whoami; /* NULL: nobody */
} cases[] = {
    {"a DN loses its prefix",
     ANSWER("\x0f", "\0",
            "\x8b\x06"
            "dn:c=x"),
     APW_LDAP_OK, "c=x"},
    {"a DN behind a space loses that, too",
     ANSWER("\x10", "\0",
            "\x8b\x07"
            "dn: c=x"),
     APW_LDAP_OK, "c=x"},
    {"a name keeps its own",
     ANSWER("\x0e", "\0",
            "\x8b\x05"
            "u:bob"),
     APW_LDAP_OK, "u:bob"},
    {"an empty answer is anonymous", ANSWER("\x09", "\0", "\x8b\0"), APW_LDAP_OK, NULL},
    {"an empty DN is anonymous",
     ANSWER("\x0c", "\0",
            "\x8b\x03"
            "dn:"),
     APW_LDAP_OK, NULL},
    {"no answer at all is anonymous", ANSWER("\x07", "\0", ""), APW_LDAP_OK, NULL},
    {"a name with a NUL is an outage, because it would read as another name",
     ANSWER("\x0e", "\0",
            "\x8b\x05"
            "u:b\0b"),
     APW_LDAP_UNAVAILABLE, NULL},
    {"a name that begins with a NUL is an outage, because it would read as no name",
     ANSWER("\x0e", "\0",
            "\x8b\x05"
            "\0u:bo"),
     APW_LDAP_UNAVAILABLE, NULL},
    {"a DN with a NUL is an outage",
     ANSWER("\x10", "\0",
            "\x8b\x07"
            "dn:c=x\0"),
     APW_LDAP_UNAVAILABLE, NULL},
    {"protocolError: the server does not know the question", ANSWER("\x07", "\x02", ""),
     APW_LDAP_REFUSED, NULL},
    {"a name with a refusal is not believed",
     ANSWER("\x0e", "\x32",
            "\x8b\x05"
            "u:bob"),
     APW_LDAP_REFUSED, NULL},
    {"busy is an outage", ANSWER("\x07", "\x33", ""), APW_LDAP_UNAVAILABLE, NULL},
    {"a closed connection is an outage", NULL, 0, APW_LDAP_UNAVAILABLE, NULL},
    {"an answer to another question is an outage", BYTES(ACCEPTED_BIND), APW_LDAP_UNAVAILABLE,
     NULL},
};

static bool answer_row(const struct request *request)
{
    const struct whoami_case *row = request->row;
    char message[64] = {0x30, (char)(3 + row->length), 0x02, 0x01, (char)request->id};

    if (request->operation != EXTENDED_REQUEST)
        return answer_well(request);
    if (row->answer == NULL)
        return false;
    memcpy(message + 5, row->answer, row->length);
    return responder_send(request, message, 5 + row->length);
}

static void test_whoami(void **state)
{
    const struct whoami_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    char *name = NULL;

    responder_expect(answer_row, row);
    assert_int_equal(apw_directory_whoami(directory, in_ms(PLENTY_MS), &name, &last_error),
                     row->result);
    if (row->whoami == NULL)
        assert_null(name);
    else
        assert_string_equal(name, row->whoami);
    if (row->result == APW_LDAP_OK)
        assert_string_equal(last_error.text, "");
    else
        assert_error_is_set();
    free(name);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(cases, test_whoami);
    return responder_unit_run();
}
