/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole login with a directory that lies. No login is accepted, none takes longer than the
 * deadline, and memory stays within bounds. */
#include "clock.h"
#include "ldap/directory.h"
#include "responder.h"
#include "unit.h"
#include "verify.h"
#include <sys/resource.h>

#define DN          "uid=alice,dc=example,dc=org"
#define OTHER_DN    "uid=mallory,dc=example,dc=org"
#define ACCOUNT     "correct horse"
#define GOOD        "id=k7q2 created=20261101000000Z hash={ARGON2}" UNIT_PHC " label=Laptop"
#define TIMEOUT_MS  400 /* if an outage is expected */
#define DEADLINE_MS 1500
#define PLENTY_MS   20000 /* if a refusal is */
#define ENDLESS_MS  60000 /* the end of what is endless */
#define MEMORY_MIB  256

enum { MIB = 1024 * 1024 };

static const char *const alice[] = {"uid", "alice", NULL};
static const char *const alice_with_app_password[] = {"uid", "alice", "appPassword", GOOD, NULL};

static bool is_about_mfa(const struct request *request)
{
    return memmem(request->bytes, request->length,
                  "\x04\x03"
                  "1.1",
                  5) != NULL;
}

/* The first search finds alice; MFA is on for her: only the filter itself matches. */
static bool answer_honestly(const struct request *request)
{
    bool is_negated = memmem(request->bytes, request->length, "\xa2\x1f\xa3\x1d", 4) != NULL;

    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
    if (!is_about_mfa(request))
        responder_entry(request, DN, alice);
    else if (!is_negated)
        responder_entry(request, DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static bool answer_late(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    usleep(2 * TIMEOUT_MS * 1000);
    responder_entry(request, DN, alice_with_app_password);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* Answers "MFA is off" to later message IDs before the first search, but for the next one: that is
 * sent together with it. After it, they might arrive after their request and be valid. */
static bool answer_ahead(const struct request *request)
{
    struct request later = *request;

    if (request->operation != SEARCH_REQUEST || is_about_mfa(request))
        return answer_honestly(request);
    for (later.id = request->id + 2; later.id < request->id + 5; later.id++) {
        responder_entry(&later, DN, alice);
        responder_result(&later, SEARCH_DONE, 0, NULL, NULL);
    }
    return answer_honestly(request);
}

/* Answers the first search again instead of the one about MFA. */
static bool answer_twice(const struct request *request)
{
    struct request before = *request;

    if (!is_about_mfa(request))
        return answer_honestly(request);
    before.id--;
    responder_entry(&before, DN, alice);
    return responder_result(&before, SEARCH_DONE, 0, NULL, NULL);
}

/* MFA is off, but for another user. */
static bool answer_with_other(const struct request *request)
{
    if (!is_about_mfa(request))
        return answer_honestly(request);
    responder_entry(request, OTHER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* Three entries, though the base is one. */
static bool answer_with_many(const struct request *request)
{
    if (!is_about_mfa(request))
        return answer_honestly(request);
    for (int i = 0; i < 3; i++)
        responder_entry(request, DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* The right value under names of other attributes. */
static bool answer_foreign(const struct request *request)
{
    static const char *const foreign[] = {"appPassword;lang-en",
                                          GOOD,
                                          "xappPassword",
                                          GOOD,
                                          "appPasswordUsed",
                                          GOOD,
                                          "userPassword",
                                          GOOD,
                                          "",
                                          GOOD,
                                          NULL};

    if (request->operation == BIND_REQUEST || is_about_mfa(request))
        return answer_honestly(request);
    responder_entry(request, DN, foreign);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static bool answer_disabled(const struct request *request)
{
    static const char *const disabled[] = {"uid",           "alice", "appPassword", GOOD,
                                           "nsAccountLock", "TRUE",  NULL};

    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    responder_entry(request, DN, disabled);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* An entry, then a referral. */
static bool answer_referral(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    responder_entry(request, DN, alice_with_app_password);
    return responder_result(request, SEARCH_DONE, 10, NULL, responder_uri(1));
}

/* Sends a message of that size, filled with the pattern, until the client closes. */
static void flood(const struct request *request, const char *header, size_t header_length,
                  const char *pattern, size_t size)
{
    char *text = unit_repeat(pattern, MIB / strlen(pattern));

    responder_send(request, header, header_length);
    for (size_t length = strlen(text); size > 0; size -= length) {
        length = length < size ? length : size;
        responder_send(request, text, length);
    }
    free(text);
}

#define ENTRY_START "\x02\x01\x02\x64\x84\x06\x40\0\0\x04\x03o=x\x30\x84\x06\x3f\xff\0"

/* One value of 100 MB. */
static bool answer_heavily(const struct request *request)
{
    static const char header[] = "\x30\x84\x06\x40\0\x40" ENTRY_START
                                 "\x30\x84\x06\x3f\xfe\0\x04\x01u\x31\x84\x06\x3f\xfd\0\x04\x84"
                                 "\x06\x3f\xfc\0";

    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    flood(request, header, sizeof header - 1, "xxxxxxxx", (size_t)100 * MIB);
    return false;
}

/* More than a million values of one byte: as many as one message can carry. */
static bool answer_with_a_million(const struct request *request)
{
    static const char header[] = "\x30\x83\x3d\x09\x1e\x02\x01\x02\x64\x83\x3d\x09\x16\x04\x03o=x"
                                 "\x30\x83\x3d\x09\x0c\x30\x83\x3d\x09\x07\x04\x01u\x31\x83\x3d\x08"
                                 "\xff";

    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    flood(request, header, sizeof header - 1,
          "\x04\x01"
          "a",
          1333333 * 3);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* Endless unsolicited notifications (RFC 4511, 4.4) of 1 MiB each. */
static bool answer_with_notices(const struct request *request)
{
    static const char header[] = "\x30\x83\x10\0\x12\x02\x01\0\x78\x83\x10\0\x0a\x0a\x01\x34\x04\0"
                                 "\x04\x83\x10\0\0";

    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    for (int i = 0; i < 4 * MEMORY_MIB; i++)
        flood(request, header, sizeof header - 1, "xxxxxxxx", MIB);
    return false;
}

/* Endless references. */
static bool answer_endlessly(const struct request *request)
{
    static const char reference[] = "\x30\x14\x02\x01\x02\x73\x0f\x04\x0dldap://other/";
    int64_t until = apw_clock_monotonic_ms() + ENDLESS_MS;

    if (request->operation == BIND_REQUEST)
        return answer_honestly(request);
    while (apw_clock_remaining_ms(until) > 0 &&
           responder_send(request, reference, sizeof reference - 1))
        usleep(100);
    return false;
}

static const struct lie {
    const char *name;
    responder_answer answer;
    const char *password;
    enum apw_verdict verdict;
} lies[] = {
    {"the truth is a refusal", answer_honestly, ACCOUNT, APW_REFUSED},
    {"a late answer is an outage", answer_late, UNIT_SHOWN, APW_UNAVAILABLE},
    {"an answer before its request is ignored", answer_ahead, ACCOUNT, APW_REFUSED},
    {"a repeated answer is an outage", answer_twice, ACCOUNT, APW_UNAVAILABLE},
    {"another user's MFA is an outage", answer_with_other, ACCOUNT, APW_UNAVAILABLE},
    {"three entries instead of one are an outage", answer_with_many, ACCOUNT, APW_UNAVAILABLE},
    {"the right value under another name is ignored", answer_foreign, UNIT_SHOWN, APW_REFUSED},
    {"a locked account stays locked", answer_disabled, UNIT_SHOWN, APW_REFUSED},
    {"an entry with a referral is an outage", answer_referral, UNIT_SHOWN, APW_UNAVAILABLE},
    {"a value of 100 MB is an outage", answer_heavily, UNIT_SHOWN, APW_UNAVAILABLE},
    {"a million values are an outage", answer_with_a_million, ACCOUNT, APW_UNAVAILABLE},
    {"endless notifications are an outage", answer_with_notices, UNIT_SHOWN, APW_UNAVAILABLE},
    {"endless references are an outage", answer_endlessly, UNIT_SHOWN, APW_UNAVAILABLE},
};

static struct apw_directory *open_directory(int timeout_ms)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    const struct apw_identity identity = {.dn = (char *)"cn=a", .password = (char *)"b"};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = timeout_ms};
    struct apw_directory *directory;

    assert_int_equal(apw_directory_new(&settings, &directory, NULL), 0);
    return directory;
}

static long peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

static void test_lie(void **state)
{
    static const struct apw_config config = {.base = (char *)"dc=example,dc=org",
                                             .filter = (char *)"(uid=%u)",
                                             .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)"};
    const struct lie *lie = *state;
    const struct apw_attempt attempt = {.login = "alice",
                                        .login_length = 5,
                                        .password = lie->password,
                                        .password_length = strlen(lie->password)};
    bool is_outage = lie->verdict == APW_UNAVAILABLE;
    struct apw_directory *directory = open_directory(is_outage ? TIMEOUT_MS : PLENTY_MS);
    const struct apw_world world = apw_world_of(directory);
    struct apw_decision decision;
    long before;
    int64_t start;

    responder_expect(lie->answer, NULL); /* waits for the end of the previous lie */
    before = peak_mib();
    start = apw_clock_monotonic_ms();
    __lsan_disable(); /* libldap 2.5 leaks a request if it cannot decode the answer */
    apw_verify(&config, &world, &attempt, start + (is_outage ? DEADLINE_MS : PLENTY_MS), &decision);
    __lsan_enable();
    assert_int_equal(decision.event.verdict, lie->verdict);
    assert_true(apw_clock_monotonic_ms() - start < ENDLESS_MS / 2);
    assert_true(peak_mib() - before < MEMORY_MIB);
    if (decision.event.verdict == APW_UNAVAILABLE)
        assert_true(decision.event.detail.text[0] != '\0');
    assert_int_equal(responder_seen().connections[1], 0); /* no referral was followed */
    apw_verify_clear(&decision);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(lies, test_lie);
    return responder_unit_run();
}
