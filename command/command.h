/*
 * command: app-password, for administrators and help desks.
 *
 * main.c reads what stands before COMMAND and hands the rest to one file per command. Standard
 * output carries what was asked for and nothing else; all other words go to standard error.
 */
#ifndef APW_COMMAND_H
#define APW_COMMAND_H

#include "config.h"
#include "directory.h"
#include "error.h"
#include "user.h"
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses; the larger ones are those of sysexits(3). */
enum apw_status {
    APW_STATUS_DONE = 0,
    APW_STATUS_FAILED = 1, /* refused, not found, some of many failed */
    APW_STATUS_USAGE = 64,
    APW_STATUS_UNAVAILABLE = 75,
    APW_STATUS_NOT_PERMITTED = 77,
    APW_STATUS_CONFIGURATION = 78,
};

/* The options before COMMAND, as typed; NULL where not given. */
struct apw_invocation {
    const char *config_path; /* never NULL */
    const char *uris;        /* -H */
    const char *binddn;      /* -D */
    const char *secret_path; /* -y */
    bool is_prompting;       /* -W */
    const char *mechanism;   /* -Y */
};

/* One command. argv[0] is its name, as with main(). */
typedef enum apw_status (*apw_command)(const struct apw_invocation *invocation, int argc,
                                       char **argv);

enum apw_status apw_command_mfa(const struct apw_invocation *invocation, int argc, char **argv);
enum apw_status apw_command_create(const struct apw_invocation *invocation, int argc, char **argv);
enum apw_status apw_command_list(const struct apw_invocation *invocation, int argc, char **argv);
enum apw_status apw_command_revoke(const struct apw_invocation *invocation, int argc, char **argv);
enum apw_status apw_command_doctor(const struct apw_invocation *invocation, int argc, char **argv);
enum apw_status apw_command_report(const struct apw_invocation *invocation, int argc, char **argv);
enum apw_status apw_command_check(const struct apw_invocation *invocation, int argc, char **argv);

/* session.c: the configuration, and the directory as whoever manages. */
struct apw_session {
    struct apw_config *config;
    struct apw_identity identity; /* as whom */
    struct apw_directory *directory;
    struct apw_manager manager; /* borrows configuration and directory */
};

/* Whether options or admin.conf name somebody to manage as. */
bool apw_session_is_managed(const struct apw_invocation *invocation);

/* Reads the files, asks for the password where -W says so; touches no network. Unless
 * APW_STATUS_DONE it has said why, and there is nothing to close. */
enum apw_status apw_session_open(const struct apw_invocation *invocation,
                                 struct apw_session *session_r);
void apw_session_close(struct apw_session *session);

/* A directory for `config`, as `identity`, at `uris`. */
int apw_session_connect(const struct apw_config *config, const struct apw_uris *uris,
                        const struct apw_identity *identity, struct apw_directory **directory_r,
                        struct apw_error *error);

/* prompt.c: passwords come from a terminal, or from a file or pipe. */

/* Asks on /dev/tty, without echo. The line, without its end, goes to buffer_r (no NUL behind it);
 * what does not fit is cut off, so ask with room for more than is allowed. Secret: wipe it. */
int apw_prompt_terminal(const char *question, char *buffer_r, size_t size, size_t *length_r,
                        struct apw_error *error);

/* Reads one line of standard input in the same way; from a terminal it is asked for. */
int apw_prompt_input(const char *question, char *buffer_r, size_t size, size_t *length_r,
                     struct apw_error *error);

/* date.c: dates as people write them, UTC. */

#define APW_RFC3339_SIZE 21 /* "2027-01-31T00:00:00Z" and NUL */
#define APW_MINUTE_SIZE  17 /* "2027-01-31 00:00" and NUL */
/* "?" for years outside 0 to 9999. */
void apw_date_format_rfc3339(int64_t seconds, char text_r[APW_RFC3339_SIZE]);
void apw_date_format_minute(int64_t seconds, char text_r[APW_MINUTE_SIZE]);

/* --expires: "90d" (also h, m, s) from now, "2027-01-31" to the end of that day, "never" (then
 * *is_never_r). Must lie in the future. */
int apw_date_parse_expires(const char *text, int64_t now, bool *is_never_r, int64_t *seconds_r,
                           struct apw_error *error);

/* --enforce-from: "2027-01-31", from the start of that day, or "2027-01-31T08:00:00Z". */
int apw_date_parse_enforce_from(const char *text, int64_t now, int64_t *seconds_r,
                                struct apw_error *error);

/* say.c: words for people, and what a failure is as an exit status. */

/* Control characters, changes of direction and what is not UTF-8 become question marks, so that
 * what the directory holds cannot play with a terminal. Returns `text`. */
char *apw_say_printable(char *text);

/* Writes "app-password: about: …" to standard error; `about` may be NULL. Control characters come
 * out as question marks. */
void apw_say(const char *about, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes "app-password: …" and a pointer to --help; returns APW_STATUS_USAGE. */
enum apw_status apw_say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The exit status of a result; no `default` there, so that none is forgotten. */
enum apw_status apw_status_of(enum apw_manage_result result);

/* Of several users or ids: how many went wrong, and whether all in the same way. */
struct apw_tally {
    unsigned count;
    unsigned failed;
    enum apw_status status; /* of the first that failed */
    bool is_mixed;          /* they failed in different ways */
};
void apw_tally_add(struct apw_tally *tally, enum apw_status status);
/* DONE if none failed; their status if all failed alike; else FAILED. */
enum apw_status apw_tally_status(const struct apw_tally *tally);

/* Standard output: -1, and said so, where it could not be written. */
int apw_output_finish(void);

/* option.c: getopt_long(3) with errors of our own. */

#define APW_OPTION_END     (-1)
#define APW_OPTION_BAD     '?' /* said why: exit with APW_STATUS_USAGE */
#define APW_OPTION_HELP    'h'
#define APW_OPTION_COMMAND 256 /* long options of a command count from here */

/* Starts on a new argv. */
void apw_option_begin(void);
/* `shorts` as for getopt_long(3), without its leading ':'. An option that is given twice is
 * APW_OPTION_BAD. */
int apw_option_next(int argc, char **argv, const char *shorts, const struct option *longs);
/* Reads the value of an option that is a period like 180d or 12h; -1, and said so, where it is
 * none. */
int apw_option_period(const char *option, const char *text, int64_t *seconds_r);
/* What to exit with after APW_OPTION_BAD, and after APW_OPTION_HELP, which prints the help. */
enum apw_status apw_option_outcome(int found);

/* help.c */
void apw_help_print(void);

#endif
