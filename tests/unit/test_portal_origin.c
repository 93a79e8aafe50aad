/* SPDX-License-Identifier: BSD-2-Clause */
/* The origin and the host of public_url, as browsers write them. */
#include "origin.h"
#include "unit.h"

static const struct origin_case {
    const char *name;
    const char *url, *site;
    const char *text, *host;
} origins[] = {
    {"a host alone", "https://mail.example.org", "mail.example.org", "https://mail.example.org",
     "mail.example.org"},
    {"a host with a path", "https://mail.example.org/app-passwords", "mail.example.org",
     "https://mail.example.org", "mail.example.org"},
    {"a host with a port", "https://mail.example.org:8443/app-passwords", "mail.example.org",
     "https://mail.example.org:8443", "mail.example.org"},
    {"the port of https is left out", "https://mail.example.org:443/x", "mail.example.org",
     "https://mail.example.org", "mail.example.org"},
    {"a port that ends like that stays", "https://mail.example.org:8443", "mail.example.org",
     "https://mail.example.org:8443", "mail.example.org"},
    {"the port of http is left out", "http://localhost:80", "localhost", "http://localhost",
     "localhost"},
    {"80 is a port like others for https", "https://mail.example.org:80", "mail.example.org",
     "https://mail.example.org:80", "mail.example.org"},
    {"capitals become small", "https://Mail.Example.ORG/App", "Mail.Example.ORG",
     "https://mail.example.org", "mail.example.org"},
    {"an address has no passkeys", "http://127.0.0.1:8025", "127.0.0.1", "http://127.0.0.1:8025",
     NULL},
    {"nor has one of IPv6", "http://[::1]:8025/x", "::1", "http://[::1]:8025", NULL},
};

static void test_origin(void **state)
{
    const struct origin_case *row = *state;
    struct apw_origin origin;

    assert_int_equal(apw_origin_read(row->url, row->site, &origin, NULL), 0);
    assert_string_equal(origin.text, row->text);
    assert_int_equal(origin.host == NULL, row->host == NULL);
    if (row->host != NULL)
        assert_string_equal(origin.host, row->host);
    apw_origin_free(&origin);
    assert_null(origin.text);
}

int main(void)
{
    UNIT_ROWS(origins, test_origin);
    return unit_run();
}
