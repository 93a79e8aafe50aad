/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portal: what all requests share. Made at the start, only read afterwards; members that
 * change are thread-safe.
 */
#ifndef APW_PORTAL_H
#define APW_PORTAL_H

#include "config.h"
#include "ldap/directory.h"
#include "log.h"
#include "portal_config.h"
#include "user.h"
#include "web/page.h"
#include "web/throttle.h"

struct apw_portal {
    struct apw_config *config;
    struct apw_portal_config *portal_config;
    struct apw_directory *directory; /* as the portal */
    struct apw_directory *store;     /* the same; NULL without one */
    struct apw_manager manager;      /* the same; reads enrollments, too */
    struct apw_log *log;
    struct apw_outbox *outbox;               /* while it serves requests */
    struct apw_reverse_names *reverse_names; /* NULL: none are shown */
    struct apw_invited_uses *invited_uses;
    struct apw_site site;
    /* A full table forgets, so those who can fill one share it with nobody else. */
    struct apw_throttle *password_throttle; /* networks: whoever has many of them */
    struct apw_throttle *factor_throttle;   /* the same, with the password of an account */
    struct apw_throttle *account_throttle;  /* accounts of which somebody has the password */
    struct apw_throttle *browser_throttle;  /* known browsers: nobody */
};

#endif
