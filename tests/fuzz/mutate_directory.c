/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of a directory for fuzz_directory.c, in its format: an operation (RFC 4511), built by
 * liblber, in place of the bytes that libFuzzer would have to find. */
#include "mutate.h"
#include "values.h"
#include <lber.h>
#include <ldap.h>
#include <stdio.h>

#define HEADER    2
#define IS_LAST   0x40
#define NEXT_ID   0x30
#define SAME_ID   0x20
#define PIECE_MAX 0xfff

static const struct fuzz_rule rules[] = {
    FUZZ_VALUE_RULES,
    {'u', "alice|alice|Alice|bob|alice@example.org|%*"},
    {'y', "0f3e|0f3e|ffff|0f3e-%e%e|%*"}, /* an entry's id */
    {'m', "TRUE|FALSE|%*"},
    {'x', "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data %X, v4563|"
          "%*|"},
    {'X', "52e|530|531|532|533|569|701|773|775|%N"},
    {'q', "uid=alice,dc=example,dc=org|uid=alice,dc=example,dc=org|UID=alice,dc=example,dc=org|"
          "uid=bob,dc=example,dc=org|appPasswordOwner=0f3e,ou=entries,o=app-passwords|"
          "appPasswordOwner=0f3e,ou=entries,o=app-passwords|cn=mfa-witness,o=app-passwords|%*|"},
    {'v', "dn:%q|dn: %q|u:alice|%*"}, /* the answer to "who am I" */
    {0, NULL},
};

/* Which rule writes the values of which attribute. */
static const struct {
    const char *name;
    char rule;
} attributes[] = {
    {"appPassword", 'R'},
    {"appPassword", 'R'},
    {"appPassword", 'T'},
    {"uid", 'u'},
    {"uid", 'u'},
    {"sAMAccountName", 'u'},
    {"entryUUID", 'y'},
    {"entryUUID", 'y'},
    {"appPasswordOwner", 'y'},
    {"appPasswordUsed", 'U'},
    {"appPasswordMfaEnabled", 'm'},
    {"appPasswordMfaEnforceFrom", 'g'},
    {"pwdChangedTime", 'g'},
    {"pwdLastSet", 'N'},
    {"pwdAccountLockedTime", 'S'},
    {"nsAccountLock", 'S'},
    {"pwdStartTime", 'S'},
    {"pwdEndTime", 'S'},
    {"userAccountControl", 'S'},
    {"userAccountControl", 'S'},
    {"accountExpires", 'S'},
    {"accountExpires", 'S'},
    {"krbPrincipalExpiration", 'S'},
    {"shadowExpire", 'S'},
};

#define ATTRIBUTE_COUNT (sizeof attributes / sizeof attributes[0])

static const int failures[] = {LDAP_OPERATIONS_ERROR,
                               LDAP_PROTOCOL_ERROR,
                               LDAP_SIZELIMIT_EXCEEDED,
                               LDAP_REFERRAL,
                               LDAP_NO_SUCH_OBJECT,
                               LDAP_INAPPROPRIATE_AUTH,
                               LDAP_BUSY,
                               LDAP_UNAVAILABLE,
                               LDAP_INVALID_CREDENTIALS,
                               LDAP_ALREADY_EXISTS,
                               LDAP_NO_SUCH_ATTRIBUTE,
                               LDAP_CONSTRAINT_VIOLATION,
                               LDAP_UNWILLING_TO_PERFORM,
                               LDAP_INSUFFICIENT_ACCESS};

/* ---- parts of an operation ---- */

static void print_rule(BerElement *ber, char rule)
{
    uint8_t bytes[1024];
    struct fuzz_output text = {.bytes = bytes, .size = sizeof bytes};

    fuzz_put_rule(&text, rules, rule);
    ber_printf(ber, "o", (char *)bytes, (ber_len_t)text.length);
}

static void print_attribute(BerElement *ber)
{
    unsigned which = fuzz_pick(ATTRIBUTE_COUNT);
    char name[64];

    snprintf(name, sizeof name, "%s%s", attributes[which].name,
             fuzz_pick(8) == 0 ? ";lang-nb" : "");
    ber_printf(ber, "{s[", name);
    for (unsigned i = fuzz_pick(8) == 0 ? fuzz_pick(3) : 1; i > 0; i--)
        print_rule(ber, attributes[which].rule);
    ber_printf(ber, "]}");
}

