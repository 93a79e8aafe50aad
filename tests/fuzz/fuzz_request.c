/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that a client sends to the page: libmicrohttpd splits them into headers and a form, and our
 * code reads those. Requests are answered at once, in this thread. */
#include "web/worker.h"

static bool answer_now(struct apw_workers *workers, struct apw_worker_job *job);
#define apw_worker_give answer_now
#include "web/http.c" /* its server has a thread of its own, so this program starts another one */

#include "agent.h"
#include "draft.h"
#include "form_fields.h"
#include "fuzz.h"
#include "mutate.h"
#include "web/browser.h"
#include <netinet/in.h>
#include <sys/socket.h>

#define ROOT   "/app-password"
#define SECRET "a secret of the proxy"

static const struct fuzz_rule rules[] = {
    {'V', "%P%H%H\r\n%F|%P%H\r\n%F|%X%H\r\n%D|%G%H%H%H\r\n|%G\r\n%G\r\n"},
    {'P', "POST " ROOT "/%p HTTP/1.1\r\nHost: x\r\nContent-Type: "
          "application/x-www-form-urlencoded[; charset=utf-8]\r\nContent-Length: 0\r\n"},
    {'X', "POST " ROOT "/%p HTTP/1.1\r\nHost: x\r\nContent-Type: %t/xml\r\nContent-Length: 0\r\n"},
    {'G', "%m " ROOT "/%p[?%Q][&%Q] HTTP/1.%1\r\nHost: x\r\n"},
    {'m', "GET|GET|HEAD|PUT|OPTIONS|TRACE|%*"},
    {'1', "1|0"},
    {'t', "text|application|multipart"},
    {'p', "|sign-in|style.css|//other.example|a/b/c|%%2f%%2e.|help|%e%e%e|%*"},
    {'Q', "lang=nb|lang=pt-BR|lang=%e|emailaddress=%a|protocol=AutodiscoverV1|person=%w|%k=%w"},
    {'F', "%k=%w|%k=%w&%F|csrf=%w&login=%w&password=%w|%k=%w&%k=%w&|%k|%k=%w;%F|&&=%w"},
    {'k', "csrf|login|password|code|method|address|label|services|expires|id|remember|find|person|"
          "date|credential|client_data|authenticator_data|signature|LOGIN|other|%e%e"},
    {'w', "%e%e%e|%e%w|%a|123456|%w%w|"},
    {'e', "a|Z|+|0|%%4%h|%%%h%h|%%00|%%0d%%0a|%%c3%%a6|%%|%*"},
    {'h', "0|1|4|9|a|F|g"},
    {'a', "alice@example.org|alice%%40example.org|%e@%e"},
    {'H', "Cookie: %C[; %C]\r\n|Accept-Language: %L[, %L]\r\n|User-Agent: %U\r\n|X-Real-IP: %c\r\n|"
          "X-User: alice\r\n[X-Secret: %S\r\n]|Expect: 100-continue\r\n|Connection: close\r\n|"
          "Transfer-Encoding: chunked\r\n|Content-Length: %h%h\r\n|%e: %w\r\n"},
    {'S', SECRET "|%*"},
    {'C', "page=%z|page-browser=%z|page-draft=%w|page-remembered=%z|page-language=nb|%e=%w"},
    {'z',
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|"
     "\"%w\"|%w"},
    {'L', "nb;q=0.%h|pt-BR|en-GB;q=1|*;q=0|nn|%*"},
    {'U', "Mozilla/5.0 (%s) Firefox/1|%s Chrome/1 Safari/1 Edg/1|%*|%U%U%U%U"},
    {'s', "Windows NT|Mac OS X|iPhone|Android|Linux"},
    {'c', "192.0.2.9|2001:db8::1|::ffff:1.2.3.4|fe80::1%%1|%*"},
    {'D', "<Autodiscover><EMailAddress>%a</EMailAddress></Autodiscover>|<%w>"},
    {0, NULL},
};

/* Writes the right length into the first Content-Length. */
static size_t fix_length(uint8_t *bytes, size_t length, size_t size)
{
    static const char name[] = "\r\nContent-Length: ";
    uint8_t *body = memmem(bytes, length, "\r\n\r\n", 4);
    uint8_t *field =
        body == NULL ? NULL : memmem(bytes, (size_t)(body - bytes), name, sizeof name - 1);
    char digits[24];
    struct fuzz_output number = {.bytes = (uint8_t *)digits, .size = sizeof digits};
    size_t at, old = 0;

    if (field == NULL)
        return length;
    at = (size_t)(field - bytes) + sizeof name - 1;
    while (bytes[at + old] >= '0' && bytes[at + old] <= '9')
        old++;
    number.length =
        (size_t)snprintf(digits, sizeof digits, "%zu", length - (size_t)(body - bytes) - 4);
    return fuzz_replace(bytes, length, size, at, old, &number);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    fuzz_seed(seed);
    length = fuzz_mutate_text(rules, " =&;%,:/?\r\n", bytes, length, size);
    return fuzz_pick(8) == 0 ? length : fix_length(bytes, length, size);
}

/* ---- the site ---- */

static const struct apw_languages languages = {
    .count = 3, .language = {{.code = "en"}, {.code = "nb"}, {.code = "pt-BR"}}};
