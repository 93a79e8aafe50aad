/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: which cookie enters which session, and until when. */
#include "unit.h"
#include "web/session.h"
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>
#include <unistd.h>

#define IDLE_MS     600000  /* ten minutes */
#define LIFETIME_MS 3600000 /* an hour */
#define ROOM        1000    /* sessions at the same time */
#define DN          "uid=alice,dc=example,dc=org"

struct content {
    char login[64];
    char *owned;
    unsigned count;
};

static unsigned cleared;

static void clear(void *context)
{
    struct content *content = context;

    free(content->owned);
    cleared++;
}

static const struct apw_web_session_content kind = {sizeof(struct content), clear};

static struct content *content_of(const struct apw_web_session *session)
{
    return session->content;
}

static struct apw_web_sessions *make(void)
{
    struct apw_error error = {""};
    struct apw_web_sessions *sessions;

    assert_int_equal(apw_web_sessions_new(&kind, &sessions, &error), 0);
    return sessions;
}

/* Begins a session in an unknown browser, and enters it. */
static struct apw_web_session *begin_of(struct apw_web_sessions *sessions, const char *dn,
                                        int64_t now_ms, char cookie_r[APW_COOKIE_SIZE])
{
    const struct apw_web_session_asker asker = {.owner = dn, .network = "192.0.2.1"};

    return apw_web_session_begin(sessions, &asker, now_ms, cookie_r);
}

/* A session that was left, of its own person. */
static void begin(struct apw_web_sessions *sessions, const char *login, int64_t now_ms,
                  char cookie_r[APW_COOKIE_SIZE])
{
    static int people;
    struct apw_web_session *session;
    char dn[64];

    snprintf(dn, sizeof dn, "uid=person%d,dc=example,dc=org", people++);
    session = begin_of(sessions, dn, now_ms, cookie_r);
    assert_non_null(session);
    strcpy(content_of(session)->login, login);
    apw_web_session_leave(sessions, session);
}

static void assert_there(struct apw_web_sessions *sessions, const char *cookie, const char *login,
                         int64_t now_ms)
{
    struct apw_web_session *session = apw_web_session_enter(sessions, cookie, now_ms, NULL);

    assert_non_null(session);
    assert_string_equal(content_of(session)->login, login);
    apw_web_session_leave(sessions, session);
}

static void assert_gone(struct apw_web_sessions *sessions, const char *cookie, int64_t now_ms)
{
    assert_null(apw_web_session_enter(sessions, cookie, now_ms, NULL));
}

static void assert_is_cookie(const char *cookie)
{
    assert_int_equal(strlen(cookie), 43);
    assert_int_equal(strspn(cookie, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_"),
                     43);
}

static void test_begin(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE], dn[] = DN;
    struct apw_web_session *session = begin_of(sessions, dn, 0, cookie);

    (void)state;
    assert_non_null(session);
    assert_is_cookie(cookie);
    dn[4] = 'A';
    assert_string_equal(session->owner, DN);
    assert_int_equal(session->level, 0);
    assert_int_equal(session->flash, 0);
    assert_true(unit_is_zero(session->content, kind.size));
    apw_web_session_leave(sessions, session);
    assert_ptr_equal(apw_web_session_enter(sessions, cookie, 0, NULL), session);
    apw_web_sessions_free(&sessions); /* an entered one, too */
    assert_null(sessions);
    apw_web_sessions_free(&sessions);
}

static void test_other_cookies(void **state)
{
    struct apw_web_sessions *sessions = make(), *others = make();
    char cookie[APW_COOKIE_SIZE], longer[APW_COOKIE_SIZE + 1];

    (void)state;
    begin(sessions, "alice", 0, cookie);
    assert_gone(sessions, "", 0);
    assert_gone(sessions, "x", 0);
    assert_gone(others, cookie, 0); /* of another process, or after a restart */
    snprintf(longer, sizeof longer, "%sA", cookie);
    assert_gone(sessions, longer, 0);
    for (size_t i = 0; cookie[i] != '\0'; i++) {
        char right = cookie[i];

        cookie[i] = right == 'A' ? 'B' : 'A';
        assert_gone(sessions, cookie, 0);
        cookie[i] = '\0';
        assert_gone(sessions, cookie, 0);
        cookie[i] = right;
    }
    assert_there(sessions, cookie, "alice", 0);
    apw_web_sessions_free(&sessions);
    apw_web_sessions_free(&others);
}

