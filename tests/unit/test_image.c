/* SPDX-License-Identifier: BSD-2-Clause */
/* After a login by app password, the process's memory holds no copy that we made. The test wipes
 * the caller's copy before it searches. */
#include "clock.h"
#include "front.h"
#include "memory_search.h"
#include "responder.h"
#include "unit.h"
#include <pthread.h>
#include <sodium.h>
#include <sys/mman.h>

static char value[512];

static bool answer(const struct request *request)
{
    const char *const entry[] = {"uid", "alice", "appPassword", value, NULL};

    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
    responder_entry(request, "uid=alice,dc=example,dc=org", entry);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static struct apw_front *open_front(void)
{
    char text[4 * UNIT_PATH_SIZE], path[UNIT_PATH_SIZE], other[UNIT_PATH_SIZE];
    struct apw_front *front;
    struct apw_error error;

    unit_write(unit_path("password", other), "service\n", 8);
    snprintf(text, sizeof text,
             "uri %s\nbase dc=example,dc=org\nbinddn cn=service\nbindpw_file %s\n"
             "record_use never\nrefusal_delay 0\nlog %s\n",
             responder_uri(0), other, unit_path("log", path));
    unit_write(unit_path("app-password.conf", path), text, strlen(text));
    assert_int_equal(apw_front_open(path, &front, &error), 0);
    return front;
}

static enum apw_verdict sign_in(struct apw_front *front, const char *shown)
{
    const struct apw_attempt attempt = {.login = "alice",
                                        .login_length = 5,
                                        .password = shown,
                                        .password_length = strlen(shown),
                                        .service = "smtp"};
    struct apw_decision decision;
    enum apw_verdict verdict;

    apw_front_verify_typed(front, &attempt, false, &decision);
    verdict = decision.event.verdict;
    apw_verify_clear(&decision);
    return verdict;
}

/* Makes and stores an app password, and sets the masks. */
static void make_password(char *shown)
{
    char hash[APW_HASH_TEXT_SIZE];
    struct apw_password password;
    struct apw_error error;

    apw_password_make(&password);
    apw_password_show(&password, shown);
    assert_int_equal(apw_hash_make(&password, 1, 1, hash, &error), 0);
    snprintf(value, sizeof value, "id=%.4s created=20261101000000Z hash={ARGON2}%s label=x",
             password.symbols, hash);
    memory_search_for(0, password.symbols + APW_ID_LENGTH); /* the secret part, in both spellings */
    memory_search_for(1, shown + APW_ID_LENGTH + 1);
    assert_true(memory_search_count() >= 2); /* the search works */
    sodium_memzero(&password, sizeof password);
}

static void test_image(void **state)
{
    char *shown = malloc(APW_PASSWORD_SHOWN_SIZE);
    struct apw_front *front = open_front();

    (void)state;
    responder_expect(answer, NULL);
    make_password(shown);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sign_in(front, shown), APW_ACCEPTED);
    sodium_memzero(shown, APW_PASSWORD_SHOWN_SIZE);
    assert_int_equal(memory_search_count(), 0);
    apw_front_close(&front);
    assert_int_equal(memory_search_count(), 0);
    free(shown);
}

/* ---- right after the decision, on a stack that no other thread uses ---- */

#define STACK_BYTES (1 << 20)

struct decision_alone {
    struct apw_directory *directory;
    const char *shown;
    enum apw_verdict verdict;
};

static void *decide(void *argument)
{
    static const struct apw_config config = {.hash_memory_mib = 1,
                                             .hash_passes = 1,
                                             .base = (char *)"dc=example,dc=org",
                                             .filter = (char *)"(uid=%u)",
                                             .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)"};
    struct decision_alone *alone = argument;
    const struct apw_attempt attempt = {.login = "alice",
                                        .login_length = 5,
                                        .password = alone->shown,
                                        .password_length = strlen(alone->shown)};
    const struct apw_world world = apw_world_of(alone->directory);
    struct apw_decision decision;

    apw_verify(&config, &world, &attempt, apw_clock_monotonic_ms() + 20000, &decision);
    alone->verdict = decision.event.verdict;
    apw_verify_clear(&decision);
    return NULL;
}

static void test_stack(void **state)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    const struct apw_identity identity = {.dn = (char *)"cn=a", .password = (char *)"b"};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = 20000};
    char *shown = malloc(APW_PASSWORD_SHOWN_SIZE);
    struct decision_alone alone = {.shown = shown};
    void *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_t thread;

    (void)state;
    responder_expect(answer, NULL);
    make_password(shown);
    assert_int_equal(apw_directory_new(&settings, &alone.directory, NULL), 0);
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, decide, &alone), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_int_equal(alone.verdict, APW_ACCEPTED);
    sodium_memzero(shown, APW_PASSWORD_SHOWN_SIZE);
    assert_int_equal(memory_search_count(), 0);
    munmap(stack, STACK_BYTES);
    apw_directory_free(&alone.directory);
    free(shown);
}

int main(void)
{
    UNIT_TEST("no copy of an app password stays in memory", test_image);
    UNIT_TEST("no copy of an app password stays on the stack after the decision", test_stack);
    return responder_unit_run();
}
