/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qr: QR codes as SVG paths, made by libqrencode.
 */
#ifndef APW_QR_H
#define APW_QR_H

#include "web/buffer.h"

/* Appends the path for a square of *size_r units, including the quiet zone of four (ISO/IEC 18004).
 * The text and the path are secret. -1 if the text is too long, or without memory. */
int apw_qr_path(const char *text, struct apw_buffer *path, int *size_r);

#endif