static void test_idle(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    begin(sessions, "alice", 1000, cookie);
    assert_there(sessions, cookie, "alice", 1000 + IDLE_MS);
    assert_there(sessions, cookie, "alice", 1000 + 2 * IDLE_MS); /* each request prolongs it */
    assert_gone(sessions, cookie, 1000 + 3 * IDLE_MS + 1);
    assert_gone(sessions, cookie, 1000 + 2 * IDLE_MS); /* and it does not come back */
    apw_web_sessions_free(&sessions);
}

static void assert_why(struct apw_web_sessions *sessions, const char *cookie, int64_t now_ms,
                       enum apw_web_absence expected)
{
    enum apw_web_absence why = (enum apw_web_absence)(expected + 1);

    assert_null(apw_web_session_enter(sessions, cookie, now_ms, &why));
    assert_int_equal(why, expected);
}

static void test_reasons(void **state)
{
    struct apw_web_sessions *sessions = make();
    char idle[APW_COOKIE_SIZE], old[APW_COOKIE_SIZE], out[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE];
    struct apw_web_session *session;

    (void)state;
    begin(sessions, "out", 0, out);
    session = apw_web_session_enter(sessions, out, 0, NULL);
    apw_web_session_end(sessions, session);
    begin(sessions, "idle", 0, idle);
    begin(sessions, "old", 0, old);
    session = apw_web_session_enter(sessions, old, 0, NULL);
    session->idle_s = LIFETIME_MS / 1000 + 60;
    apw_web_session_leave(sessions, session);
    for (int i = 0; i < 2; i++) {
        assert_why(sessions, idle, IDLE_MS + 1, APW_WEB_ABSENCE_IDLE);
        assert_why(sessions, old, LIFETIME_MS + 1, APW_WEB_ABSENCE_OLD);
        assert_why(sessions, out, 0, APW_WEB_ABSENCE_UNKNOWN);
        assert_why(sessions, "x", 0, APW_WEB_ABSENCE_UNKNOWN);
        for (int j = 0; j < ROOM / 2; j++) /* in other places */
            begin(sessions, "alice", LIFETIME_MS + 2, other);
    }
    apw_web_sessions_free(&sessions);
}

static void test_crowded(void **state)
{
    struct apw_web_sessions *sessions = make();
    char first[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE];

    (void)state;
    apw_web_session_leave(sessions, begin_of(sessions, DN, 0, first));
    for (int i = 0; i < 20; i++)
        apw_web_session_leave(sessions, begin_of(sessions, DN, 1, other));
    assert_why(sessions, first, 2, APW_WEB_ABSENCE_CROWDED);
    apw_web_sessions_free(&sessions);
}

static void test_patience(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];
    struct apw_web_session *session = begin_of(sessions, DN, 0, cookie);
    bool is_last = true;

    (void)state;
    assert_int_equal(apw_web_session_left_s(sessions, session, 1000, &is_last), 599);
    assert_false(is_last);
    session->idle_s = 30 * 60;
    assert_int_equal(apw_web_session_left_s(sessions, session, 1000, &is_last), 1799);
    apw_web_session_leave(sessions, session);
    session = apw_web_session_enter(sessions, cookie, 3 * IDLE_MS, NULL);
    assert_non_null(session);
    assert_int_equal(apw_web_session_left_s(sessions, session, 3 * IDLE_MS + 1000, &is_last), 1799);
    assert_true(is_last); /* the hour is over then */
    assert_int_equal(apw_web_session_left_s(sessions, session, LIFETIME_MS + 1, &is_last), 0);
    apw_web_sessions_free(&sessions);
}