static void print_entry(BerElement *ber)
{
    ber_printf(ber, "t{", (ber_tag_t)LDAP_RES_SEARCH_ENTRY);
    print_rule(ber, 'q');
    ber_printf(ber, "{");
    for (unsigned i = fuzz_pick(6); i > 0; i--)
        print_attribute(ber);
    ber_printf(ber, "}}");
}

/* The value of a control is an encoding of its own (RFC 2696, 2; draft-behera-ldap-password-policy,
 * 6.2). */
static void print_control(BerElement *ber)
{
    BerElement *inner = ber_alloc_t(LBER_USE_DER);
    struct berval value = {0, NULL};
    bool is_page = fuzz_pick(2) == 0;

    if (is_page)
        ber_printf(inner, "{is}", fuzz_pick(1000), fuzz_pick(2) == 0 ? "" : "next");
    else if (fuzz_pick(4) == 0)
        ber_printf(inner, "{t{ti}}", (ber_tag_t)0xa0, (ber_tag_t)(0x80 + fuzz_pick(2)),
                   fuzz_pick(100));
    else
        ber_printf(inner, "{te}", (ber_tag_t)0x81, fuzz_pick(10));
    ber_flatten2(inner, &value, 0);
    ber_printf(ber, "t{{sO}}", (ber_tag_t)LDAP_TAG_CONTROLS,
               is_page ? LDAP_CONTROL_PAGEDRESULTS : LDAP_CONTROL_PASSWORDPOLICYRESPONSE, &value);
    ber_free(inner, 1);
}

/* A result (RFC 4511, 4.1.9), with what the kind of the answer allows. */
static void print_result(BerElement *ber, ber_tag_t tag)
{
    int code =
        fuzz_pick(3) > 0 ? LDAP_SUCCESS : failures[fuzz_pick(sizeof failures / sizeof failures[0])];

    ber_printf(ber, "t{e", tag, code);
    print_rule(ber, 'q');
    print_rule(ber, 'x');
    if (code == LDAP_REFERRAL)
        ber_printf(ber, "t{s}", (ber_tag_t)LDAP_TAG_REFERRAL, "ldap://other.example.org/");
    if (tag == LDAP_RES_EXTENDED && fuzz_pick(4) == 0)
        ber_printf(ber, "ts", (ber_tag_t)LDAP_TAG_EXOP_RES_OID, LDAP_NOTICE_OF_DISCONNECTION);
    if (tag == LDAP_RES_EXTENDED) {
        uint8_t bytes[256];
        struct fuzz_output name = {.bytes = bytes, .size = sizeof bytes};

        fuzz_put_rule(&name, rules, 'v');
        ber_printf(ber, "to", (ber_tag_t)LDAP_TAG_EXOP_RES_VALUE, (char *)bytes,
                   (ber_len_t)name.length);
    }
    ber_printf(ber, "}");
    if (fuzz_pick(4) == 0)
        print_control(ber);
}

/* ---- pieces ---- */

/* One operation with its header; `flags` are those of the header. */
static void put_operation(struct fuzz_output *output, ber_tag_t tag, unsigned flags)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    struct berval operation;

    if (tag == LDAP_RES_SEARCH_ENTRY)
        print_entry(ber);
    else if (tag == LDAP_RES_SEARCH_REFERENCE)
        ber_printf(ber, "t{s}", tag, "ldap://other.example.org/dc=example,dc=org");
    else
        print_result(ber, tag);
    if (ber_flatten2(ber, &operation, 0) == 0 && operation.bv_len <= PIECE_MAX &&
        HEADER + operation.bv_len <= output->size - output->length) {
        fuzz_put_byte(output, flags | (unsigned)(operation.bv_len >> 8));
        fuzz_put_byte(output, (unsigned)operation.bv_len & 0xff);
        fuzz_put(output, operation.bv_val, operation.bv_len);
    }
    ber_free(ber, 1);
}

/* The whole answer to a search. */
static void put_search_answer(struct fuzz_output *output, unsigned flags)
{
    unsigned last = flags & IS_LAST;

    flags &= ~(unsigned)IS_LAST;
    for (unsigned i = fuzz_pick(4) == 0 ? fuzz_pick(4) : 1; i > 0; i--) {
        put_operation(output, LDAP_RES_SEARCH_ENTRY, flags);
        flags = SAME_ID;
    }
    if (fuzz_pick(16) == 0)
        put_operation(output, LDAP_RES_SEARCH_REFERENCE, flags);
    put_operation(output, LDAP_RES_SEARCH_RESULT, flags | last);
}

