/* SPDX-License-Identifier: BSD-2-Clause */
#include "turns.h"
#include "counted_hashes.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct round {
    _Atomic unsigned next; /* user, from 0 */
    _Atomic int64_t cpu_us;
    _Atomic int hashes;
    int64_t begin_us;
    int64_t end_us;
    int *spent_us; /* for each user */
};

/* Shared by the clients. */
struct table {
    pthread_barrier_t barrier;
    struct round round[];
};

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        fail("out of memory");
    return memory;
}

static struct table *new_table(const struct turns *turns)
{
    struct table *table = map(sizeof *table + turns->rounds * sizeof table->round[0]);
    pthread_barrierattr_t attributes;

    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&table->barrier, &attributes, turns->clients);
    for (unsigned i = 0; i < turns->rounds; i++)
        table->round[i].spent_us = map(turns->count * sizeof(int));
    return table;
}

static void be_a_client(struct operation *operation, const struct turns *turns, struct table *table)
{
    open_operation(operation);
    for (unsigned i = 0; i < turns->rounds; i++) {
        struct round *round = &table->round[i];
        int64_t cpu;
        int before;

        if (pthread_barrier_wait(&table->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            round->begin_us = now_us();
        cpu = cpu_us();
        before = hashes;
        for (unsigned user; (user = round->next++) < turns->count;)
            round->spent_us[user] = (int)time_operation(operation, turns->first + user);
        round->cpu_us += cpu_us() - cpu;
        round->hashes += hashes - before;
        if (pthread_barrier_wait(&table->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            round->end_us = now_us();
    }
    exit(0);
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void print_round(const char *name, unsigned number, const struct round *round,
                        unsigned count)
{
    int64_t total_us = 0;

    for (unsigned i = 0; i < count; i++)
        total_us += round->spent_us[i];
    qsort(round->spent_us, count, sizeof(int), compare);
    printf("%s\t%u\t%d\t%lld\t%lld\t%lld\t%d\n", name, number, round->spent_us[count / 2],
           (long long)total_us, (long long)round->cpu_us,
           (long long)(round->end_us - round->begin_us), round->hashes);
}

void measure_turns(struct operation *operation, const struct turns *turns)
{
    struct table *table = new_table(turns);

    fflush(stdout);
    for (unsigned i = 0; i < turns->clients; i++) {
        pid_t child = fork();

        if (child < 0)
            fail("fork: %s", strerror(errno));
        if (child == 0)
            be_a_client(operation, turns, table);
    }
    for (unsigned i = 0; i < turns->clients; i++) {
        int status;

        if (waitpid(-1, &status, 0) < 0 || status != 0)
            fail("a client failed");
    }
    for (unsigned i = 0; i < turns->rounds; i++)
        print_round(operation->word[1], i + 1, &table->round[i], turns->count);
}