static void test_lifetime(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];
    struct apw_web_session *session;

    (void)state;
    begin(sessions, "alice", 1000, cookie);
    for (int64_t now = IDLE_MS; now < LIFETIME_MS; now += IDLE_MS)
        assert_there(sessions, cookie, "alice", 1000 + now);
    session = apw_web_session_enter(sessions, cookie, 1000 + LIFETIME_MS, NULL);
    assert_non_null(session);
    apw_web_session_renew(sessions, session, cookie); /* a new cookie is no new session */
    apw_web_session_leave(sessions, session);
    assert_there(sessions, cookie, "alice", 1000 + LIFETIME_MS);
    assert_gone(sessions, cookie, 1000 + LIFETIME_MS + 1);
    apw_web_sessions_free(&sessions);
}

static void test_renew(void **state)
{
    struct apw_web_sessions *sessions = make();
    char first[APW_COOKIE_SIZE], second[APW_COOKIE_SIZE];
    struct apw_web_session *session;

    (void)state;
    begin(sessions, "alice", 0, first);
    session = apw_web_session_enter(sessions, first, 0, NULL);
    apw_web_session_renew(sessions, session, second);
    assert_is_cookie(second);
    assert_string_not_equal(first, second);
    apw_web_session_leave(sessions, session);
    assert_gone(sessions, first, 0);
    assert_there(sessions, second, "alice", 0);
    apw_web_sessions_free(&sessions);
}

static void test_end(void **state)
{
    struct apw_web_sessions *sessions = make();
    char alice[APW_COOKIE_SIZE], bob[APW_COOKIE_SIZE];
    struct apw_web_session *session;

    (void)state;
    begin(sessions, "alice", 0, alice);
    begin(sessions, "bob", 0, bob);
    session = apw_web_session_enter(sessions, alice, 0, NULL);
    content_of(session)->owned = strdup("freed by clear()");
    cleared = 0;
    apw_web_session_end(sessions, session);
    assert_int_equal(cleared, 1);
    assert_gone(sessions, alice, 0);
    assert_there(sessions, bob, "bob", 0);
    apw_web_sessions_free(&sessions);
}

/* All are cleared when the site ends, and each one soon after it is over, in whatever place. */
static void test_cleared(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    for (int i = 0; i < ROOM; i++)
        begin(sessions, "alice", 0, cookie);
    cleared = 0;
    begin(sessions, "bob", IDLE_MS + 1, cookie);
    assert_int_equal(cleared, ROOM);
    for (int i = 1; i < ROOM; i++)
        begin(sessions, "bob", IDLE_MS + 1, cookie);
    apw_web_sessions_free(&sessions);
    assert_int_equal(cleared, 2 * ROOM);
}

static void test_full(void **state)
{
    static char cookies[ROOM][APW_COOKIE_SIZE];
    struct apw_web_sessions *sessions = make();
    char another[APW_COOKIE_SIZE];
    struct apw_web_session *entered;

    (void)state;
    for (int i = 0; i < ROOM; i++)
        begin(sessions, "alice", i, cookies[i]);
    for (int i = 0; i < ROOM; i++)
        assert_there(sessions, cookies[i], "alice", i);
    entered = apw_web_session_enter(sessions, cookies[0], 0, NULL); /* the oldest is busy */
    begin(sessions, "bob", ROOM, another);
    assert_there(sessions, another, "bob", ROOM);
    assert_gone(sessions, cookies[1], ROOM); /* it was idle the longest */
    assert_there(sessions, cookies[2], "alice", ROOM);
    apw_web_session_leave(sessions, entered);
    begin(sessions, "bob", ROOM, another);
    assert_gone(sessions, cookies[0], ROOM);
    begin(sessions, "bob", ROOM, another);
    assert_gone(sessions, cookies[3], ROOM); /* the third has been there since */
    assert_there(sessions, cookies[2], "alice", ROOM);
    apw_web_sessions_free(&sessions);
}

