/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: one value of appPassword <-> struct. Pure.
 *
 *   id=k7q2 created=20261122101500Z expires=20270522000000Z services=smtp,imap from=192.0.2.0/24
 *   hash={ARGON2}$argon2id$v=19$m=8192,t=1,p=1$…$… label=Outlook on the laptop
 *
 * Keys in this order, one space between, label last to the end of the value. id, created, hash and
 * label are required; a missing key is no restriction. Any other value is unusable: never accepted.
 */
#ifndef APW_RECORD_H
#define APW_RECORD_H

#include "error.h"
#include "field.h"
#include "network.h"
#include "password.h"
#include "service.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_LABEL_CHARACTERS_MAX 64
#define APW_LABEL_SIZE           (APW_LABEL_CHARACTERS_MAX * 4 + 1)
#define APW_SERVICES_SIZE        256
#define APW_HASH_TEXT_SIZE       129 /* crypto_pwhash_STRBYTES and NUL */
#define APW_RECORD_SIZE          4096

struct apw_record {
    char id[APW_ID_LENGTH + 1];
    int64_t created;
    bool has_expires;
    int64_t expires;                  /* valid while now < expires */
    char services[APW_SERVICES_SIZE]; /* as stored, "" for all */
    struct apw_networks from;         /* count 0 for everywhere */
    char from_text[APW_RECORD_SIZE];  /* as stored, "" for everywhere */
    char hash[APW_HASH_TEXT_SIZE];    /* the PHC string, without {ARGON2} */
    char label[APW_LABEL_SIZE];       /* UTF-8 */
};

/* Reads only the id, because the rest may be unusable. Fails unless the value begins with "id=",
 * four symbols and a space. */
int apw_record_parse_id(const char *value, size_t length, char id_r[APW_ID_LENGTH + 1]);

/* Reads a whole value; -1 if it is unusable. apw_hash_check() checks the hash. `value` need not end
 * in NUL. */
int apw_record_parse(const char *value, size_t length, struct apw_record *record_r,
                     struct apw_error *error);

/* Writes a value. Fails unless apw_record_parse() would read the same struct back. */
int apw_record_format(const struct apw_record *record, char value_r[APW_RECORD_SIZE],
                      struct apw_error *error);

/* Parts of a value, for others that promise an app password: " expires=… services=… from=…", each
 * of which may be missing, and "label=…" at the end. The parsers take them from the front of *rest.
 */
int apw_record_format_limits(const struct apw_record *record, char limits_r[APW_RECORD_SIZE],
                             struct apw_error *error);
int apw_record_parse_limits(struct apw_field *rest, struct apw_record *record,
                            struct apw_error *error);
int apw_record_parse_label(struct apw_field *rest, struct apw_record *record,
                           struct apw_error *error);

/* Fails unless the label has 1 to 64 characters of UTF-8, no space at either end and no control
 * characters. */
int apw_record_check_label(const char *label, size_t length, struct apw_error *error);

#endif
