/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "directory_type.h"
#include "ldap/schema.h"
#include "say.h"
#include "setup/store_init.h"
#include "store_import.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SUFFIX "o=app-passwords"

enum { BASE, ID_ATTRIBUTE, LISTEN, PEER, FROM, DRY_RUN };

static const struct apw_option table[] = {
    [BASE] = {.name = "base", .argument = "DN", .help = "the suffix of the store, if not " SUFFIX},
    [ID_ATTRIBUTE] = {.name = "id-attribute",
                      .argument = "NAME",
                      .help = "what names a user forever in the users' directory: entryUUID, the "
                              "default; objectGUID, nsUniqueId or ipaUniqueID"},
    [LISTEN] = {.name = "listen",
                .argument = "URI",
                .help = "where this server also answers, besides its socket"},
    [PEER] = {.name = "peer",
              .argument = "URI,...",
              .help = "the other servers of the store, which replicate"},
    [FROM] = {.name = "from",
              .argument = "FILE",
              .help =
                  "(import) an app-password.conf, with its admin.conf beside it: the site as it "
                  "is, or was"},
    [DRY_RUN] = {.name = "dry-run", .help = "(import) only show what would be copied"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

/* What the configuration of slapd and the entries can take without quoting. */
static int check_suffix(const char *suffix)
{
    bool has_class = strncasecmp(suffix, "o=", 2) == 0 || strncasecmp(suffix, "ou=", 3) == 0 ||
                     strncasecmp(suffix, "dc=", 3) == 0;

    if (has_class && apw_schema_is_dn(suffix) && strpbrk(suffix, "\"\\'+\n") == NULL &&
        strlen(suffix) < 256)
        return 0;
    apw_say_usage("store: --base: \"%s\" must be a DN like " SUFFIX " or dc=store,dc=example,"
                  "dc=org, without quotes, backslashes and plus signs",
                  suffix);
    return -1;
}

static int check_server(const struct apw_uris *servers, unsigned server)
{
    const char *uri = servers->uri[server];

    if (strncasecmp(uri, "ldapi:", 6) == 0 || strpbrk(uri, "\"\\'%") != NULL || strlen(uri) > 200)
        return apw_say_usage("store: \"%s\" must be a URI like ldaps://mail1.example.org", uri);
    for (unsigned i = 0; i < server; i++)
        if (strcasecmp(uri, servers->uri[i]) == 0)
            return apw_say_usage("store: \"%s\" is named twice", uri);
    return 0;
}

/* -1 after a usage error. */
static int read_id_attribute(const struct apw_options *options, const char **name_r)
{
    const char *typed =
        options->is_given[ID_ATTRIBUTE] ? options->value[ID_ATTRIBUTE] : "entryUUID";
    const struct apw_id_attribute *known = apw_directory_id_attribute(typed);

    if (known == NULL) {
        apw_say_usage("store: --id-attribute: \"%s\" must be %s", typed,
                      apw_directory_id_attributes);
        return -1;
    }
    *name_r = known->name;
    return 0;
}

/* This server first, then the others. Not 0 after a usage error. */
static int read_servers(const struct apw_options *options, struct apw_uris *servers_r)
{
    struct apw_error error = {""};
    char text[2048];
    int status;

    servers_r->count = 0;
    if (options->is_given[PEER] && !options->is_given[LISTEN])
        return apw_say_usage(
            "store: --peer needs --listen: the URI of this server, for the others");
    snprintf(text, sizeof text, "%s %s",
             options->is_given[LISTEN] ? options->value[LISTEN] : APW_SETUP_STORE_LISTEN,
             options->is_given[PEER] ? options->value[PEER] : "");
    for (char *comma; (comma = strchr(text, ',')) != NULL;)
        *comma = ' ';
    if (apw_uris_parse(text, false, servers_r, &error) != 0)
        return apw_say_usage("store: %s", error.text);
    status = 0;
    for (unsigned i = 0; status == 0 && i < servers_r->count; i++)
        status = check_server(servers_r, i);
    return status;
}

static bool is_any_given(const struct apw_options *options, int first, int last)
{
    for (int i = first; i <= last; i++)
        if (options->is_given[i])
            return true;
    return false;
}

static enum apw_status import(const struct apw_invocation *invocation,
                              const struct apw_options *options)
{
    if (options->count != 1 || options->value[FROM] == NULL || is_any_given(options, BASE, PEER))
        return apw_say_usage("store import takes --from FILE, and --dry-run");
    return apw_store_import(invocation, options->value[FROM], options->is_given[DRY_RUN]);
}

static enum apw_status init(const struct apw_invocation *invocation,
                            const struct apw_options *options)
{
    struct apw_setup_store store = {.suffix = SUFFIX};
    char folder[PATH_MAX];
    size_t length;
    enum apw_status status = APW_STATUS_USAGE;

    (void)invocation;
    if (options->count != 2)
        return apw_say_usage("store init takes one FOLDER");
    if (is_any_given(options, FROM, DRY_RUN))
        return apw_say_usage("store: --from and --dry-run are for store import");
    length = (size_t)snprintf(folder, sizeof folder, "%s", options->operand[1]);
    if (length >= sizeof folder)
        return apw_say_usage("store init: the path of the folder is too long");
    while (length > 1 && folder[length - 1] == '/')
        folder[--length] = '\0';
    if (options->is_given[BASE])
        store.suffix = options->value[BASE];
    if (check_suffix(store.suffix) == 0 && read_id_attribute(options, &store.id_attribute) == 0 &&
        read_servers(options, &store.servers) == 0)
        status = apw_setup_store_init(folder, &store);
    apw_uris_free(&store.servers);
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    static const struct {
        const char *name;
        enum apw_status (*run)(const struct apw_invocation *invocation,
                               const struct apw_options *options);
    } verbs[] = {{"init", init}, {"import", import}};

    for (size_t i = 0; options->count > 0 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(options->operand[0], verbs[i].name) == 0)
            return verbs[i].run(invocation, options);
    return apw_say_usage("store: give init or import");
}

const struct apw_command apw_command_store = {
    .name = "store",
    .options = table,
    .usage = "init|import [FOLDER]",
    .help = "write a folder with a store, an OpenLDAP for app passwords alone; fill it",
    .run = run,
};
