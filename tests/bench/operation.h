/*
 * operation: what the benchmark measures, one call at a time. Each kind is one way to have a
 * password checked, or a part of one.
 */
#ifndef APW_BENCH_OPERATION_H
#define APW_BENCH_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 10

/* One line of the plan: words between tabs, kind and name first. */
struct operation {
    char *word[WORDS_MAX];
    size_t word_count;
    const struct kind *kind;
    void *state; /* of the process that opened it */
};

struct kind {
    const char *name;
    const char *words; /* what follows kind and name, for whoever gets it wrong */
    size_t word_count;
    /* Connects; ends the program where that fails. */
    void *(*open)(char *const *word);
    /* Does it once, for user `user`; whether it came out as it has to. */
    bool (*run)(void *state, unsigned user);
    /* What has to happen before each call and is not part of it; may be NULL. */
    void (*before)(void *state);
};

extern const struct kind raw_kind, search_kind, floor_kind, login_kind, reconnect_kind,
    dovecot_kind, saslauthd_kind;

#define NAME_SIZE 256

/* The name of a user: the template with the number for its '#', if it has one. */
void user_name(const char *template, unsigned user, char name_r[NAME_SIZE]);

/* Says what is wrong and ends the program. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A connection to a Unix socket, for peers that are asked over one. */
int connect_unix(const char *path);
void send_all(int fd, const void *bytes, size_t length);

#endif
