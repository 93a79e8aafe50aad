/*
 * conf: /etc/app-password/portal.conf, which only the portal reads.
 */
#ifndef APW_CONF_H
#define APW_CONF_H

#include "config.h"
#include "error.h"
#include "method.h"
#include <stdbool.h>
#include <stdint.h>

struct apw_host_port {
    char *host;
    char port[6];
};

enum apw_enrolment { APW_ENROLMENT_OPEN = 0, APW_ENROLMENT_CODE };

struct apw_conf {
    struct apw_identity identity;
    char *listen_socket; /* path, or NULL */
    char *listen_host;   /* a loopback address, or NULL */
    char listen_port[6];
    char *site; /* the host of public_url */
    char *root; /* its path, without a slash at its end: "" or "/app-passwords" */
    bool is_https;
    uint8_t key[APW_METHOD_KEY_BYTES]; /* secret */
    bool has_key;
    char *support;
    enum apw_enrolment enrolment;
    char *sendmail;
    char *own_domains;               /* lower case, separated by single spaces; "" for none */
    struct apw_host_port imap, smtp; /* host NULL: not given */
    char *trusted_user_header;       /* NULL: people sign in here */
};

/* Reads portal.conf in the folder of `config_path`, and the files it names. The caller frees it. */
int apw_conf_read(const char *config_path, struct apw_conf **conf_r, struct apw_error *error);
void apw_conf_free(struct apw_conf **conf); /* wipes; takes NULL */

/* Whether the address lies in one of own_domains, or below one. */
bool apw_conf_owns_address(const struct apw_conf *conf, const char *address);

#endif
