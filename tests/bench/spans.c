/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wraps calls out of lib/ and between its files (ld's --wrap) and counts the time that each spends
 * by itself. Linked into tests/bench/profile only. A span costs some 50 ns.
 */
#include "spans.h"
#include "front.h"
#include "hash.h"
#include "ldap/directory.h"
#include "ldap/transport.h"
#include "log.h"
#include "record.h"
#include "remember.h"
#include "use.h"
#include <ldap.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum span {
    THE_REST,
    FILTER,
    REQUEST,
    ANSWER,
    COPY,
    RECOGNIZE,
    RECORD,
    REMEMBER,
    PHC,
    ARGON2,
    LOG_LINE,
    LOG_WRITE,
    SPAN_COUNT
};

static const char *const names[SPAN_COUNT] = {
    [THE_REST] = "the rest: the decision itself",
    [FILTER] = "the filter from its template",
    [REQUEST] = "libldap: the search, encoded and sent",
    [ANSWER] = "libldap: waiting for slapd, and its answer received",
    [COPY] = "the entry, decoded by libldap, copied and finally wiped",
    [RECOGNIZE] = "the password: does it look like an app password?",
    [RECORD] = "the value, parsed",
    [REMEMBER] = "the remembered match: looked up and stored",
    [PHC] = "the stored hash, taken apart and compared",
    [ARGON2] = "Argon2id",
    [LOG_LINE] = "the log line, put together",
    [LOG_WRITE] = "the log line, written",
};

#define DEPTH_MAX 16
static int64_t spent_ns[SPAN_COUNT];
static enum span stack[DEPTH_MAX];
static int depth = -1; /* outside a login nothing is counted */
static int64_t since_ns;

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Adds the time since the last call to the span on top. */
static void enter(enum span span)
{
    int64_t now = now_ns();

    if (depth >= 0)
        spent_ns[stack[depth]] += now - since_ns;
    stack[++depth] = span;
    since_ns = now;
}

static void leave(void)
{
    int64_t now = now_ns();

    spent_ns[stack[depth--]] += now - since_ns;
    since_ns = now;
}

void spans_reset(void)
{
    for (int i = 0; i < SPAN_COUNT; i++)
        spent_ns[i] = 0;
}

void spans_print(unsigned logins)
{
    for (int i = 0; i < SPAN_COUNT; i++)
        printf("%s\t%.2f\n", names[i], (double)spent_ns[i] / 1000 / logins);
}

/* Defines __wrap_NAME, which counts the real call as a span. Outside a login it only calls. */
#define SPAN(span, type, name, parameters, arguments)                                              \
    type __wrap_##name parameters;                                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        bool is_counted = depth >= 0;                                                              \
        type result;                                                                               \
                                                                                                   \
        if (is_counted)                                                                            \
            enter(span);                                                                           \
        result = __real_##name arguments;                                                          \
        if (is_counted)                                                                            \
            leave();                                                                               \
        return result;                                                                             \
    }

#define SPAN_VOID(span, name, parameters, arguments)                                               \
    void __wrap_##name parameters;                                                                 \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        bool is_counted = depth >= 0;                                                              \
                                                                                                   \
        if (is_counted)                                                                            \
            enter(span);                                                                           \
        __real_##name arguments;                                                                   \
        if (is_counted)                                                                            \
            leave();                                                                               \
    }

/* The whole login. */
void __wrap_apw_front_verify(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                             struct apw_decision *decision_r);
void __real_apw_front_verify(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                             struct apw_decision *decision_r);
void __wrap_apw_front_verify(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                             struct apw_decision *decision_r)
{
    enter(THE_REST);
    __real_apw_front_verify(front, attempt, wait, decision_r);
    leave();
}

SPAN(FILTER, char *, apw_filter_expand, (const char *template, const char *login),
     (template, login))
SPAN(REQUEST, int, ldap_search_ext,
     (LDAP * ld, const char *base, int scope, const char *filter, char **attributes, int types_only,
      LDAPControl **server, LDAPControl **client, struct timeval *timeout, int limit, int *id_r),
     (ld, base, scope, filter, attributes, types_only, server, client, timeout, limit, id_r))
SPAN(ANSWER, int, ldap_result,
     (LDAP * ld, int id, int all, struct timeval *timeout, LDAPMessage **answer_r),
     (ld, id, all, timeout, answer_r))
SPAN(ANSWER, int, apw_transport_wait_readable, (struct apw_transport * transport), (transport))
SPAN(COPY, enum apw_ldap_result, apw_directory_search,
     (struct apw_directory * directory, const struct apw_query *query, int64_t deadline,
      struct apw_entry **entries_r, struct apw_error *error),
     (directory, query, deadline, entries_r, error))
SPAN_VOID(COPY, apw_entries_free, (struct apw_entry * *entries), (entries))
SPAN(RECOGNIZE, bool, apw_password_recognize,
     (const char *typed, size_t length, struct apw_password *password_r),
     (typed, length, password_r))
SPAN(RECORD, int, apw_record_parse_id, (const char *value, size_t length, char *id_r),
     (value, length, id_r))
SPAN(RECORD, int, apw_record_parse,
     (const char *value, size_t length, struct apw_record *record_r, struct apw_error *error),
     (value, length, record_r, error))
SPAN(RECORD, int, apw_use_parse, (const char *value, size_t length, struct apw_use *use_r),
     (value, length, use_r))
SPAN(REMEMBER, bool, apw_remember_has,
     (struct apw_tags * remember, const char *dn, const struct apw_password *password,
      const char *phc),
     (remember, dn, password, phc))
SPAN_VOID(REMEMBER, apw_remember_add,
          (struct apw_tags * remember, const char *dn, const struct apw_password *password,
           const char *phc),
          (remember, dn, password, phc))
SPAN(PHC, int, apw_hash_check,
     (const char *phc, const struct apw_hash_cost *cap, struct apw_error *error), (phc, cap, error))
SPAN(PHC, enum apw_hash_result, apw_hash_verify,
     (const char *phc, const struct apw_hash_cost *cap, const struct apw_password *password,
      struct apw_error *error),
     (phc, cap, password, error))
SPAN(ARGON2, int, crypto_pwhash,
     (unsigned char *output, unsigned long long output_length, const char *password,
      unsigned long long length, const unsigned char *salt, unsigned long long passes,
      size_t memory, int algorithm),
     (output, output_length, password, length, salt, passes, memory, algorithm))
SPAN_VOID(LOG_LINE, apw_log_event, (struct apw_log * log, const struct apw_event *event),
          (log, event))
SPAN(LOG_WRITE, ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
