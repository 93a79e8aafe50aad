/*
 * qr: a QR code as the data of an SVG path, by libqrencode.
 */
#ifndef APW_QR_H
#define APW_QR_H

#include "web/buffer.h"

/* Appends the path, for a square of *size_r units with its quiet zone of four (ISO/IEC 18004). The
 * text is secret, and so is the path. -1 where it cannot be made. */
int apw_qr_path(const char *text, struct apw_buffer *path, int *size_r);

#endif
