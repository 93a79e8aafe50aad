/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent: a browser's name for its owner, out of its User-Agent header. Pure.
 */
#ifndef APW_AGENT_H
#define APW_AGENT_H

#define APW_AGENT_NAME_SIZE 32

/* "Firefox – Windows"; only the part that is known, and "?" if nothing is. */
void apw_agent_name(const char *header, char name_r[APW_AGENT_NAME_SIZE]);

/* The device or system that it says it runs on: "iPhone", "iPad", "Mac", "Android", …; "" if that
 * is unknown. */
const char *apw_agent_system(const char *header);

#endif