/* Somebody who signs in again and again loses only sessions of their own. */
static void test_one_person(void **state)
{
    static char cookies[2 * ROOM][APW_COOKIE_SIZE];
    struct apw_web_sessions *sessions = make();
    char bob[APW_COOKIE_SIZE];

    (void)state;
    begin(sessions, "bob", 0, bob);
    for (int i = 0; i < 2 * ROOM; i++) {
        struct apw_web_session *session = begin_of(sessions, DN, 1 + i, cookies[i]);

        assert_non_null(session);
        strcpy(content_of(session)->login, "alice");
        apw_web_session_leave(sessions, session);
    }
    assert_there(sessions, bob, "bob", 2 * ROOM);
    for (int i = 0; i < 2 * ROOM - 20; i++)
        assert_gone(sessions, cookies[i], 2 * ROOM);
    for (int i = 2 * ROOM - 20; i < 2 * ROOM; i++)
        assert_there(sessions, cookies[i], "alice", 2 * ROOM);
    apw_web_sessions_free(&sessions);
}

/* A session that was left, from that network and in that kind of browser. */
static void ask(struct apw_web_sessions *sessions, const char *network, bool is_known,
                int64_t now_ms, char cookie_r[APW_COOKIE_SIZE])
{
    const struct apw_web_session_asker asker = {
        .owner = DN, .network = network, .is_known = is_known};
    struct apw_web_session *session = apw_web_session_begin(sessions, &asker, now_ms, cookie_r);

    assert_non_null(session);
    strcpy(content_of(session)->login, "alice");
    apw_web_session_leave(sessions, session);
}

/* Somebody who knows the password begins sessions from elsewhere. */
static void test_unknown_ends_no_known(void **state)
{
    struct apw_web_sessions *sessions = make();
    char known[APW_COOKIE_SIZE], fresh[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE], network[32];

    (void)state;
    ask(sessions, "192.0.2.1", true, 0, known);
    ask(sessions, "192.0.2.2", false, 0, fresh);
    for (int i = 0; i < 2 * ROOM; i++) {
        snprintf(network, sizeof network, "198.51.100.%d", i % 4);
        ask(sessions, network, false, 1 + i, other);
    }
    assert_there(sessions, known, "alice", IDLE_MS);
    assert_there(sessions, fresh, "alice", IDLE_MS); /* the others' networks have more each */
    for (int i = 0; i < 20; i++)
        ask(sessions, "192.0.2.1", true, IDLE_MS + 1 + i, other);
    assert_gone(sessions, known, IDLE_MS + 30); /* known ones make room for one another */
    apw_web_sessions_free(&sessions);
}

/* As many as one person may have at once, and all of them are working on a request. */
static void test_busy_ones_end_no_other(void **state)
{
    const struct apw_web_session_asker busy = {.owner = DN, .network = "198.51.100.1"};
    struct apw_web_sessions *sessions = make();
    char fresh[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE];

    (void)state;
    ask(sessions, "192.0.2.2", false, 0, fresh);
    for (int i = 0; i < 30; i++)
        assert_non_null(apw_web_session_begin(sessions, &busy, 1 + i, other));
    assert_there(sessions, fresh, "alice", 40);
    apw_web_sessions_free(&sessions);
}

static void test_full_of_known(void **state)
{
    const struct apw_web_session_asker known = {.owner = "a", .network = "n", .is_known = true},
                                       unknown = {.owner = "b", .network = "n"};
    struct apw_web_sessions *sessions = make();
    char first[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE], owner[16];

    (void)state;
    for (int i = 0; i < ROOM; i++) {
        struct apw_web_session_asker asker = known;

        snprintf(owner, sizeof owner, "%d", i);
        asker.owner = owner;
        apw_web_session_leave(sessions,
                              apw_web_session_begin(sessions, &asker, i, i == 0 ? first : other));
    }
    assert_null(apw_web_session_begin(sessions, &unknown, ROOM, other));
    assert_non_null(apw_web_session_begin(sessions, &known, ROOM, other));
    assert_gone(sessions, first, ROOM);
    apw_web_sessions_free(&sessions);
}

