/* SPDX-License-Identifier: BSD-2-Clause */
#include "kick.h"
#include "network.h"
#include "program.h"
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Forgets the users of more than a minute ago. */
static void advance(struct apw_kick_limit *limit, int64_t now_ms)
{
    int64_t second = now_ms / 1000;

    if (second - limit->second >= APW_KICK_MINUTE_S)
        limit->second = second - APW_KICK_MINUTE_S;
    while (limit->second < second)
        limit->kicked[++limit->second % APW_KICK_MINUTE_S] = 0;
}

bool apw_kick_is_allowed(struct apw_kick_limit *limit, size_t count, int64_t now_ms)
{
    size_t sum = count;

    advance(limit, now_ms);
    for (size_t i = 0; i < APW_KICK_MINUTE_S; i++)
        sum += limit->kicked[i];
    if (count > 0 && sum > limit->max)
        limit->is_held = true;
    return limit->is_released || !limit->is_held;
}

void apw_kick_note(struct apw_kick_limit *limit, int64_t now_ms)
{
    advance(limit, now_ms);
    limit->kicked[limit->second % APW_KICK_MINUTE_S]++;
}

void apw_kick_settle(struct apw_kick_limit *limit)
{
    limit->is_held = false;
    limit->is_released = false;
}

static bool is_plain(const char *name)
{
    struct apw_address address;
    char host[APW_ADDRESS_TEXT_SIZE];

    snprintf(host, sizeof host, "%.*s", (int)strcspn(name, "/"), name);
    return strpbrk(name, "*?") == NULL && apw_network_parse_address(host, &address) != 0;
}

int apw_kick_plan(const struct apw_who_session *session, struct apw_kick_command *command_r,
                  struct apw_error *error)
{
    command_r->is_by_field = session->field != NULL;
    command_r->target = session->field != NULL ? session->field : session->username;
    return is_plain(command_r->target)
               ? 0
               : apw_error_set(error, "doveadm would take this name for a pattern or an address");
}

int apw_kick_run(const char *doveadm, int limit_s, const struct apw_kick_command *command,
                 struct apw_error *error)
{
    const char *const by_field[] = {doveadm, "kick",          "-f", APW_WHO_FIELD,
                                    "--",    command->target, NULL};
    const char *const by_name[] = {doveadm, "kick", "--", command->target, NULL};
    char output[1024];
    int status = apw_program_read_within(command->is_by_field ? by_field : by_name, limit_s, output,
                                         sizeof output);

    if (status == 0 || status == EX_NOUSER || status == EX_NOHOST)
        return 0; /* doveadm says EX_NOHOST if the session has gone meanwhile */
    if (status > 0)
        return apw_error_set(error, "\"%s kick\" failed with status %d", doveadm, status);
    return apw_error_set(error, "\"%s kick\" could not be run, or did not end within %d seconds",
                         doveadm, limit_s);
}
