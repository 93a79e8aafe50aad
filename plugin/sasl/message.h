/*
 * message: the client's PLAIN message (RFC 4616, 2). Pure.
 */
#ifndef APW_SASL_MESSAGE_H
#define APW_SASL_MESSAGE_H

#include <stddef.h>

/* [authzid] NUL authcid NUL passwd; all parts point into the message and do not end in NUL. */
struct apw_plain_message {
    const char *authzid;
    size_t authzid_length;
    const char *authcid;
    size_t authcid_length;
    const char *password; /* to the end of the message: a further NUL is part of it */
    size_t password_length;
};

/* -1 where there are fewer than two NULs. */
int apw_plain_message_parse(const char *bytes, size_t length, struct apw_plain_message *message_r);

/* The address of libsasl2's "address;port", without brackets and zone; "" where there is none or it
 * does not fit. */
void apw_remote_address(const char *address_and_port, char *address_r, size_t size);

#endif
