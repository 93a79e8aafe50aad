/* Visits: who is let in by which cookie, and until when. */
#include "unit.h"
#include "web/session.h"
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>
#include <unistd.h>

#define IDLE_MS     600000  /* ten minutes */
#define LIFETIME_MS 3600000 /* an hour */
#define ROOM        1000    /* visits at the same time */
#define DN          "uid=alice,dc=example,dc=org"

static struct apw_visits *make(void)
{
    struct apw_error error = {""};
    struct apw_visits *visits;

    assert_int_equal(apw_visits_new(&visits, &error), 0);
    return visits;
}

/* A visit that is left already, of a person of its own. */
static void begin(struct apw_visits *visits, const char *login, int64_t now_ms,
                  char cookie_r[APW_COOKIE_SIZE])
{
    static int people;
    struct apw_visit *visit;
    char dn[64];

    snprintf(dn, sizeof dn, "uid=person%d,dc=example,dc=org", people++);
    visit = apw_visit_begin(visits, login, dn, now_ms, cookie_r);
    assert_non_null(visit);
    apw_visit_leave(visits, visit);
}

static void assert_there(struct apw_visits *visits, const char *cookie, const char *login,
                         int64_t now_ms)
{
    struct apw_visit *visit = apw_visit_enter(visits, cookie, now_ms);

    assert_non_null(visit);
    assert_string_equal(visit->login, login);
    apw_visit_leave(visits, visit);
}

static void assert_gone(struct apw_visits *visits, const char *cookie, int64_t now_ms)
{
    assert_null(apw_visit_enter(visits, cookie, now_ms));
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
    struct apw_visits *visits = make();
    char cookie[APW_COOKIE_SIZE], dn[] = DN;
    struct apw_visit *visit = apw_visit_begin(visits, "alice", dn, 0, cookie);

    (void)state;
    assert_non_null(visit);
    assert_is_cookie(cookie);
    dn[4] = 'A';
    assert_string_equal(visit->dn, DN);
    assert_string_equal(visit->login, "alice");
    assert_int_equal(visit->rights, APW_RIGHTS_PASSWORD);
    assert_false(visit->is_single_sign_on || visit->is_choosing || visit->has_pending ||
                 visit->has_password);
    assert_int_equal(visit->flash, APW_TEXT_NONE);
    assert_null(visit->enrolment_code_value);
    apw_visit_leave(visits, visit);
    assert_ptr_equal(apw_visit_enter(visits, cookie, 0), visit);
    apw_visits_free(&visits); /* an entered one, too */
    assert_null(visits);
    apw_visits_free(&visits);
}

static void test_login_length(void **state)
{
    struct apw_visits *visits = make();
    char *login = unit_repeat("a", APW_LOGIN_SIZE), cookie[APW_COOKIE_SIZE];

    (void)state;
    assert_null(apw_visit_begin(visits, login, DN, 0, cookie));
    login[APW_LOGIN_SIZE - 1] = '\0';
    begin(visits, login, 0, cookie);
    assert_there(visits, cookie, login, 0);
    apw_visits_free(&visits);
    free(login);
}

static void test_other_cookies(void **state)
{
    struct apw_visits *visits = make(), *others = make();
    char cookie[APW_COOKIE_SIZE], longer[APW_COOKIE_SIZE + 1];

    (void)state;
    begin(visits, "alice", 0, cookie);
    assert_gone(visits, "", 0);
    assert_gone(visits, "x", 0);
    assert_gone(others, cookie, 0); /* of another process, or after a restart */
    snprintf(longer, sizeof longer, "%sA", cookie);
    assert_gone(visits, longer, 0);
    for (size_t i = 0; cookie[i] != '\0'; i++) {
        char right = cookie[i];

        cookie[i] = right == 'A' ? 'B' : 'A';
        assert_gone(visits, cookie, 0);
        cookie[i] = '\0';
        assert_gone(visits, cookie, 0);
        cookie[i] = right;
    }
    assert_there(visits, cookie, "alice", 0);
    apw_visits_free(&visits);
    apw_visits_free(&others);
}

static void test_idle(void **state)
{
    struct apw_visits *visits = make();
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    begin(visits, "alice", 1000, cookie);
    assert_there(visits, cookie, "alice", 1000 + IDLE_MS);
    assert_there(visits, cookie, "alice", 1000 + 2 * IDLE_MS); /* each request prolongs it */
    assert_gone(visits, cookie, 1000 + 3 * IDLE_MS + 1);
    assert_gone(visits, cookie, 1000 + 2 * IDLE_MS); /* and it does not come back */
    apw_visits_free(&visits);
}

