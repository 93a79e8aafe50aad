/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer: a growing string, wiped when it grows and when it is freed, because a page may hold
 * secrets.
 */
#ifndef APW_BUFFER_H
#define APW_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zeroes: empty. */
struct apw_buffer {
    char *bytes; /* followed by a NUL; NULL while empty */
    size_t length;
    size_t size;
    bool is_broken; /* out of memory: something is missing */
};

void apw_buffer_add(struct apw_buffer *buffer, const char *bytes, size_t length);
void apw_buffer_add_string(struct apw_buffer *buffer, const char *text);
void apw_buffer_free(struct apw_buffer *buffer); /* wipes */

#endif
