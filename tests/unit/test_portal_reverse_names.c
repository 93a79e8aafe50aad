/* SPDX-License-Identifier: BSD-2-Clause */
/* Which host names of an address are shown, with a resolver that says what the test wants. */
#include "clock.h"
#include "reverse_names.h"
#include "unit.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>

#define LABEL_63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"
#define NAME_100 LABEL_63 ".b123456789123456789123456789.example"
_Static_assert(sizeof NAME_100 == APW_REVERSE_NAME_SIZE, "the longest name");

#define PLENTY_MS 20000

int64_t __real_apw_clock_monotonic_ms(void);
int64_t __wrap_apw_clock_monotonic_ms(void);
int __wrap_getnameinfo(const struct sockaddr *place, socklen_t length, char *host, socklen_t size,
                       char *service, socklen_t service_size, int flags);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* held: the resolver is silent */
static const char *said;                                  /* the name of each address */
static const char *leads_to;                              /* the address of each name */
static atomic_int lookups, lookups_done;
static int64_t ahead_ms; /* so much longer than half a second is a name waited for */

int64_t __wrap_apw_clock_monotonic_ms(void)
{
    return __real_apw_clock_monotonic_ms() + ahead_ms;
}

int __wrap_getnameinfo(const struct sockaddr *place, socklen_t length, char *host, socklen_t size,
                       char *service, socklen_t service_size, int flags)
{
    (void)place, (void)length, (void)service, (void)service_size;
    assert_int_equal(flags, NI_NAMEREQD);
    lookups++;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    snprintf(host, size, "%s", said);
    lookups_done++;
    return said[0] != '\0' ? 0 : EAI_NONAME;
}

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r)
{
    struct addrinfo numeric = *hints;

    (void)host;
    numeric.ai_flags |= AI_NUMERICHOST;
    return __real_getaddrinfo(leads_to, port, &numeric, addresses_r);
}

static struct apw_reverse_names *begin(void)
{
    struct apw_error error = {""};
    struct apw_reverse_names *names;

    lookups = lookups_done = 0;
    assert_int_equal(apw_reverse_names_new(&names, &error), 0);
    return names;
}

static const struct name_case {
    const char *name;
    const char *said;
    const char *shown;
    const char *address;  /* NULL: 192.0.2.1 */
    const char *leads_to; /* NULL: the same */
} names[] = {
    {"a host name", "host-17.example.org", "host-17.example.org", NULL, NULL},
    {"in lower case", "Host.Example.ORG", "host.example.org", NULL, NULL},
    {"an internationalized one as it is", "xn--brker-ra.example", "xn--brker-ra.example", NULL,
     NULL},
    {"that of an IPv6 address", "six.example", "six.example", "2001:db8::1", NULL},
    {"that of an IPv4 address in IPv6", "four.example", "four.example", "::ffff:192.0.2.1",
     "192.0.2.1"},
    {"of 100 bytes", NAME_100, NAME_100, NULL, NULL},
    {"of 101 bytes", NAME_100 "s", "", NULL, NULL},
    {"a label of 64 bytes", LABEL_63 "4.example", "", NULL, NULL},
    {"none", "", "", NULL, NULL},
    {"one that leads elsewhere", "host.example", "", NULL, "192.0.2.2"},
    {"one that leads to an address of the other family", "host.example", "", NULL, "2001:db8::1"},
    {"one word", "router", "", NULL, NULL},
    {"an address", "192.0.2.9", "", NULL, NULL},
    {"a dot at the end", "host.example.", "", NULL, NULL},
    {"a dot in front", ".host.example", "", NULL, NULL},
    {"two dots", "host..example", "", NULL, NULL},
    {"a hyphen in front", "-host.example", "", NULL, NULL},
    {"a hyphen at the end of a label", "host-.example", "", NULL, NULL},
    {"a tag", "<b>.example", "", NULL, NULL},
    {"a space", "your bank.example", "", NULL, NULL},
    {"a control character", "host\x1b.example", "", NULL, NULL},
    {"letters past ASCII", "b\xc3\xa5ker.example", "", NULL, NULL},
    {"text from right to left", "host\xe2\x80\xae.example", "", NULL, NULL},
    {"a placeholder of the template", "{{csrf}}.example", "", NULL, NULL},
    {"what is no address", "host.example", "", "somewhere", NULL},
};

static void test_name(void **state)
{
    const struct name_case *row = *state;
    const char *address = row->address != NULL ? row->address : "192.0.2.1";
    struct apw_reverse_names *table = begin();
    char name[APW_REVERSE_NAME_SIZE];

    said = row->said;
    leads_to = row->leads_to != NULL ? row->leads_to : address;
    apw_reverse_names_get(table, address, name);
    assert_string_equal(name, "");
    ahead_ms = PLENTY_MS; /* the thread may start late */
    apw_reverse_names_ask(table, address);
    ahead_ms = 0;
    apw_reverse_names_get(table, address, name);
    assert_string_equal(name, row->shown);
    apw_reverse_names_free(&table);
    assert_null(table);
}

/* The first list waits, once; a later one has the name. */
static void test_late(void **state)
{
    struct apw_reverse_names *table = begin();
    int64_t start_ms = apw_clock_monotonic_ms();
    char name[APW_REVERSE_NAME_SIZE];

    (void)state;
    said = "late.example";
    leads_to = "192.0.2.1";
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < 60; i++) {
        apw_reverse_names_ask(table, "192.0.2.1");
        apw_reverse_names_get(table, "192.0.2.1", name);
        assert_string_equal(name, "");
    }
    assert_in_range(apw_clock_monotonic_ms() - start_ms, 500, 15000); /* not half a minute */
    pthread_mutex_unlock(&mutex);
    while (name[0] == '\0')
        apw_reverse_names_get(table, "192.0.2.1", name);
    assert_string_equal(name, "late.example");
    assert_int_equal(lookups, 1);
    apw_reverse_names_free(&table);
}

/* More questions than the table holds, more than threads, and the end while all of them hang. */
static void test_many(void **state)
{
    struct apw_reverse_names *table = begin();
    char address[32], name[APW_REVERSE_NAME_SIZE];

    (void)state;
    said = "many.example";
    leads_to = "192.0.2.1";
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < 300; i++) {
        snprintf(address, sizeof address, "192.0.%d.%d", i / 100, i % 100);
        apw_reverse_names_ask(table, address);
    }
    while (lookups < 16)
        usleep(1000);
    usleep(50 * 1000);
    assert_int_equal(lookups, 16);
    apw_reverse_names_get(table, "192.0.2.99", name); /* the table was full */
    assert_string_equal(name, "");
    apw_reverse_names_free(&table);
    pthread_mutex_unlock(&mutex);
    while (lookups_done < 16)
        usleep(1000);
    usleep(50 * 1000); /* the threads clean up, and answer no other question */
    assert_int_equal(lookups, 16);
}

int main(void)
{
    UNIT_ROWS(names, test_name);
    UNIT_TEST("a late name is waited for once", test_late);
    UNIT_TEST("at most sixteen look-ups hang at a time", test_many);
    return unit_run();
}