/* The one with more rights stays, although it was idle the longest. */
static void test_level(void **state)
{
    struct apw_web_sessions *sessions = make();
    char full[APW_COOKIE_SIZE], first[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE];
    struct apw_web_session *session;

    (void)state;
    begin(sessions, "alice", 0, full);
    session = apw_web_session_enter(sessions, full, 0, NULL);
    session->level = 1;
    apw_web_session_leave(sessions, session);
    begin(sessions, "alice", 1, first);
    for (int i = 2; i < ROOM; i++)
        begin(sessions, "alice", i, other);
    begin(sessions, "bob", ROOM, other);
    assert_there(sessions, full, "alice", ROOM);
    assert_gone(sessions, first, ROOM);
    apw_web_sessions_free(&sessions);
}

static void test_crowding(void **state)
{
    struct apw_web_sessions *sessions = make();
    struct apw_web_session *session;
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    for (int is_known = 0; is_known <= 1; is_known++)
        for (int i = 0; i < 22; i++) {
            const struct apw_web_session_asker asker = {
                .owner = DN, .network = "192.0.2.1", .is_known = is_known};

            session = apw_web_session_begin(sessions, &asker, i, cookie);
            assert_non_null(session);
            assert_int_equal(session->is_crowding, i >= 20 && !is_known);
            apw_web_session_leave(sessions, session);
        }
    apw_web_sessions_free(&sessions);
}

/* A request that takes hours keeps its session until it leaves. */
static void test_entered_for_long(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE];
    struct apw_web_session *session = begin_of(sessions, DN, 0, cookie);

    (void)state;
    begin(sessions, "bob", 3 * LIFETIME_MS, other);
    assert_string_equal(session->owner, DN);
    apw_web_session_leave(sessions, session);
    assert_why(sessions, cookie, 3 * LIFETIME_MS, APW_WEB_ABSENCE_OLD);
    apw_web_sessions_free(&sessions);
}

static void test_room_of_the_idle(void **state)
{
    static char cookies[ROOM][APW_COOKIE_SIZE];
    struct apw_web_sessions *sessions = make();
    char another[APW_COOKIE_SIZE];

    (void)state;
    for (int i = 0; i < ROOM; i++)
        begin(sessions, "alice", i < ROOM / 2 ? 0 : IDLE_MS, cookies[i]);
    for (int i = 0; i < ROOM / 2; i++)
        begin(sessions, "bob", IDLE_MS + 1, another);
    for (int i = 0; i < ROOM; i++)
        if (i < ROOM / 2)
            assert_gone(sessions, cookies[i], IDLE_MS + 1);
        else
            assert_there(sessions, cookies[i], "alice", IDLE_MS + 1);
    apw_web_sessions_free(&sessions);
}

static void test_all_entered(void **state)
{
    struct apw_web_sessions *sessions = make();
    struct apw_web_session *entered = NULL;
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    for (int i = 0; i < ROOM; i++) {
        entered = begin_of(sessions, DN, 0, cookie);
        assert_non_null(entered);
    }
    assert_null(begin_of(sessions, DN, 0, cookie));
    apw_web_session_end(sessions, entered);
    assert_non_null(begin_of(sessions, DN, 0, cookie));
    apw_web_sessions_free(&sessions);
}

/* ---- others who come with the same cookie ---- */

/* A thread that enters, and whether it was told to before it came in. */
struct waiting {
    struct apw_web_sessions *sessions;
    char cookie[APW_COOKIE_SIZE];
    atomic_int thread_id;
    atomic_bool may_enter;
    bool has_waited;
    bool is_let_in;
};

static void *wait_and_enter(void *context)
{
    struct waiting *waiting = context;
    struct apw_web_session *session;

    atomic_store(&waiting->thread_id, (int)gettid());
    session = apw_web_session_enter(waiting->sessions, waiting->cookie, 0, NULL);
    waiting->has_waited = atomic_load(&waiting->may_enter);
    waiting->is_let_in = session != NULL;
    if (session != NULL)
        apw_web_session_leave(waiting->sessions, session);
    return NULL;
}

/* Whether the kernel says that the thread sleeps. Without /proc, or if the thread has ended, nobody
 * can tell, and the test fails. */
