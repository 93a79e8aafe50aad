/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory_under_test: a directory whose server is the responder, and the usual questions to it.
 */
#ifndef APW_DIRECTORY_UNDER_TEST_H
#define APW_DIRECTORY_UNDER_TEST_H

#include "error.h"
#include "ldap/directory.h"
#include "responder.h"
#include "unit.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES(text) text, sizeof text - 1
#define SERVICE_DN  "cn=mail,dc=example,dc=org"
#define SERVICE_PW  "service secret"
#define USER_DN     "uid=alice,dc=example,dc=org"
#define USER_PW     "correct horse"

#define TIMEOUT_MS 150   /* for tests in which no answer comes */
#define PATIENT_MS 10000 /* for tests in which one comes and another does not; see silence.h */
#define PLENTY_MS  20000 /* for tests in which one comes; also the limit for "in time" */

/* A successful BindResponse without its message ID (RFC 4511, 4.2.2). */
#define ACCEPTED_BIND "\x61\x07\x0a\x01\0\x04\0\x04\0"

/* Of the last call below, or of a test's own; open_with() empties it. */
extern struct apw_error last_error;

/* With StartTLS if `ca_path` is not NULL. The caller frees the directory. */
struct apw_directory *open_with(const struct apw_uris *uris, int timeout_ms, const char *ca_path);
struct apw_directory *open_directory(int listener, int timeout_ms);
struct apw_directory *open_idle(int64_t idle_ms); /* listener 0 */
struct apw_directory *open_two(const char *first_uri, const char *second_uri);

int64_t in_ms(int64_t milliseconds); /* the deadline that is so far away */

/* Without a time: within PLENTY_MS. The caller frees the entries. */
enum apw_user_bind bind_within(struct apw_directory *directory, int64_t milliseconds);
enum apw_user_bind bind_user(struct apw_directory *directory);
enum apw_ldap_result search_within(struct apw_directory *directory, unsigned limit,
                                   int64_t milliseconds, struct apw_entry **entries_r);
enum apw_ldap_result search(struct apw_directory *directory, struct apw_entry **entries_r);

size_t count_entries(const struct apw_entry *entries);
void assert_search_is_ok(struct apw_directory *directory);
void assert_error_is_set(void); /* to something without a password */

extern const char *const alice[]; /* her attributes, for responder_entry() */

bool accept_bind(const struct request *request);

/* A healthy directory: binds succeed, a search finds alice. */
bool answer_well(const struct request *request);

#endif
