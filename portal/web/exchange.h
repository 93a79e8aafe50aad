/*
 * exchange: one request and its answer, without anything of the HTTP library.
 */
#ifndef APW_EXCHANGE_H
#define APW_EXCHANGE_H

#include "network.h"
#include "web/buffer.h"
#include "web/session.h"
#include <stdbool.h>
#include <stddef.h>

/* The fields of our forms, each with a NUL. Secret. */
struct apw_form {
    bool is_bad; /* a field was too long, twice there or had a NUL, or it was no form */
    char csrf[64];
    char login[512];
    char password[1026];
    char code[64];
    char method[16];
    char address[APW_METHOD_ADDRESS_SIZE];
    char label[512];
    char services[64];
    char expires[16];
    char id[16];
};

#define APW_LOCATION_SIZE 512

struct apw_exchange {
    /* The request. */
    bool is_post;
    const char *path;                   /* below the root of the pages, without slashes around it */
    char cookie[APW_COOKIE_SIZE];       /* "" for none */
    char browser[APW_COOKIE_SIZE];      /* its mark; "" for none */
    char client[APW_ADDRESS_TEXT_SIZE]; /* "" where it is not known */
    unsigned language;
    const char *signed_on; /* whom the site's single sign-on names; NULL for nobody */
    struct apw_form form;

    /* The answer. */
    unsigned status;
    struct apw_buffer body;
    const char *type;                 /* of the body; NULL: HTML */
    char location[APW_LOCATION_SIZE]; /* of a redirect */
    char new_cookie[APW_COOKIE_SIZE]; /* to be set; "" for none */
    char new_browser[APW_COOKIE_SIZE];
};

#endif