static struct apw_asset assets[] = {
    {.name = "style.css", .type = "text/css", .bytes = (char *)"p{}", .length = 3}};
static struct apw_http site;
static const uint8_t *input;
static size_t input_length;

static void check_form(const struct apw_form *form, const struct apw_form_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        FUZZ_MUST(strlen(apw_form_value(form, i)) <= fields->field[i].bytes_max);
        if (form->values != NULL)
            apw_form_check(form, i);
    }
}

static void check_cookie(const char *cookie)
{
    FUZZ_MUST(cookie[0] == '\0' || strlen(cookie) == APW_COOKIE_SIZE - 1);
}

static void check_headers(const struct apw_exchange *exchange)
{
    static const uint8_t key[APW_BROWSER_KEY_BYTES] = {0};
    uint8_t secret[APW_METHOD_SECRET_BYTES];
    char name[APW_AGENT_NAME_SIZE];
    struct apw_address address;

    check_cookie(exchange->cookie);
    check_cookie(exchange->browser);
    check_cookie(exchange->remembered);
    FUZZ_MUST(strlen(exchange->draft) < sizeof exchange->draft);
    FUZZ_MUST(!apw_browser_is_known(key, "alice", exchange->browser));
    FUZZ_MUST(!apw_draft_open(key, "1", 1800000000, exchange->draft, secret));
    FUZZ_MUST(exchange->client[0] == '\0' ||
              apw_network_parse_address(exchange->client, &address) == 0);
    FUZZ_MUST(exchange->language < languages.count);
    FUZZ_MUST(exchange->signed_on == NULL ||
              memmem(input, input_length, SECRET, sizeof SECRET - 1) != NULL);
    apw_agent_name(exchange->agent, name);
    FUZZ_MUST(strlen(name) < sizeof name && name[0] != '\0');
}

static void answer_page(void *context, struct apw_exchange *exchange)
{
    (void)context;
    check_headers(exchange);
    if (exchange->is_post)
        check_form(&exchange->form, &apw_form_fields);
    else
        check_form(&exchange->query, &apw_query_fields);
    FUZZ_MUST(strlen(exchange->path) < APW_PATH_SIZE);
    exchange->status = 200;
    apw_buffer_add(&exchange->body, "page", 4);
}

static void fail_page(void *context, struct apw_exchange *exchange, unsigned status)
{
    (void)context;
    FUZZ_MUST(status >= 400 && status < 600);
    exchange->status = status;
}

static bool answer_now(struct apw_workers *workers, struct apw_worker_job *job)
{
    (void)workers;
    work(&site, job);
    finish(&site, job);
    return true;
}

static void start_site(void)
{
    site.settings = (struct apw_web_settings){.root = ROOT,
                                              .cookie_name = "page",
                                              .user_header = "X-User",
                                              .user_secret = SECRET,
                                              .secret_header = "X-Secret",
                                              .fields = &apw_form_fields,
                                              .query_fields = &apw_query_fields,
                                              .languages = &languages,
                                              .assets = assets,
                                              .asset_count = 1,
                                              .answer = answer_page,
                                              .fail = fail_page};
    FUZZ_MUST(sodium_init() >= 0 && make_assets(&site) == 0);
    site.daemon = MHD_start_daemon(
        MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, &site,
        MHD_OPTION_NOTIFY_CONNECTION, count_connection, &site, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES_MAX, MHD_OPTION_NOTIFY_COMPLETED, end_request, &site,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    FUZZ_MUST(site.daemon != NULL);
}

/* A redirect stays on the site, whatever the address was. */
static void check_reply(const char *reply, size_t length)
{
    static const char name[] = "\r\nLocation: ";
    const char *location = memmem(reply, length, name, sizeof name - 1);

    FUZZ_MUST(length == 0 || (length > 9 && memcmp(reply, "HTTP/1.", 7) == 0));
    if (location == NULL)
        return;
    location += sizeof name - 1;
    FUZZ_MUST(strncmp(location, ROOT "/", sizeof ROOT) == 0);
    location += sizeof ROOT;
    FUZZ_MUST(*location != '/' && location[strspn(location, plain)] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct sockaddr_in client = {.sin_family = AF_INET, .sin_addr = {htonl(0xc0000207)}};
    char reply[16 * 1024];
    ssize_t got;
    int pair[2];

    if (site.daemon == NULL)
        start_site();
    input = bytes;
    input_length = length;
    FUZZ_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    send(pair[1], bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    FUZZ_MUST(MHD_add_connection(site.daemon, pair[0], (const struct sockaddr *)&client,
                                 sizeof client) == MHD_YES);
    for (int i = 0; i < 12 && site.connections > 0; i++)
        MHD_run(site.daemon);
    got = recv(pair[1], reply, sizeof reply - 1, MSG_DONTWAIT);
    reply[got > 0 ? got : 0] = '\0';
    check_reply(reply, got > 0 ? (size_t)got : 0);
    close(pair[1]);
    for (int i = 0; i < 12 && site.connections > 0; i++)
        MHD_run(site.daemon);
    FUZZ_MUST(site.connections == 0);
    return 0;
}
