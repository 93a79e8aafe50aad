/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of secrets in all memory of this process. Not with sanitizers, which keep freed memory. */
#ifndef APW_MEMORY_SEARCH_H
#define APW_MEMORY_SEARCH_H

#include <stddef.h>

/* Sets the text to search for, at most 32 bytes; `which` is 0, or 1 as well. Keeps no copy that
 * would be found. */
void memory_search_for(int which, const char *text);

/* Counts the copies of these texts in all readable mappings. */
size_t memory_search_count(void);

#endif