/* What a server sends for any request. */
static void put_answer(struct fuzz_output *output, unsigned flags)
{
    static const ber_tag_t others[] = {LDAP_RES_BIND, LDAP_RES_MODIFY, LDAP_RES_ADD,
                                       LDAP_RES_DELETE, LDAP_RES_EXTENDED};

    if (fuzz_pick(4) == 0)
        put_operation(output, others[fuzz_pick(sizeof others / sizeof others[0])], flags);
    else
        put_search_answer(output, flags);
}

/* Answers to the questions of a manager, in the order of fuzz_directory.c. */
static void put_manager_answers(struct fuzz_output *output)
{
    static const ber_tag_t tags[] = {LDAP_RES_MODIFY, LDAP_RES_EXTENDED, LDAP_RES_MODIFY,
                                     LDAP_RES_ADD, LDAP_RES_DELETE};

    put_operation(output, LDAP_RES_BIND, NEXT_ID);
    for (unsigned searches = 3; searches > 0; searches--)
        put_search_answer(output, NEXT_ID);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        put_operation(output, tags[i], NEXT_ID);
}

/* Answers over up to three connections, each of which begins with a bind. */
static void put_login_answers(struct fuzz_output *output)
{
    for (unsigned connections = fuzz_pick(3) + 1; connections > 0; connections--) {
        unsigned searches = fuzz_pick(4);

        put_operation(output, LDAP_RES_BIND, NEXT_ID | (searches == 0 ? IS_LAST : 0));
        for (; searches > 0; searches--)
            put_search_answer(output, NEXT_ID | (searches == 1 ? IS_LAST : 0));
    }
}

static size_t write_answers(uint8_t *bytes, size_t size)
{
    struct fuzz_output output = {.bytes = bytes, .size = size};
    char question = "apqeost"[fuzz_pick(7)];

    fuzz_put_byte(&output, (unsigned)question | fuzz_pick(2) << 7);
    if (question == 'q')
        put_manager_answers(&output);
    else
        put_login_answers(&output);
    return output.length;
}

/* ---- changing one piece ---- */

static size_t length_at(const uint8_t *bytes, size_t length, size_t at)
{
    size_t piece = length - at < HEADER
                       ? length - at
                       : HEADER + ((size_t)(bytes[at] & 0x0f) << 8 | bytes[at + 1]);

    return piece < length - at ? piece : length - at;
}

/* Mutates what is behind the header, and writes its length. */
static void mutate_piece(struct fuzz_output *piece)
{
    size_t length = LLVMFuzzerMutate(piece->bytes + HEADER, piece->length - HEADER, PIECE_MAX);

    piece->bytes[0] = (uint8_t)((piece->bytes[0] & 0xf0) | length >> 8);
    piece->bytes[1] = (uint8_t)length;
    piece->length = HEADER + length;
}

/* Another piece in place of an old one. */
static void write_piece(struct fuzz_output *piece, const uint8_t *old, size_t length)
{
    unsigned flags = length > 0 ? old[0] & (IS_LAST | NEXT_ID) : NEXT_ID;

    switch (fuzz_pick(8)) {
    case 0:
        return;
    case 1:
    case 2:
    case 3:
        fuzz_put(piece, old, length);
        if (length > HEADER)
            mutate_piece(piece);
        return;
    case 4:
        fuzz_put(piece, old, length);
        if (length > 0)
            piece->bytes[0] ^= (uint8_t)(0x10 << fuzz_pick(4));
        return;
    case 5:
        fuzz_put(piece, old, length);
        put_answer(piece, NEXT_ID);
        return;
    default:
        put_answer(piece, flags);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    uint8_t buffer[4 * FUZZ_PART_SIZE];
    struct fuzz_output piece = {.bytes = buffer, .size = sizeof buffer};
    size_t at = 1, target;

    fuzz_seed(seed);
    if (length < 2 || fuzz_pick(8) == 0)
        return write_answers(bytes, size);
    if (fuzz_pick(8) == 0)
        return LLVMFuzzerMutate(bytes, length, size);
    if (fuzz_pick(16) == 0)
        bytes[0] ^= 0x80;
    target = fuzz_pick((unsigned)length);
    while (at + length_at(bytes, length, at) <= target)
        at += length_at(bytes, length, at);
    write_piece(&piece, bytes + at, length_at(bytes, length, at));
    return fuzz_replace(bytes, length, size, at, length_at(bytes, length, at), &piece);
}
