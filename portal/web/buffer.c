/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/buffer.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* realloc() would leave the old bytes behind. */
static int grow(struct apw_buffer *buffer, size_t needed)
{
    size_t size = buffer->size > 0 ? buffer->size : 8192;
    char *bytes;

    while (size < needed)
        size *= 2;
    bytes = malloc(size);
    if (bytes == NULL)
        return -1;
    if (buffer->bytes != NULL) {
        memcpy(bytes, buffer->bytes, buffer->length);
        sodium_memzero(buffer->bytes, buffer->length);
        free(buffer->bytes);
    }
    buffer->bytes = bytes;
    buffer->size = size;
    return 0;
}

void apw_buffer_add(struct apw_buffer *buffer, const char *bytes, size_t length)
{
    if (buffer->is_broken)
        return;
    if (buffer->length + length + 1 > buffer->size &&
        grow(buffer, buffer->length + length + 1) != 0) {
        buffer->is_broken = true;
        return;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void apw_buffer_add_string(struct apw_buffer *buffer, const char *text)
{
    apw_buffer_add(buffer, text, strlen(text));
}

void apw_buffer_free(struct apw_buffer *buffer)
{
    if (buffer->bytes != NULL)
        sodium_memzero(buffer->bytes, buffer->length);
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}
