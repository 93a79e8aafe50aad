/* SPDX-License-Identifier: BSD-2-Clause */
#include "terminal_qr.h"

#ifdef APW_HAVE_QRENCODE
#include <qrencode.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>

#define QUIET_ZONE 2 /* ISO/IEC 18004 wants 4; phones are content with less on a screen */

static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && x < code->width && y >= 0 && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

/* Black on white whatever the terminal's colors are, two rows of the code in one line. */
static void print_line(const QRcode *code, int y)
{
    fputs("\033[30;107m", stderr);
    for (int x = -QUIET_ZONE; x < code->width + QUIET_ZONE; x++) {
        bool upper = is_dark(code, x, y), lower = is_dark(code, x, y + 1);

        fputs(upper && lower ? "\u2588" : upper ? "\u2580" : lower ? "\u2584" : " ", stderr);
    }
    fputs("\033[0m\n", stderr);
}

void apw_terminal_qr_print(const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

    if (code == NULL)
        return;
    for (int y = -QUIET_ZONE; y < code->width + QUIET_ZONE; y += 2)
        print_line(code, y);
    sodium_memzero(code->data, (size_t)(code->width * code->width));
    QRcode_free(code);
}
#else
void apw_terminal_qr_print(const char *text)
{
    (void)text;
}
#endif
