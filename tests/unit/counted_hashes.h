/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counted_hashes: counts the calls of crypto_pwhash() in programs that are linked with
 * --wrap=crypto_pwhash.
 */
#ifndef APW_COUNTED_HASHES_H
#define APW_COUNTED_HASHES_H

#include <stdbool.h>

extern int hashes;
extern bool hashes_fail; /* as without memory */

#endif
