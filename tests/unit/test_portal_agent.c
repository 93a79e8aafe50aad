/* SPDX-License-Identifier: BSD-2-Clause */
/* What browsers call themselves, and what we call them. */
#include "agent.h"
#include "unit.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

static const struct agent_case {
    const char *name;
    const char *header;
} agents[] = {
    {"Firefox – Windows",
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"},
    {"Chrome – Linux", "Mozilla/5.0 (X11; Linux x86_64) " WEBKIT "Chrome/140.0.0.0 Safari/537.36"},
    {"Edge – Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT
                       "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"},
    {"Safari – Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, "
                     "like Gecko) Version/18.0 Safari/605.1.15"},
    {"Safari – iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) "
                        "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 "
                        "Safari/604.1"},
    {"Chrome – Android",
     "Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/140.0.0.0 Mobile Safari/537.36"},
    {"Linux", "something (Linux)"},
    {"Chrome", "Chrome/1"},
    {"?", "curl/8"},
    {"?", ""},
    {"Safari", "\"<b>\" Safari/ \x01\xff"},
};

static void test_agent(void **state)
{
    const struct agent_case *row = *state;
    char name[APW_AGENT_NAME_SIZE];

    apw_agent_name(row->header, name);
    assert_string_equal(name, row->name);
}

int main(void)
{
    UNIT_ROWS(agents, test_agent);
    return unit_run();
}
