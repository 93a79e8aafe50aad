/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uuid: random UUIDs (RFC 9562, 5.4). sodium_init() must have succeeded.
 */
#ifndef APW_UUID_H
#define APW_UUID_H

#define APW_UUID_SIZE 37

void apw_uuid_make(char uuid_r[APW_UUID_SIZE]);

#endif
