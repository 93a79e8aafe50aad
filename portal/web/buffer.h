/*
 * buffer: bytes that grow, and are wiped before they are given back: a page may hold an app
 * password.
 */
#ifndef APW_BUFFER_H
#define APW_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory is an empty one. */
struct apw_buffer {
    char *bytes; /* a NUL follows that does not count; NULL while empty */
    size_t length;
    size_t size;
    bool is_broken; /* memory was short: what it holds is not all of it */
};

void apw_buffer_add(struct apw_buffer *buffer, const char *bytes, size_t length);
void apw_buffer_add_string(struct apw_buffer *buffer, const char *text);
void apw_buffer_free(struct apw_buffer *buffer); /* wipes */

#endif
