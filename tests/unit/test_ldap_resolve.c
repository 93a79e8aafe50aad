/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names into addresses, with a getaddrinfo() that the test can block. */
#include "clock.h"
#include "ldap/resolve.h"
#include "unit.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define LOOKUPS_MAX 16
#define PLENTY      (apw_clock_monotonic_ms() + 20000)

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_stuck_changed = PTHREAD_COND_INITIALIZER;
static bool is_stuck;
static atomic_int lookups, lookups_done;

/* "stuck" blocks until set_stuck(false). */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r)
{
    struct addrinfo numeric = *hints;
    int status = EAI_NONAME;

    if ((hints->ai_flags & AI_NUMERICHOST) != 0)
        return __real_getaddrinfo(host, port, hints, addresses_r);
    lookups++;
    if (strcmp(host, "stuck") == 0) {
        pthread_mutex_lock(&mutex);
        while (is_stuck)
            pthread_cond_wait(&is_stuck_changed, &mutex);
        pthread_mutex_unlock(&mutex);
    }
    numeric.ai_flags |= AI_NUMERICHOST;
    if (strcmp(host, "unknown") != 0)
        status = __real_getaddrinfo("192.0.2.7", port, &numeric, addresses_r);
    lookups_done++;
    return status;
}

static void set_stuck(bool stuck)
{
    pthread_mutex_lock(&mutex);
    is_stuck = stuck;
    pthread_cond_broadcast(&is_stuck_changed);
    pthread_mutex_unlock(&mutex);
}

static const struct resolve_case {
    const char *name;
    const char *host;
    const char *address; /* NULL: an error */
    int lookups;
} resolve_cases[] = {
    {"an IPv4 address is not looked up", "192.0.2.1", "192.0.2.1", 0},
    {"an IPv6 address is not looked up", "2001:db8::1", "2001:db8::1", 0},
    {"a name is looked up", "ldap", "192.0.2.7", 1},
    {"an unknown name is an error", "unknown", NULL, 1},
};

static void test_resolve(void **state)
{
    const struct resolve_case *row = *state;
    struct addrinfo *addresses = NULL;
    struct apw_error error = {""};
    char text[NI_MAXHOST], port[NI_MAXSERV];

    lookups = 0;
    assert_int_equal(
        apw_resolve_host(row->host, "389", apw_clock_monotonic_ms() + 20000, &addresses, &error),
        row->address != NULL ? 0 : -1);
    assert_int_equal(lookups, row->lookups);
    if (row->address == NULL) {
        assert_contains(error.text, "\"unknown\": ");
        return;
    }
    assert_int_equal(getnameinfo(addresses->ai_addr, addresses->ai_addrlen, text, sizeof text, port,
                                 sizeof port, NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    assert_string_equal(text, row->address);
    assert_string_equal(port, "389");
    assert_int_equal(addresses->ai_socktype, SOCK_STREAM);
    freeaddrinfo(addresses);
}

static void test_deadline(void **state)
{
    int64_t start = apw_clock_monotonic_ms();
    struct addrinfo *addresses = NULL;
    struct apw_error error = {""};

    (void)state;
    set_stuck(true);
    lookups_done = 0;
    assert_int_equal(apw_resolve_host("stuck", "389", start + 100, &addresses, &error), -1);
    assert_in_range(apw_clock_monotonic_ms() - start, 100, 10000);
    assert_string_equal(error.text, "\"stuck\" was not resolved in time");
    assert_int_equal(apw_resolve_host("stuck", "389", start, &addresses, &error), -1);
    set_stuck(false);
    while (lookups_done < 2)
        usleep(1000);
    assert_null(addresses);
    usleep(50 * 1000); /* the detached threads clean up */
}

/* The number of hanging threads is limited, and a child starts with none. */
static void test_many(void **state)
{
    struct addrinfo *addresses = NULL;
    struct apw_error error = {""};
    int status;
    pid_t child;

    (void)state;
    set_stuck(true);
    lookups = lookups_done = 0;
    for (int i = 0; i < LOOKUPS_MAX; i++)
        do /* threads of the previous test may still end */
            assert_int_equal(apw_resolve_host("stuck", "389", 0, &addresses, &error), -1);
        while (strstr(error.text, "cannot be looked up now") != NULL);
    assert_int_equal(apw_resolve_host("ldap", "389", PLENTY, &addresses, &error), -1);
    assert_contains(error.text, "\"ldap\" cannot be looked up now");
    while (lookups < LOOKUPS_MAX) /* else the child may inherit a sanitizer's lock */
        usleep(1000);
    usleep(50 * 1000);
    child = fork();
    if (child == 0)
        _exit(apw_resolve_host("ldap", "389", PLENTY, &addresses, &error) != 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    set_stuck(false);
    while (lookups_done < LOOKUPS_MAX)
        usleep(1000);
    usleep(50 * 1000);
}

int main(void)
{
    UNIT_ROWS(resolve_cases, test_resolve);
    UNIT_TEST("a name that is not resolved by the deadline is an error", test_deadline);
    UNIT_TEST("at most sixteen lookups hang at a time", test_many);
    return unit_run();
}