static bool is_asleep(int thread_id)
{
    char path[64], state = '?';
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread_id);
    file = fopen(path, "re");
    assert_non_null(file);
    if (fscanf(file, "%*d %*s %c", &state) != 1)
        state = '?';
    fclose(file);
    return state == 'S';
}

static void start_waiting(struct waiting *waiting, struct apw_web_sessions *sessions,
                          const char *cookie, pthread_t *thread_r)
{
    memset(waiting, 0, sizeof *waiting);
    waiting->sessions = sessions;
    strcpy(waiting->cookie, cookie);
    assert_int_equal(pthread_create(thread_r, NULL, wait_and_enter, waiting), 0);
    while (atomic_load(&waiting->thread_id) == 0 || !is_asleep(atomic_load(&waiting->thread_id)))
        sched_yield();
    atomic_store(&waiting->may_enter, true);
}

static void leave(struct apw_web_sessions *sessions, struct apw_web_session *session)
{
    apw_web_session_leave(sessions, session);
}

static void renew(struct apw_web_sessions *sessions, struct apw_web_session *session)
{
    char cookie[APW_COOKIE_SIZE];

    apw_web_session_renew(sessions, session, cookie);
}

static const struct waiting_case {
    const char *name;
    void (*act)(struct apw_web_sessions *sessions, struct apw_web_session *session);
    bool is_let_in;
} waiting_cases[] = {
    {"a thread that waits enters when the other leaves", leave, true},
    {"a thread that waits learns that the session ends", apw_web_session_end, false},
    {"a thread that waits with an old cookie learns that it is invalid", renew, false},
};

static void test_waiting(void **state)
{
    const struct waiting_case *row = *state;
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];
    struct apw_web_session *session = begin_of(sessions, DN, 0, cookie);
    struct waiting waiting[2];
    pthread_t thread[2];

    assert_non_null(session);
    for (int i = 0; i < 2; i++)
        start_waiting(&waiting[i], sessions, cookie, &thread[i]);
    row->act(sessions, session);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        assert_true(waiting[i].has_waited);
        assert_int_equal(waiting[i].is_let_in, row->is_let_in);
    }
    apw_web_sessions_free(&sessions);
}

/* Seven wait, and the eighth is told at once; again after those have left. */
static void test_too_many(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];
    struct waiting waiting[7];
    pthread_t thread[7];

    (void)state;
    begin(sessions, "alice", 0, cookie);
    for (int round = 0; round < 2; round++) {
        struct apw_web_session *session = apw_web_session_enter(sessions, cookie, 0, NULL);

        assert_non_null(session);
        for (int i = 0; i < 7; i++)
            start_waiting(&waiting[i], sessions, cookie, &thread[i]);
        assert_why(sessions, cookie, 0, APW_WEB_ABSENCE_BUSY);
        apw_web_session_leave(sessions, session);
        for (int i = 0; i < 7; i++) {
            pthread_join(thread[i], NULL);
            assert_true(waiting[i].has_waited && waiting[i].is_let_in);
        }
    }
    apw_web_sessions_free(&sessions);
}

/* Nobody waits for another cookie's session: this would hang. */
static void test_no_waiting(void **state)
{
    struct apw_web_sessions *sessions = make();
    char alice[APW_COOKIE_SIZE], bob[APW_COOKIE_SIZE];
    struct apw_web_session *session = begin_of(sessions, DN, 0, alice);

    (void)state;
    begin(sessions, "bob", 0, bob);
    assert_there(sessions, bob, "bob", 0);
    assert_gone(sessions, "nobody", 0);
    apw_web_session_leave(sessions, session);
    apw_web_sessions_free(&sessions);
}

#define THREADS 8
#define ROUNDS  300

struct counter {
    struct apw_web_sessions *sessions;
    const char *cookie;
};

/* The count is right only if one thread at a time has entered. */
static void *count_many(void *context)
{
    const struct counter *counter = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct apw_web_session *session =
            apw_web_session_enter(counter->sessions, counter->cookie, 0, NULL);

        if (session == NULL)
            return NULL;
        content_of(session)->count++;
        apw_web_session_leave(counter->sessions, session);
    }
    return NULL;
}

