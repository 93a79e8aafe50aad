/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ignorable: invisible characters that pasting adds: Unicode's white space, line ends,
 * default-ignorable and format characters. Pure.
 *
 * The table is generated; `scripts/update-unicode` updates it. A NUL and other control characters
 * are not in it.
 */
#ifndef APW_IGNORABLE_H
#define APW_IGNORABLE_H

#include <stddef.h>

/* Bytes of the first character in UTF-8 if it is ignorable; otherwise 0. The text may hold any
 * bytes. */
size_t apw_ignorable_bytes(const char *text, size_t length);

/* As above, and hyphens and dashes (U+2010 to U+2015, U+2212), which stand between groups. */
size_t apw_ignorable_separator_bytes(const char *text, size_t length);

/* Removes ignorable characters from both ends. */
void apw_ignorable_trim(const char **text, size_t *length);

/* Bytes of a byte-order mark (U+FEFF in UTF-8) at the beginning: 3 or 0. */
size_t apw_ignorable_mark_bytes(const char *text, size_t length);

#endif