static void test_lifetime(void **state)
{
    struct apw_visits *visits = make();
    char cookie[APW_COOKIE_SIZE];
    struct apw_visit *visit;

    (void)state;
    begin(visits, "alice", 1000, cookie);
    for (int64_t now = IDLE_MS; now < LIFETIME_MS; now += IDLE_MS)
        assert_there(visits, cookie, "alice", 1000 + now);
    visit = apw_visit_enter(visits, cookie, 1000 + LIFETIME_MS);
    assert_non_null(visit);
    apw_visit_renew(visits, visit, cookie); /* a new cookie is no new visit */
    apw_visit_leave(visits, visit);
    assert_there(visits, cookie, "alice", 1000 + LIFETIME_MS);
    assert_gone(visits, cookie, 1000 + LIFETIME_MS + 1);
    apw_visits_free(&visits);
}

static void test_renew(void **state)
{
    struct apw_visits *visits = make();
    char first[APW_COOKIE_SIZE], second[APW_COOKIE_SIZE];
    struct apw_visit *visit;

    (void)state;
    begin(visits, "alice", 0, first);
    visit = apw_visit_enter(visits, first, 0);
    apw_visit_renew(visits, visit, second);
    assert_is_cookie(second);
    assert_string_not_equal(first, second);
    apw_visit_leave(visits, visit);
    assert_gone(visits, first, 0);
    assert_there(visits, second, "alice", 0);
    apw_visits_free(&visits);
}

static void test_end(void **state)
{
    struct apw_visits *visits = make();
    char alice[APW_COOKIE_SIZE], bob[APW_COOKIE_SIZE];
    struct apw_visit *visit;

    (void)state;
    begin(visits, "alice", 0, alice);
    begin(visits, "bob", 0, bob);
    visit = apw_visit_enter(visits, alice, 0);
    visit->enrolment_code_value = strdup("code created=…");
    apw_visit_end(visits, visit);
    assert_gone(visits, alice, 0);
    assert_there(visits, bob, "bob", 0);
    apw_visits_free(&visits);
}

static void test_full(void **state)
{
    static char cookies[ROOM][APW_COOKIE_SIZE];
    struct apw_visits *visits = make();
    char another[APW_COOKIE_SIZE];
    struct apw_visit *entered;

    (void)state;
    for (int i = 0; i < ROOM; i++)
        begin(visits, "alice", i, cookies[i]);
    for (int i = 0; i < ROOM; i++)
        assert_there(visits, cookies[i], "alice", i);
    entered = apw_visit_enter(visits, cookies[0], 0); /* the oldest is busy */
    begin(visits, "bob", ROOM, another);
    assert_there(visits, another, "bob", ROOM);
    assert_gone(visits, cookies[1], ROOM); /* it was idle the longest */
    assert_there(visits, cookies[2], "alice", ROOM);
    apw_visit_leave(visits, entered);
    begin(visits, "bob", ROOM, another);
    assert_gone(visits, cookies[0], ROOM);
    begin(visits, "bob", ROOM, another);
    assert_gone(visits, cookies[3], ROOM); /* the third has been there since */
    assert_there(visits, cookies[2], "alice", ROOM);
    apw_visits_free(&visits);
}

/* Whoever signs in again and again loses visits of their own. */
static void test_one_person(void **state)
{
    static char cookies[2 * ROOM][APW_COOKIE_SIZE];
    struct apw_visits *visits = make();
    char bob[APW_COOKIE_SIZE];

    (void)state;
    begin(visits, "bob", 0, bob);
    for (int i = 0; i < 2 * ROOM; i++) {
        struct apw_visit *visit = apw_visit_begin(visits, "alice", DN, 1 + i, cookies[i]);

        assert_non_null(visit);
        apw_visit_leave(visits, visit);
    }
    assert_there(visits, bob, "bob", 2 * ROOM);
    for (int i = 0; i < 2 * ROOM - 20; i++)
        assert_gone(visits, cookies[i], 2 * ROOM);
    for (int i = 2 * ROOM - 20; i < 2 * ROOM; i++)
        assert_there(visits, cookies[i], "alice", 2 * ROOM);
    apw_visits_free(&visits);
}

