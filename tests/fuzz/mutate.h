/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate: for targets whose input has a structure. libFuzzer's own mutations rarely get a length,
 * a date or a checksum right; these write whole parts of an input, and change one at a time.
 *
 * A target defines LLVMFuzzerCustomMutator(), which begins with fuzz_seed().
 */
#ifndef APW_FUZZ_MUTATE_H
#define APW_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls the first; the second is libFuzzer's. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t size);

#define FUZZ_PART_SIZE 4096

/* An input under construction; drops what does not fit. */
struct fuzz_output {
    uint8_t *bytes; /* borrowed */
    size_t length, size;
};

void fuzz_put(struct fuzz_output *output, const void *bytes, size_t length);
void fuzz_put_byte(struct fuzz_output *output, unsigned byte);
void fuzz_put_text(struct fuzz_output *output, const char *text);

/* The same seed makes the same choices. */
void fuzz_seed(unsigned seed);
unsigned fuzz_pick(unsigned below); /* 0 to below - 1 */

/* One rule of a grammar; a table of them ends with a rule without alternatives. The alternatives
 * are separated by '|'. In them, "%x" stands for the rule x, "[…]" for itself or nothing, "%0" for
 * a NUL, "%*" for some random bytes, and '%' before any other character for that character. */
struct fuzz_rule {
    char name;
    const char *alternatives;
};

/* Appends a random text that the rule allows. */
void fuzz_put_rule(struct fuzz_output *output, const struct fuzz_rule *rules, char name);

/* Mutates a text: writes another one by the first rule, or replaces, repeats, removes or mutates
 * one word. Words end at any of the separators. Returns the new length. */
size_t fuzz_mutate_text(const struct fuzz_rule *rules, const char *separators, uint8_t *bytes,
                        size_t length, size_t size);

/* Replaces `old` bytes at `at` by the part. Returns the new length; unchanged if it does not fit.
 */
size_t fuzz_replace(uint8_t *bytes, size_t length, size_t size, size_t at, size_t old,
                    const struct fuzz_output *part);

#endif
