/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_line: reads the line that lib/event writes for a login, from whatever log it got into. Pure.
 */
#ifndef APW_LOG_LINE_H
#define APW_LOG_LINE_H

#include "login.h"
#include "network.h"
#include "service.h"
#include <stdbool.h>

#define APW_LOG_LINE_TIME_SIZE 40

struct apw_log_line {
    char time[APW_LOG_LINE_TIME_SIZE]; /* as the log writes it; "" if there is none */
    char name[APW_LOGIN_SIZE];         /* the accepted name, or else what was typed */
    char service[APW_SERVICE_SIZE];
    char client[APW_ADDRESS_TEXT_SIZE];
    bool would_refuse;
};

/* False if the text is not the whole line of an accepted login: other lines may hold anything,
 * such as what a client sent. */
bool apw_log_line_read(const char *text, struct apw_log_line *line_r);

#endif
