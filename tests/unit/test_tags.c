/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of tags; test_remember has threads, fork() and a full table. */
#include "clock.h"
#include "name.h"
#include "tags.h"
#include "unit.h"
#include <sodium.h>
#include <sys/syscall.h>
#include <time.h>

static time_t seconds_ahead;

/* In place of the C library's: an hour passes at once. */
int clock_gettime(clockid_t clock, struct timespec *time_r)
{
    int status = (int)syscall(SYS_clock_gettime, clock, time_r);

    if (status == 0)
        time_r->tv_sec += seconds_ahead;
    return status;
}

static const struct tags_case {
    const char *name;
    const char *asked[4];
    time_t seconds_later;
    bool is_found;
} tags_cases[] = {
    {"what was added is found", {"uid=sam", "sam"}, 0, true},
    {"a name is found a minute before the hour is over", {"uid=sam", "sam"}, 3540, true},
    {"a name is not found when the hour is over", {"uid=sam", "sam"}, 3600, false},
    {"another name is not found", {"uid=sam", "Sam"}, 0, false},
    {"another entry's name is not found", {"uid=tim", "sam"}, 0, false},
    {"parts that are cut elsewhere are not found", {"uid=sams", "am"}, 0, false},
    {"parts in another order are not found", {"sam", "uid=sam"}, 0, false},
    {"a part less is not found", {"uid=sam"}, 0, false},
    {"a part more is not found", {"uid=sam", "sam", ""}, 0, false},
};

static void test_tags(void **state)
{
    const struct tags_case *row = *state;
    struct apw_error error;
    struct apw_tags *tags;

    seconds_ahead = 0;
    assert_int_equal(apw_tags_new(APW_NAME_S, 10, &tags, &error), 0);
    assert_false(apw_tags_have(tags, row->asked));
    apw_tags_add(tags, (const char *const[]){"uid=sam", "sam", NULL});
    seconds_ahead = row->seconds_later;
    assert_int_equal(apw_tags_have(tags, row->asked), row->is_found);
    apw_tags_free(&tags);
    assert_null(tags);
    apw_tags_free(&tags);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(tags_cases, test_tags);
    return unit_run();
}
