/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench: compares the times of operations. Standard input has the plan.
 *
 *     bench latency FIRST COUNT          microseconds: a line for each of COUNT users, a column for
 *                                        each operation; the operations take turns
 *     bench rate FIRST COUNT CLIENTS MS  for each operation the calls, the milliseconds and the CPU
 *                                        milliseconds of the clients (processes)
 *     bench turns FIRST COUNT CLIENTS ROUNDS
 *                                        for each operation and round, in which each of COUNT users
 *                                        signs in once (turns.h)
 *
 * Each line of the plan is one operation, tab-separated: kind, name, and the kind's own words
 * (operation.h). Users are numbered from FIRST; several clients share them. An unexpected outcome
 * ends the program.
 */
#include "operation.h"
#include "turns.h"
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPERATIONS_MAX 16
#define CLIENTS_MAX    64
#define ROUNDS_MAX     100

struct plan {
    struct operation operation[OPERATIONS_MAX];
    size_t count;
};

/* ---- the plan ---- */

static const struct kind *find_kind(const char *name)
{
    static const struct kind *const kinds[] = {&raw_kind,        &floor_kind,   &store_floor_kind,
                                               &bind_floor_kind, &search_kind,  &login_kind,
                                               &reconnect_kind,  &dovecot_kind, &saslauthd_kind};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    fail("unknown kind of operation \"%s\"", name);
}

static void read_operation(char *line, struct operation *operation_r)
{
    for (char *word; (word = strsep(&line, "\t")) != NULL;) {
        if (operation_r->word_count == WORDS_MAX)
            fail("more than %d words in a line", WORDS_MAX);
        operation_r->word[operation_r->word_count++] = word;
    }
    operation_r->kind = find_kind(operation_r->word[0]);
    if (operation_r->word_count != operation_r->kind->word_count + 2)
        fail("%s needs a name and %s", operation_r->kind->name, operation_r->kind->words);
}

static struct plan read_plan(void)
{
    struct plan plan = {.count = 0};
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        if (plan.count == OPERATIONS_MAX)
            fail("more than %d operations", OPERATIONS_MAX);
        read_operation(line, &plan.operation[plan.count++]);
        line = NULL; /* the words stay in it */
    }
    return plan;
}

/* ---- one after the other ---- */

static void measure_latency(struct plan *plan, unsigned first, unsigned count)
{
    for (size_t i = 0; i < plan->count; i++) {
        open_operation(&plan->operation[i]);
        printf("%s%c", plan->operation[i].word[1], i + 1 < plan->count ? '\t' : '\n');
    }
    /* The first two warm up connections, caches and remembered matches. */
    for (unsigned number = 0; number < count + 2; number++)
        for (size_t i = 0; i < plan->count; i++) {
            int64_t spent = time_operation(&plan->operation[i], first + number);

            if (number >= 2)
                printf("%lld%c", (long long)spent, i + 1 < plan->count ? '\t' : '\n');
        }
}

/* ---- many at once ---- */

/* Shared by the clients: each reports that it is ready and waits for the common start. */
struct meeting {
    _Atomic unsigned ready;
    _Atomic int64_t begin_us; /* 0: not yet */
    _Atomic int64_t end_us;
    _Atomic uint64_t calls;
    _Atomic int64_t cpu_us;
};

static void be_a_client(struct operation *operation, struct meeting *meeting, unsigned first,
                        unsigned count)
{
    uint64_t calls = 0;
    int64_t cpu;

    open_operation(operation);
    time_operation(operation, first); /* connects */
    meeting->ready++;
    while (meeting->begin_us == 0)
        usleep(100);
    cpu = cpu_us();
    do
        time_operation(operation, first + 1 + (unsigned)(calls++ % (count - 1)));
    while (now_us() < meeting->end_us);
    meeting->cpu_us += cpu_us() - cpu;
    meeting->calls += calls;
    exit(0);
}

static void begin(struct meeting *meeting, unsigned clients, int64_t duration_us)
{
    while (meeting->ready < clients) {
        int status;

        if (waitpid(-1, &status, WNOHANG) > 0)
            fail("a client ended before it began");
        usleep(100);
    }
    meeting->end_us = now_us() + duration_us;
    meeting->begin_us = now_us();
}

static void measure_rate(struct operation *operation, unsigned first, unsigned count,
                         unsigned clients, int64_t duration_us)
{
    struct meeting *meeting =
        mmap(NULL, sizeof *meeting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int64_t spent;

    if (meeting == MAP_FAILED)
        fail("out of memory");
    fflush(stdout);
    for (unsigned i = 0; i < clients; i++) {
        pid_t child = fork();

        if (child < 0)
            fail("fork: %s", strerror(errno));
        if (child == 0)
            be_a_client(operation, meeting, first + i * (count / clients), count / clients);
    }
    begin(meeting, clients, duration_us);
    for (unsigned i = 0; i < clients; i++) {
        int status;

        if (waitpid(-1, &status, 0) < 0 || status != 0)
            fail("a client failed");
    }
    spent = now_us() - meeting->begin_us;
    printf("%s\t%llu\t%lld\t%lld\n", operation->word[1], (unsigned long long)meeting->calls,
           (long long)(spent / 1000), (long long)(meeting->cpu_us / 1000));
    munmap(meeting, sizeof *meeting);
}

int main(int argc, char **argv)
{
    bool is_rate = argc == 6 && strcmp(argv[1], "rate") == 0;
    bool is_turns = argc == 6 && strcmp(argv[1], "turns") == 0;
    unsigned first, count, clients, last;
    struct plan plan;

    if (!is_rate && !is_turns && (argc != 4 || strcmp(argv[1], "latency") != 0))
        fail("usage: bench latency FIRST COUNT | bench rate FIRST COUNT CLIENTS MS | "
             "bench turns FIRST COUNT CLIENTS ROUNDS");
    if (sodium_init() < 0)
        fail("no random numbers");
    first = (unsigned)strtoul(argv[2], NULL, 10);
    count = (unsigned)strtoul(argv[3], NULL, 10);
    plan = read_plan();
    if (!is_rate && !is_turns) {
        measure_latency(&plan, first, count);
        return 0;
    }
    clients = (unsigned)strtoul(argv[4], NULL, 10);
    if (clients == 0 || clients > CLIENTS_MAX || count / clients < 2)
        fail("from 1 to %d clients, and two users for each", CLIENTS_MAX);
    last = (unsigned)strtoul(argv[5], NULL, 10);
    if (is_turns && (last == 0 || last > ROUNDS_MAX))
        fail("from 1 to %d rounds", ROUNDS_MAX);
    for (size_t i = 0; i < plan.count; i++)
        if (is_turns)
            measure_turns(&plan.operation[i], &(struct turns){first, count, clients, last});
        else
            measure_rate(&plan.operation[i], first, count, clients, (int64_t)last * 1000);
    return 0;
}
