/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * use: one value of appPasswordUsed <-> struct: the last use of an app password. Pure.
 *
 *   id=k7q2 at=20261123070000Z service=imap from=192.0.2.17
 *
 * service and from may be missing.
 */
#ifndef APW_USE_H
#define APW_USE_H

#include "network.h"
#include "password.h"
#include "service.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_USE_SIZE 160

struct apw_use {
    char id[APW_ID_LENGTH + 1];
    int64_t at; /* seconds since 1970 */
    char service[APW_SERVICE_SIZE];
    char from[APW_ADDRESS_TEXT_SIZE];
};

int apw_use_parse(const char *value, size_t length, struct apw_use *use_r);

/* Fails unless apw_use_parse() would read the same struct back. */
int apw_use_format(const struct apw_use *use, char value_r[APW_USE_SIZE]);

/* Whether a use at `now` replaces `recorded`: once it is `period_s` seconds old. One from the
 * future is never replaced. */
bool apw_use_is_due(const struct apw_use *recorded, int64_t now, int64_t period_s);

#endif
