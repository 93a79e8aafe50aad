/*
 * syslog_catcher: what would go to syslog stays in the test program, which is linked with
 * --wrap=syslog and --wrap=__syslog_chk.
 */
#ifndef APW_UNIT_SYSLOG_CATCHER_H
#define APW_UNIT_SYSLOG_CATCHER_H

#include <stddef.h>

struct caught {
    int count;
    int priority;     /* of the last line */
    char text[16384]; /* each line and a bar */
};
extern struct caught caught;

#endif
