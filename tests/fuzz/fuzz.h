/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz: shared by the fuzz targets. A target is one function that libFuzzer calls with generated
 * bytes; it aborts if the code breaks a promise of the header under test.
 */
#ifndef APW_FUZZ_H
#define APW_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define FUZZ_MUST(condition)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* libldap 2.5 leaks memory: a request (4 KiB) or message whose answer it cannot decode, and the
 * parsed part of a broken schema definition. Ignores leaks of memory that liblber allocated. */
#define FUZZ_FORGIVE_LIBLDAP                                                                       \
    const char *__lsan_default_suppressions(void);                                                 \
    const char *__lsan_default_suppressions(void)                                                  \
    {                                                                                              \
        return "leak:ber_mem\nleak:ber_strdup\n";                                                  \
    }

/* A NUL-terminated copy in a heap block of exactly that size. The caller frees it. */
static inline char *fuzz_text(const uint8_t *bytes, size_t length)
{
    char *text = malloc(length + 1);

    if (text == NULL)
        abort();
    memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

/* Whether the text has no control characters, which could end a log line or move the cursor. */
static inline int fuzz_is_one_line(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return 0;
    return 1;
}

#endif
