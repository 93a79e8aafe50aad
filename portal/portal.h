/*
 * portal: what every request shares. Made at the start, only read afterwards; what it points at
 * looks after itself where threads are concerned.
 */
#ifndef APW_PORTAL_H
#define APW_PORTAL_H

#include "config.h"
#include "directory.h"
#include "event.h"
#include "portal_config.h"
#include "user.h"
#include "web/language.h"
#include "web/session.h"
#include "web/template.h"
#include "web/throttle.h"

struct apw_portal {
    struct apw_config *config;
    struct apw_conf *conf;
    struct apw_directory *directory; /* as the portal */
    struct apw_manager manager;      /* the same, reading what an enrolment needs */
    struct apw_log *log;
    struct apw_languages languages;
    struct apw_templates *templates;
    struct apw_visits *visits;
    /* Apart: anybody can fill the first one, only who knows a password the second. */
    struct apw_throttle *password_throttle;
    struct apw_throttle *factor_throttle;
};

#endif
