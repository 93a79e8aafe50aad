/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of secrets in all memory of this process. */
#include "memory_search.h"
#include "unit.h"
#include <fcntl.h>
#include <sodium.h>

#define MASK 0x5a

/* The secrets to search for, each byte masked so that the test does not find these. */
static unsigned char masked[2][32];
static size_t masked_length[2];

void memory_search_for(int which, const char *text)
{
    masked_length[which] = strlen(text);
    for (size_t i = 0; i < masked_length[which]; i++)
        masked[which][i] = (unsigned char)text[i] ^ MASK;
}

static bool is_at(const unsigned char *bytes, int which)
{
    for (size_t i = 0; i < masked_length[which]; i++)
        if ((bytes[i] ^ MASK) != masked[which][i])
            return false;
    return true;
}

static size_t count_in(const unsigned char *bytes, size_t length)
{
    size_t count = 0;

    for (int which = 0; which < 2 && masked_length[which] > 0; which++)
        for (size_t i = 0; i + masked_length[which] <= length; i++)
            count += is_at(bytes + i, which);
    return count;
}

static unsigned char bytes[1 << 20]; /* read from memory; itself not searched */

/* How many bytes to read at *at; moves it past `bytes` if it points into them. */
static size_t next_piece(unsigned long *at, unsigned long end)
{
    unsigned long buffer = (uintptr_t)bytes;

    if (*at >= buffer && *at < buffer + sizeof bytes)
        *at = buffer + sizeof bytes;
    if (*at >= end)
        return 0;
    if (*at < buffer && buffer < end)
        end = buffer;
    return end - *at < sizeof bytes ? end - *at : sizeof bytes;
}

size_t memory_search_count(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    unsigned long start, end;
    char line[512], rights[5];
    size_t count = 0;

    assert_true(maps != NULL && memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 || rights[0] != 'r')
            continue;
        for (size_t wanted; (wanted = next_piece(&start, end)) > 0;) {
            ssize_t got = pread(memory, bytes, wanted, (off_t)start);

            if (got > 0)
                count += count_in(bytes, (size_t)got);
            start += wanted < sizeof bytes ? wanted : wanted - sizeof masked[0]; /* one in two */
        }
    }
    sodium_memzero(bytes, sizeof bytes);
    close(memory);
    fclose(maps);
    return count;
}
