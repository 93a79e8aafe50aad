/* SPDX-License-Identifier: BSD-2-Clause */
#include "page_program.h"
#include "say.h"
#include "settings.h"
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Words for messages. */
struct words {
    const char *command, *reason;
};

static const char *owner_of(const char *path)
{
    struct stat status;
    const struct passwd *owner = stat(path, &status) == 0 ? getpwuid(status.st_uid) : NULL;

    return owner == NULL ? "somebody else" : owner->pw_name;
}

/* Says whose the file is if it may not be read. If something else is wrong, the page's program says
 * what. */
static enum apw_status check_right(const struct words *words, const char *path)
{
    if (access(path, R_OK) == 0 || errno != EACCES)
        return APW_STATUS_DONE;
    apw_say(words->command,
            "%s: %s; it belongs to %s, and %s needs the settings and the key of the page: run "
            "this command as root there",
            path, strerror(EACCES), owner_of(path), words->reason);
    return APW_STATUS_NOT_PERMITTED;
}

enum apw_status apw_page_program_check(const char *config_path, const char *command,
                                       const char *reason)
{
    const struct words words = {command, reason};
    struct apw_error error = {""};
    char path[PATH_MAX], *key;
    enum apw_status status;

    if (apw_settings_sibling(config_path, "portal.conf", path, sizeof path, &error) != 0) {
        apw_say(command, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        apw_say(command, "%s: %s; %s works on the host of the self-service page alone", path,
                strerror(ENOENT), reason);
        return APW_STATUS_CONFIGURATION;
    }
    status = check_right(&words, path);
    key = status == APW_STATUS_DONE ? apw_settings_find(path, "key_file") : NULL;
    if (key != NULL)
        status = check_right(&words, key);
    free(key);
    return status;
}

enum apw_status apw_page_program_status(int status)
{
    switch (status) {
    case APW_STATUS_DONE:
    case APW_STATUS_FAILED:
    case APW_STATUS_USAGE:
    case APW_STATUS_UNAVAILABLE:
    case APW_STATUS_NOT_PERMITTED:
    case APW_STATUS_CONFIGURATION:
        return (enum apw_status)status;
    default:
        return APW_STATUS_UNAVAILABLE;
    }
}
