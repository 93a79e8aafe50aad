/* SPDX-License-Identifier: BSD-2-Clause */
/* Several users, one after the other: from arguments and from standard input. */

#include "batch.h"
#include "capture.h"
#include "tally.h"

#define NAMES_MAX 8

struct row {
    const char *name;
    const char *argument[NAMES_MAX];
    const char *input;
    size_t input_length; /* 0: up to its NUL */
    const char *seen;    /* the users in order, each followed by a space */
    enum apw_status status;
    const char *said;
};

static const struct row rows[] = {
    {"one user", {"alice"}, "", 0, "alice ", APW_STATUS_DONE, ""},
    {"two users have a sum",
     {"alice", "bob"},
     "",
     0,
     "alice bob ",
     APW_STATUS_DONE,
     "2 users: 2 done, 0 unchanged, 0 failed"},
    {"a failure among others",
     {"missing", "bob"},
     "",
     0,
     "missing bob ",
     APW_STATUS_FAILED,
     "2 users: 1 done, 0 unchanged, 1 failed"},
    {"all fail alike",
     {"forbidden", "forbidden"},
     "",
     0,
     "forbidden forbidden ",
     APW_STATUS_NOT_PERMITTED,
     "2 users: 0 done, 0 unchanged, 2 failed"},
    {"all fail, each in its own way",
     {"forbidden", "missing"},
     "",
     0,
     "forbidden missing ",
     APW_STATUS_FAILED,
     "2 failed"},
    {"one that is unchanged",
     {"same", "bob"},
     "",
     0,
     "same bob ",
     APW_STATUS_DONE,
     "2 users: 1 done, 1 unchanged, 0 failed"},
    {"a directory that goes away ends it",
     {"alice", "lost", "bob", "carol"},
     "",
     0,
     "alice lost ",
     APW_STATUS_FAILED,
     "stopped: 2 not tried, starting with \"bob\""},
    {"a hyphen stands for standard input",
     {"alice", "-", "bob"},
     "carol\n  dave\t\r\n\n \nerin",
     0,
     "alice carol dave erin bob ",
     APW_STATUS_DONE,
     "5 users"},
    {"a byte-order mark and CR LF are not part of a name",
     {"-"},
     "\xef\xbb\xbf"
     "carol\r\n\xef\xbb\xbf"
     "dave\r\n\xc2\xa0"
     "erin\xe2\x80\x8b\r\n\xef\xbb\xbf\r\n",
     0,
     "carol dave erin ",
     APW_STATUS_DONE,
     "3 users"},
    {"a second hyphen adds nothing", {"-", "-"}, "carol\n", 0, "carol ", APW_STATUS_DONE, ""},
    {"standard input without names", {"-"}, "\n \n", 0, "", APW_STATUS_USAGE, "no names"},
    {"a NUL byte in standard input",
     {"-"},
     "carol\nda\0ve\n",
     12,
     "",
     APW_STATUS_USAGE,
     "line 2 contains a NUL byte"},
};

static enum apw_manage_result act(const struct apw_manager *manager,
                                  const struct apw_target *target, const char *name, void *context)
{
    char *seen = context;

    (void)manager;
    strcat(seen, target->login);
    strcat(seen, " ");
    if (strcmp(name, "missing") == 0)
        return APW_MANAGE_NOT_FOUND;
    if (strcmp(name, "forbidden") == 0)
        return APW_MANAGE_NOT_PERMITTED;
    if (strcmp(name, "lost") == 0)
        return APW_MANAGE_UNAVAILABLE;
    return strcmp(name, "same") == 0 ? APW_MANAGE_UNCHANGED : APW_MANAGE_DONE;
}

static void test_batch(void **state)
{
    const struct row *row = *state;
    const struct apw_manager manager = {.is_dry_run = false};
    struct apw_batch batch = {.name = (char **)row->argument};
    static struct capture capture;
    char path[UNIT_PATH_SIZE], seen[256] = "";
    enum apw_status status;

    while (row->argument[batch.count] != NULL)
        batch.count++;
    unit_write(unit_path("input", path), row->input,
               row->input_length > 0 ? row->input_length : strlen(row->input));
    assert_non_null(freopen(path, "re", stdin));
    capture_start(&capture);
    status = apw_batch_run_each(&manager, &batch, act, seen);
    capture_end(&capture);
    assert_string_equal(seen, row->seen);
    assert_int_equal(status, row->status);
    assert_contains(capture.err, row->said);
    if (*row->said == '\0')
        assert_string_equal(capture.err, "");
}

int main(void)
{
    UNIT_ROWS(rows, test_batch);
    return unit_run();
}
