/* SPDX-License-Identifier: BSD-2-Clause */
#include "transfer.h"
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the format. */
enum {
    VERSION = 1,
    IMAP = 0,
    SMTP = 0,
    STARTTLS = 2,
    TLS = 3,
    PLAIN_PASSWORD = 1, /* not hashed, but inside TLS */
};

/* The format has no other hosts and addresses. */
static bool is_ascii(const char *text)
{
    while (*text > ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

static bool is_one_line(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

static int security_of(const struct apw_host_port *server)
{
    return apw_host_port_is_tls(server->port) ? TLS : STARTTLS;
}

/* Jansson has a copy of its own, and does not wipe it. Takes NULL. */
static void wipe(json_t *server, size_t position)
{
    json_t *password = json_array_get(server, position);

    if (password != NULL)
        sodium_memzero((char *)(uintptr_t)json_string_value(password),
                       json_string_length(password));
}

/* The empty text is the account's name: the address. */
static json_t *incoming(const struct apw_transfer *transfer)
{
    return json_pack("[isiiisss]", IMAP, transfer->imap->host, atoi(transfer->imap->port),
                     security_of(transfer->imap), PLAIN_PASSWORD, transfer->login, "",
                     transfer->password);
}

static json_t *outgoing(const struct apw_transfer *transfer)
{
    return json_pack("[isiiiss]", SMTP, transfer->smtp->host, atoi(transfer->smtp->port),
                     security_of(transfer->smtp), PLAIN_PASSWORD, transfer->login,
                     transfer->password);
}

int apw_transfer_write(const struct apw_transfer *transfer, char json_r[APW_TRANSFER_SIZE])
{
    json_t *in = NULL, *out = NULL, *whole = NULL;
    size_t length = 0;

    json_r[0] = '\0';
    if (!is_ascii(transfer->imap->host) || !is_ascii(transfer->smtp->host) ||
        !is_ascii(transfer->address) || !is_one_line(transfer->login) ||
        !is_one_line(transfer->name))
        return -1;
    in = incoming(transfer);
    out = outgoing(transfer);
    if (in != NULL && out != NULL) /* "1, 1": the first of one QR code */
        whole = json_pack("[i[ii]O[[O[ss]]]]", VERSION, 1, 1, in, out, transfer->address,
                          transfer->name);
    if (whole != NULL)
        length = json_dumpb(whole, json_r, APW_TRANSFER_SIZE - 1, JSON_COMPACT | JSON_ENSURE_ASCII);
    wipe(in, 7);
    wipe(out, 6);
    json_decref(whole);
    json_decref(in);
    json_decref(out);
    if (length == 0 || length >= APW_TRANSFER_SIZE) {
        sodium_memzero(json_r, APW_TRANSFER_SIZE);
        return -1;
    }
    json_r[length] = '\0';
    return 0;
}