static void test_room_of_the_idle(void **state)
{
    static char cookies[ROOM][APW_COOKIE_SIZE];
    struct apw_visits *visits = make();
    char another[APW_COOKIE_SIZE];

    (void)state;
    for (int i = 0; i < ROOM; i++)
        begin(visits, "alice", i < ROOM / 2 ? 0 : IDLE_MS, cookies[i]);
    for (int i = 0; i < ROOM / 2; i++)
        begin(visits, "bob", IDLE_MS + 1, another);
    for (int i = 0; i < ROOM; i++)
        if (i < ROOM / 2)
            assert_gone(visits, cookies[i], IDLE_MS + 1);
        else
            assert_there(visits, cookies[i], "alice", IDLE_MS + 1);
    apw_visits_free(&visits);
}

static void test_all_entered(void **state)
{
    struct apw_visits *visits = make();
    struct apw_visit *entered = NULL;
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    for (int i = 0; i < ROOM; i++) {
        entered = apw_visit_begin(visits, "alice", DN, 0, cookie);
        assert_non_null(entered);
    }
    assert_null(apw_visit_begin(visits, "bob", DN, 0, cookie));
    apw_visit_end(visits, entered);
    assert_non_null(apw_visit_begin(visits, "bob", DN, 0, cookie));
    apw_visits_free(&visits);
}

/* ---- others who come with the same cookie ---- */

/* A thread that enters, and whether it was told to before it came in. */
struct waiting {
    struct apw_visits *visits;
    char cookie[APW_COOKIE_SIZE];
    atomic_int thread_id;
    atomic_bool may_enter;
    bool has_waited;
    bool is_let_in;
};

static void *wait_and_enter(void *context)
{
    struct waiting *waiting = context;
    struct apw_visit *visit;

    atomic_store(&waiting->thread_id, (int)gettid());
    visit = apw_visit_enter(waiting->visits, waiting->cookie, 0);
    waiting->has_waited = atomic_load(&waiting->may_enter);
    waiting->is_let_in = visit != NULL;
    if (visit != NULL)
        apw_visit_leave(waiting->visits, visit);
    return NULL;
}

/* Whether the kernel says that the thread sleeps. */
static bool is_asleep(int thread_id)
{
    char path[64], state = '?';
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread_id);
    file = fopen(path, "re");
    if (file == NULL || fscanf(file, "%*d %*s %c", &state) != 1)
        state = '?';
    if (file != NULL)
        fclose(file);
    return state == 'S';
}

static void start_waiting(struct waiting *waiting, struct apw_visits *visits, const char *cookie,
                          pthread_t *thread_r)
{
    memset(waiting, 0, sizeof *waiting);
    waiting->visits = visits;
    strcpy(waiting->cookie, cookie);
    assert_int_equal(pthread_create(thread_r, NULL, wait_and_enter, waiting), 0);
    while (atomic_load(&waiting->thread_id) == 0 || !is_asleep(atomic_load(&waiting->thread_id)))
        sched_yield();
    atomic_store(&waiting->may_enter, true);
}

static void leave(struct apw_visits *visits, struct apw_visit *visit)
{
    apw_visit_leave(visits, visit);
}

static void renew(struct apw_visits *visits, struct apw_visit *visit)
{
    char cookie[APW_COOKIE_SIZE];

    apw_visit_renew(visits, visit, cookie);
}

static const struct waiting_case {
    const char *name;
    void (*act)(struct apw_visits *visits, struct apw_visit *visit);
    bool is_let_in;
} waiting_cases[] = {
    {"who waits comes in when the other leaves", leave, true},
    {"who waits is told when the visit ends", apw_visit_end, false},
    {"who waits with an old cookie is told when there is a new one", renew, false},
};

static void test_waiting(void **state)
{
    const struct waiting_case *row = *state;
    struct apw_visits *visits = make();
    char cookie[APW_COOKIE_SIZE];
    struct apw_visit *visit = apw_visit_begin(visits, "alice", DN, 0, cookie);
    struct waiting waiting[2];
    pthread_t thread[2];

    assert_non_null(visit);
    for (int i = 0; i < 2; i++)
        start_waiting(&waiting[i], visits, cookie, &thread[i]);
    row->act(visits, visit);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        assert_true(waiting[i].has_waited);
        assert_int_equal(waiting[i].is_let_in, row->is_let_in);
    }
    apw_visits_free(&visits);
}

/* Nobody waits for another cookie's visit: this would hang. */
static void test_no_waiting(void **state)
{
    struct apw_visits *visits = make();
    char alice[APW_COOKIE_SIZE], bob[APW_COOKIE_SIZE];
    struct apw_visit *visit = apw_visit_begin(visits, "alice", DN, 0, alice);

    (void)state;
    begin(visits, "bob", 0, bob);
    assert_there(visits, bob, "bob", 0);
    assert_gone(visits, "nobody", 0);
    apw_visit_leave(visits, visit);
    apw_visits_free(&visits);
}