static void test_one_at_a_time(void **state)
{
    struct apw_web_sessions *sessions = make();
    char cookie[APW_COOKIE_SIZE];
    struct counter counter = {sessions, cookie};
    pthread_t thread[THREADS];
    struct apw_web_session *session;

    (void)state;
    begin(sessions, "alice", 0, cookie);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count_many, &counter), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    session = apw_web_session_enter(sessions, cookie, 0, NULL);
    assert_int_equal(content_of(session)->count, THREADS * ROUNDS);
    apw_web_sessions_free(&sessions);
}

/* ---- forms ---- */

static void test_token(void **state)
{
    struct apw_web_sessions *sessions = make(), *others = make();
    char cookie[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE], token[APW_COOKIE_SIZE + 2];

    (void)state;
    apw_web_session_make_cookie(cookie);
    apw_web_session_make_cookie(other);
    assert_is_cookie(cookie);
    assert_string_not_equal(cookie, other);
    apw_web_sessions_token(sessions, cookie, token);
    assert_is_cookie(token);
    assert_string_not_equal(token, cookie);
    assert_true(apw_web_sessions_token_is_right(sessions, cookie, token));
    assert_false(apw_web_sessions_token_is_right(sessions, other, token));
    assert_false(apw_web_sessions_token_is_right(others, cookie, token));
    assert_false(apw_web_sessions_token_is_right(sessions, cookie, cookie));
    assert_false(apw_web_sessions_token_is_right(sessions, "", token));
    assert_false(apw_web_sessions_token_is_right(sessions, cookie, ""));
    strcat(token, "A");
    assert_false(apw_web_sessions_token_is_right(sessions, cookie, token));
    for (size_t i = 0; i < APW_COOKIE_SIZE - 1; i++) {
        apw_web_sessions_token(sessions, cookie, token);
        token[i] = token[i] == 'A' ? 'B' : 'A';
        assert_false(apw_web_sessions_token_is_right(sessions, cookie, token));
        token[i] = '\0';
        assert_false(apw_web_sessions_token_is_right(sessions, cookie, token));
    }
    apw_web_sessions_free(&sessions);
    apw_web_sessions_free(&others);
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_TEST("a session begins with what is known", test_begin);
    UNIT_TEST("another cookie lets nobody in", test_other_cookies);
    UNIT_TEST("a session ends after ten minutes without a request", test_idle);
    UNIT_TEST("a cookie of a session that ended says why", test_reasons);
    UNIT_TEST("the owner of too many learns why the first one ended", test_crowded);
    UNIT_TEST("a session may be given more time, but not more than the hour", test_patience);
    UNIT_TEST("a session ends after an hour whatever happens", test_lifetime);
    UNIT_TEST("a new cookie replaces the old one", test_renew);
    UNIT_TEST("a session that was ended is gone", test_end);
    UNIT_TEST("no session is left when it is over", test_cleared);
    UNIT_TEST("without room, who was idle the longest goes", test_full);
    UNIT_TEST("one person has twenty at most", test_one_person);
    UNIT_TEST("no session of a known browser ends for an unknown one", test_unknown_ends_no_known);
    UNIT_TEST("sessions that are entered end none of another network", test_busy_ones_end_no_other);
    UNIT_TEST("a table full of known ones takes known ones alone", test_full_of_known);
    UNIT_TEST("without room, sessions with more rights stay", test_level);
    UNIT_TEST("a session that replaces one of its owner's in an unknown browser says so",
              test_crowding);
    UNIT_TEST("an entered session does not end under the request", test_entered_for_long);
    UNIT_TEST("those that are over make room first", test_room_of_the_idle);
    UNIT_TEST("entered sessions are not ended to make room", test_all_entered);
    UNIT_ROWS(waiting_cases, test_waiting);
    UNIT_TEST("seven wait, and no more", test_too_many);
    UNIT_TEST("nobody waits for somebody else", test_no_waiting);
    UNIT_TEST("one at a time is in", test_one_at_a_time);
    UNIT_TEST("the token of a form follows from the cookie", test_token);
    return unit_run();
}
