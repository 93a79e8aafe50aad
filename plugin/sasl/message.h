/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message: what the client sends (PLAIN, RFC 4616, 2) and its address. Pure.
 */
#ifndef APW_SASL_MESSAGE_H
#define APW_SASL_MESSAGE_H

#include "verify.h"
#include <stddef.h>

/* The identity that the client asks to act as; need not end in NUL. Length 0: it asks for none. */
struct apw_authzid {
    const char *name;
    size_t length;
};

/* Parses [authzid] NUL authcid NUL passwd: sets the attempt's login and password, and nothing else
 * of it. All parts point into the message. A further NUL is part of the password. -1 if the message
 * has fewer than two NULs. */
int apw_message_parse_plain(const char *bytes, size_t length, struct apw_attempt *attempt,
                            struct apw_authzid *authzid_r);

/* The address in libsasl2's "address;port", without brackets and zone. "" if it is missing or does
 * not fit into `size` bytes. */
void apw_message_parse_address(const char *address_and_port, char *address_r, size_t size);

#endif
