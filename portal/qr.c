/* SPDX-License-Identifier: BSD-2-Clause */
#include "qr.h"
#include <qrencode.h>
#include <sodium.h>
#include <stdio.h>

#define QUIET_ZONE 4

static void add_row(struct apw_buffer *path, const unsigned char *row, int width, int y)
{
    char run[64];

    for (int x = 0; x < width; x++) {
        int start = x;

        while (x < width && (row[x] & 1) != 0)
            x++;
        if (x == start)
            continue;
        snprintf(run, sizeof run, "M%d %dh%dv1h-%dz", start + QUIET_ZONE, y + QUIET_ZONE, x - start,
                 x - start);
        apw_buffer_add_string(path, run);
    }
}

int apw_qr_path(const char *text, struct apw_buffer *path, int *size_r)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

    if (code == NULL)
        return -1;
    for (int y = 0; y < code->width; y++)
        add_row(path, code->data + y * code->width, code->width, y);
    *size_r = code->width + 2 * QUIET_ZONE;
    sodium_memzero(code->data, (size_t)(code->width * code->width));
    QRcode_free(code);
    return path->is_broken ? -1 : 0;
}
