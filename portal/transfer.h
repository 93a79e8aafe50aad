/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transfer: an account in the JSON that Thunderbird for Android reads from a QR code
 * (github.com/thunderbird/thunderbird-android, feature/migration/qrcode/qr-code-format.md,
 * version 1). Pure.
 */
#ifndef APW_TRANSFER_H
#define APW_TRANSFER_H

#include "host_port.h"

#define APW_TRANSFER_SIZE 1024 /* phones hardly read a QR code with more */

/* `password` is that of both servers. */
struct apw_transfer {
    const struct apw_host_port *imap, *smtp;
    const char *login, *password;
    const char *address, *name; /* of the sender */
};

/* Secret: wipe it. -1 if the account does not fit into the format, or without memory: there is no
 * QR code then. */
int apw_transfer_write(const struct apw_transfer *transfer, char json_r[APW_TRANSFER_SIZE]);

#endif
