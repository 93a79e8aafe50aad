/* SPDX-License-Identifier: BSD-2-Clause */
#include "label.h"
#include <string.h>

int apw_label_read(const char *typed, char label_r[APW_LABEL_SIZE])
{
    size_t length;

    typed += strspn(typed, " ");
    length = strlen(typed);
    while (length > 0 && typed[length - 1] == ' ')
        length--;
    if (apw_record_check_label(typed, length, NULL) != 0)
        return -1;
    memcpy(label_r, typed, length);
    label_r[length] = '\0';
    return 0;
}
