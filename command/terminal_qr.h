/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * terminal_qr: a QR code for the camera of a phone, on standard error.
 */
#ifndef APW_TERMINAL_QR_H
#define APW_TERMINAL_QR_H

/* Prints nothing if the text is too long, or if this program was built without libqrencode. */
void apw_terminal_qr_print(const char *text);

#endif