#define THREADS 8
#define ROUNDS  300

struct counter {
    struct apw_visits *visits;
    const char *cookie;
};

/* What is read and written here is right only where one thread at a time is in. */
static void *count_many(void *context)
{
    const struct counter *counter = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct apw_visit *visit = apw_visit_enter(counter->visits, counter->cookie, 0);

        if (visit == NULL)
            return NULL;
        visit->mail.tries_left++;
        apw_visit_leave(counter->visits, visit);
    }
    return NULL;
}

static void test_one_at_a_time(void **state)
{
    struct apw_visits *visits = make();
    char cookie[APW_COOKIE_SIZE];
    struct counter counter = {visits, cookie};
    pthread_t thread[THREADS];
    struct apw_visit *visit;

    (void)state;
    begin(visits, "alice", 0, cookie);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count_many, &counter), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    visit = apw_visit_enter(visits, cookie, 0);
    assert_int_equal(visit->mail.tries_left, THREADS * ROUNDS);
    apw_visits_free(&visits);
}

/* ---- forms ---- */

static void test_token(void **state)
{
    struct apw_visits *visits = make(), *others = make();
    char cookie[APW_COOKIE_SIZE], other[APW_COOKIE_SIZE], token[APW_COOKIE_SIZE + 2];

    (void)state;
    apw_cookie_make(cookie);
    apw_cookie_make(other);
    assert_is_cookie(cookie);
    assert_string_not_equal(cookie, other);
    apw_visits_token(visits, cookie, token);
    assert_is_cookie(token);
    assert_string_not_equal(token, cookie);
    assert_true(apw_visits_token_is_right(visits, cookie, token));
    assert_false(apw_visits_token_is_right(visits, other, token));
    assert_false(apw_visits_token_is_right(others, cookie, token));
    assert_false(apw_visits_token_is_right(visits, cookie, cookie));
    assert_false(apw_visits_token_is_right(visits, "", token));
    assert_false(apw_visits_token_is_right(visits, cookie, ""));
    strcat(token, "A");
    assert_false(apw_visits_token_is_right(visits, cookie, token));
    for (size_t i = 0; i < APW_COOKIE_SIZE - 1; i++) {
        apw_visits_token(visits, cookie, token);
        token[i] = token[i] == 'A' ? 'B' : 'A';
        assert_false(apw_visits_token_is_right(visits, cookie, token));
        token[i] = '\0';
        assert_false(apw_visits_token_is_right(visits, cookie, token));
    }
    apw_visits_free(&visits);
    apw_visits_free(&others);
}

static void test_forget_password(void **state)
{
    struct apw_visit visit = {.login = "alice", .has_password = true};

    (void)state;
    apw_password_make(&visit.password);
    apw_cookie_make(visit.profile_token);
    apw_visit_forget_password(&visit);
    assert_false(visit.has_password);
    assert_true(unit_is_zero(&visit.password, sizeof visit.password));
    assert_true(unit_is_zero(visit.profile_token, sizeof visit.profile_token));
    assert_string_equal(visit.login, "alice");
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_TEST("a visit begins with what is known", test_begin);
    UNIT_TEST("a login that is too long begins no visit", test_login_length);
    UNIT_TEST("another cookie lets nobody in", test_other_cookies);
    UNIT_TEST("a visit ends after ten minutes without a request", test_idle);
    UNIT_TEST("a visit ends after an hour whatever happens", test_lifetime);
    UNIT_TEST("a new cookie takes the place of the old one", test_renew);
    UNIT_TEST("a visit that was ended is gone", test_end);
    UNIT_TEST("without room, who was idle the longest goes", test_full);
    UNIT_TEST("one person has twenty at most", test_one_person);
    UNIT_TEST("those that are over make room first", test_room_of_the_idle);
    UNIT_TEST("who is in keeps the room", test_all_entered);
    UNIT_ROWS(waiting_cases, test_waiting);
    UNIT_TEST("nobody waits for somebody else", test_no_waiting);
    UNIT_TEST("one at a time is in", test_one_at_a_time);
    UNIT_TEST("the token of a form follows from the cookie", test_token);
    UNIT_TEST("a new app password is forgotten whole", test_forget_password);
    return unit_run();
}
