/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"
#include <string.h>

#define DEPTH_MAX 12

static uint64_t state;

void fuzz_seed(unsigned seed)
{
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* SplitMix64. */
unsigned fuzz_pick(unsigned below)
{
    uint64_t number = state += UINT64_C(0x9e3779b97f4a7c15);

    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((number ^ number >> 31) % below);
}

/* ---- an input under construction ---- */

void fuzz_put(struct fuzz_output *output, const void *bytes, size_t length)
{
    if (length > output->size - output->length)
        length = output->size - output->length;
    if (length > 0)
        memcpy(output->bytes + output->length, bytes, length);
    output->length += length;
}

void fuzz_put_byte(struct fuzz_output *output, unsigned byte)
{
    fuzz_put(output, &(const uint8_t){(uint8_t)byte}, 1);
}

void fuzz_put_text(struct fuzz_output *output, const char *text)
{
    fuzz_put(output, text, strlen(text));
}

size_t fuzz_replace(uint8_t *bytes, size_t length, size_t size, size_t at, size_t old,
                    const struct fuzz_output *part)
{
    if (length - old + part->length > size)
        return length;
    memmove(bytes + at + part->length, bytes + at + old, length - at - old);
    memcpy(bytes + at, part->bytes, part->length);
    return length - old + part->length;
}

/* ---- texts by a grammar ---- */

static const char *alternatives_of(const struct fuzz_rule *rules, char name)
{
    while (rules->alternatives != NULL && rules->name != name)
        rules++;
    return rules->alternatives == NULL ? "" : rules->alternatives;
}

static const char *end_of_alternative(const char *at)
{
    for (; *at != '\0' && *at != '|'; at++)
        if (*at == '%' && at[1] != '\0')
            at++;
    return at;
}

static const char *pick_alternative(const char *first)
{
    unsigned count = 1;

    for (const char *end = end_of_alternative(first); *end == '|';
         end = end_of_alternative(end + 1))
        count++;
    for (unsigned skipped = fuzz_pick(count); skipped > 0; skipped--)
        first = end_of_alternative(first) + 1;
    return first;
}

static const char *end_of_option(const char *at)
{
    for (; *at != '\0' && *at != ']'; at++)
        if (*at == '%' && at[1] != '\0')
            at++;
    return at;
}

static void put_rule(struct fuzz_output *output, const struct fuzz_rule *rules, char name,
                     int depth);

/* What follows a '%'. */
static void put_special(struct fuzz_output *output, const struct fuzz_rule *rules, char c,
                        int depth)
{
    if (c == '0') {
        fuzz_put_byte(output, 0);
    } else if (c == '*') {
        for (unsigned i = fuzz_pick(8) + 1; i > 0; i--)
            fuzz_put_byte(output, fuzz_pick(256));
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        put_rule(output, rules, c, depth + 1);
    } else {
        fuzz_put_byte(output, (uint8_t)c);
    }
}

static void put_rule(struct fuzz_output *output, const struct fuzz_rule *rules, char name,
                     int depth)
{
    if (depth > DEPTH_MAX)
        return;
    for (const char *at = pick_alternative(alternatives_of(rules, name)); *at != '\0' && *at != '|';
         at++) {
        if (*at == '%' && at[1] != '\0')
            put_special(output, rules, *++at, depth);
        else if (*at == '[' && fuzz_pick(2) == 0)
            at = end_of_option(at);
        else if (*at != '[' && *at != ']')
            fuzz_put_byte(output, (uint8_t)*at);
    }
}

void fuzz_put_rule(struct fuzz_output *output, const struct fuzz_rule *rules, char name)
{
    put_rule(output, rules, name, 0);
}

/* ---- mutations ---- */

static unsigned count_rules(const struct fuzz_rule *rules)
{
    unsigned count = 0;

    while (rules[count].alternatives != NULL)
        count++;
    return count;
}

/* A word in place of the old one. */
static void write_word(struct fuzz_output *word, const struct fuzz_rule *rules, const uint8_t *old,
                       size_t length)
{
    switch (fuzz_pick(8)) {
    case 0:
        return;
    case 1:
        fuzz_put(word, old, length);
        fuzz_put(word, old, length);
        return;
    case 2:
    case 3:
        fuzz_put(word, old, length);
        word->length = LLVMFuzzerMutate(word->bytes, word->length, word->size);
        return;
    case 4: /* one more */
        fuzz_put(word, old, length);
        break;
    }
    fuzz_put_rule(word, rules, rules[fuzz_pick(count_rules(rules))].name);
}

static bool is_separator(const char *separators, uint8_t byte)
{
    return byte != '\0' && strchr(separators, byte) != NULL;
}

size_t fuzz_mutate_text(const struct fuzz_rule *rules, const char *separators, uint8_t *bytes,
                        size_t length, size_t size)
{
    uint8_t buffer[FUZZ_PART_SIZE];
    struct fuzz_output word = {.bytes = buffer, .size = sizeof buffer};
    size_t start, end;

    if (length == 0 || fuzz_pick(8) == 0) {
        struct fuzz_output whole = {.bytes = bytes, .size = size};

        fuzz_put_rule(&whole, rules, rules[0].name);
        return whole.length;
    }
    if (fuzz_pick(4) == 0)
        return LLVMFuzzerMutate(bytes, length, size);
    start = end = fuzz_pick((unsigned)length);
    while (start > 0 && !is_separator(separators, bytes[start - 1]))
        start--;
    while (end < length && !is_separator(separators, bytes[end]))
        end++;
    write_word(&word, rules, bytes + start, end - start);
    return fuzz_replace(bytes, length, size, start, end - start, &word);
}
