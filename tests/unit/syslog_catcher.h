/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syslog_catcher: keeps the program's syslog lines in memory. The test program is linked with
 * --wrap=syslog and --wrap=__syslog_chk.
 */
#ifndef APW_UNIT_SYSLOG_CATCHER_H
#define APW_UNIT_SYSLOG_CATCHER_H

#include <stddef.h>

struct caught {
    int count;
    int priority;     /* of the last line */
    char text[16384]; /* each line followed by a bar */
};
extern struct caught caught;

#endif
