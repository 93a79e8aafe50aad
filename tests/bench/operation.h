/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operation: one measured call. Each kind is one way to check a password, or a part of one.
 */
#ifndef APW_BENCH_OPERATION_H
#define APW_BENCH_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 13

/* One line of the plan: tab-separated words, first kind and name. */
struct operation {
    char *word[WORDS_MAX];
    size_t word_count;
    const struct kind *kind;
    void *state; /* of the process that opened it */
};

struct kind {
    const char *name;
    const char *words; /* after kind and name, for the error message */
    size_t word_count;
    /* Connects. A failure ends the program. */
    void *(*open)(char *const *word);
    /* Runs once for this user; false: unexpected outcome. */
    bool (*run)(void *state, unsigned user);
    /* Runs before each call, not timed; may be NULL. */
    void (*before)(void *state);
};

extern const struct kind raw_kind, search_kind, floor_kind, store_floor_kind, bind_floor_kind,
    login_kind, reconnect_kind, dovecot_kind, saslauthd_kind;

#define NAME_SIZE 256

/* The template with its '#', if any, replaced by the user's number. */
void user_name(const char *template, unsigned user, char name_r[NAME_SIZE]);

/* Prints the message and ends the program. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Connects, as the calling process. */
void open_operation(struct operation *operation);
/* Runs it once; returns microseconds. An unexpected outcome ends the program. */
int64_t time_operation(struct operation *operation, unsigned user);

int64_t now_us(void); /* monotonic microseconds */
int64_t cpu_us(void); /* that this process has used */

/* Connects to a peer's Unix socket. */
int connect_unix(const char *path);
void send_all(int fd, const void *bytes, size_t length);

#endif
