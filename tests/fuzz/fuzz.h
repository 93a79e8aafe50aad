/*
 * fuzz: what the fuzz targets share. Each is one function that libFuzzer calls with bytes of its
 * own making; it aborts where a promise of the header under test does not hold.
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
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* libldap 2.5 forgets memory: a request (4 KiB) or a message whose answer it cannot decode, and
 * what it had read of a broken schema definition. What it allocated, always by liblber, is
 * therefore not looked at. */
#define FUZZ_FORGIVE_LIBLDAP                                                                       \
    const char *__lsan_default_suppressions(void);                                                 \
    const char *__lsan_default_suppressions(void)                                                  \
    {                                                                                              \
        return "leak:ber_mem\nleak:ber_strdup\n";                                                  \
    }

/* A copy that ends in NUL, on a heap block of exactly that size. The caller frees it. */
static inline char *fuzz_text(const uint8_t *bytes, size_t length)
{
    char *text = malloc(length + 1);

    if (text == NULL)
        abort();
    memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

/* Whether nothing of it would end a log line, move the cursor or not be ASCII's or UTF-8's. */
static inline int fuzz_is_one_line(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return 0;
    return 1;
}

#endif
