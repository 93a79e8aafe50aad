/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/store_files.h"
#include "hash.h"
#include "password.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUFFIX     "o=app-passwords"
#define NO_SECRET  "{CRYPT}!"
#define LDAPS_PORT "636"

/* The cost of a user's app password: these are as random. */
#define HASH_MEMORY_MIB 8
#define HASH_PASSES     1

#define HASH_SIZE (sizeof "{ARGON2}" + APW_HASH_TEXT_SIZE)

/* The last two are not in app-password.conf, admin.conf or portal.conf. */
enum { MAIL_SERVER, PORTAL, ADMINISTRATOR, REPLICATOR, ROOT, IDENTITIES };
static const char *const names[IDENTITIES] = {"mail-server", "portal", "administrator",
                                              "replicator", "root"};

struct identity {
    struct apw_password secret;
    char hash[HASH_SIZE];
};

bool apw_setup_store_files_have_tls(const struct apw_setup_store *store)
{
    return apw_uris_need_tls(&store->servers, false);
}

void apw_setup_store_files_name(const struct apw_setup_store *store, const char *name,
                                unsigned server, char *name_r, size_t size)
{
    if (store->servers.count > 1)
        snprintf(name_r, size, "%s-%u.conf", name, server + 1);
    else
        snprintf(name_r, size, "%s.conf", name);
}

static int make_identity(struct identity *identity_r, struct apw_error *error)
{
    char phc[APW_HASH_TEXT_SIZE];

    apw_password_make(&identity_r->secret);
    if (apw_hash_make(&identity_r->secret, HASH_MEMORY_MIB, HASH_PASSES, phc, error) != 0)
        return -1;
    snprintf(identity_r->hash, sizeof identity_r->hash, "{ARGON2}%s", phc);
    return 0;
}

/* A file of examples/store/ with the store's suffix. */
static char *adapt(const struct apw_setup_store *store, const char *name, struct apw_error *error)
{
    char path[128];

    snprintf(path, sizeof path, "examples/store/%s", name);
    return apw_setup_text_replace(apw_setup_shipped_read(path, error), SUFFIX, store->suffix);
}

static char *make_slapd_conf(const struct apw_setup_store *store, const struct identity *identities,
                             struct apw_error *error)
{
    char *text =
        apw_setup_text_set(adapt(store, "slapd.conf", error), "rootpw", identities[ROOT].hash);

    if (!apw_setup_store_files_have_tls(store))
        text = apw_setup_text_drop_paragraph(text,
                                             "TLSCertificateFile /etc/app-password-store/tls.crt");
    if (store->servers.count < 2)
        text =
            apw_setup_text_drop_paragraph(text, "include /etc/app-password-store/replication.conf");
    return text;
}

/* The entry of the suffix, whose class depends on the attribute in its name. */
static char *name_suffix(char *text, const struct apw_setup_store *store)
{
    const char *name = strchr(store->suffix, '=') + 1;
    int length = (int)strcspn(name, ",");
    char *entry = NULL;
    bool is_dc = strncasecmp(store->suffix, "dc=", 3) == 0;

    if (strncasecmp(store->suffix, "ou=", 3) == 0) {
        if (asprintf(&entry, "objectClass: organizationalUnit\nou: %.*s\n", length, name) < 0)
            entry = NULL;
    } else if (asprintf(&entry, "objectClass: organization\n%so: %.*s\n%s%.*s%s",
                        is_dc ? "objectClass: dcObject\n" : "", length, name, is_dc ? "dc: " : "",
                        is_dc ? length : 0, name, is_dc ? "\n" : "") < 0) {
        entry = NULL;
    }
    if (entry == NULL) {
        free(text);
        return NULL;
    }
    text = apw_setup_text_replace(text, "objectClass: organization\no: app-passwords\n", entry);
    free(entry);
    return text;
}

static char *make_entries(const struct apw_setup_store *store, const struct identity *identities,
                          struct apw_error *error)
{
    char *text = name_suffix(adapt(store, "entries.ldif", error), store);

    for (int i = MAIL_SERVER; i <= REPLICATOR; i++) {
        char old[64], new[64 + HASH_SIZE];

        snprintf(old, sizeof old, "cn: %s\nuserPassword: " NO_SECRET "\n", names[i]);
        snprintf(new, sizeof new, "cn: %s\nuserPassword: %s\n", names[i], identities[i].hash);
        text = apw_setup_text_replace(text, old, new);
    }
    return text;
}

static char *make_witness(const struct apw_setup_store *store, struct apw_error *error)
{
    char description[64];

    snprintf(description, sizeof description, "description: %s", store->id_attribute);
    return apw_setup_text_replace(adapt(store, "mfa-witness.ldif", error), "description: entryUUID",
                                  description);
}

/* All addresses of the host, because its own name may lead to 127.0.1.1 there; ldap is the
 * loopback's. */
static void make_listener(const char *uri, char *listener_r, size_t size)
{
    const char *host = strstr(uri, "://") + 3;
    const char *bracket = strchr(host, ']');
    const char *port = strchr(bracket != NULL ? bracket : host, ':');

    if (strncasecmp(uri, "ldaps:", 6) != 0)
        snprintf(listener_r, size, " %s", uri);
    else
        snprintf(listener_r, size, " ldaps://:%.*s/",
                 port != NULL ? (int)strcspn(port + 1, "/") : (int)strlen(LDAPS_PORT),
                 port != NULL ? port + 1 : LDAPS_PORT);
}

/* All servers have the same unit, so it has the listener of each. */
static char *make_service(const struct apw_setup_store *store, struct apw_error *error)
{
    char listeners[APW_URIS_MAX * 256] = "";

    for (unsigned i = 0; i < store->servers.count; i++) {
        size_t length = strlen(listeners);
        char listener[256];

        make_listener(store->servers.uri[i], listener, sizeof listener);
        if (strstr(listeners, listener) == NULL)
            snprintf(listeners + length, sizeof listeners - length, "%s", listener);
    }
    return apw_setup_text_replace(adapt(store, "app-password-store.service", error),
                                  " " APW_SETUP_STORE_LISTEN, listeners);
}

/* The paragraph of replication.conf for each other server. */
static char *add_providers(char *text, const struct apw_setup_store *store, unsigned server)
{
    const char *start = text == NULL ? NULL : strstr(text, "syncrepl rid=2\n");
    const char *end = start == NULL ? NULL : strstr(start, "multiprovider ");
    char *example = end == NULL ? NULL : strndup(start, (size_t)(end - start));
    char rid[32];

    if (example == NULL) {
        free(text);
        return NULL;
    }
    text = apw_setup_text_replace(text, example, "");
    for (unsigned i = 0; text != NULL && i < store->servers.count; i++) {
        char *provider;

        if (i == server)
            continue;
        snprintf(rid, sizeof rid, "syncrepl rid=%u\n", i + 1);
        provider = apw_setup_text_replace(strdup(example), "syncrepl rid=2\n", rid);
        provider =
            apw_setup_text_replace(provider, "ldaps://mail2.example.org", store->servers.uri[i]);
        if (provider == NULL) {
            free(text);
            text = NULL;
        } else {
            text = apw_setup_text_insert(text, "multiprovider ", provider);
        }
        free(provider);
    }
    free(example);
    return text;
}

static char *make_replication(const struct apw_setup_store *store, unsigned server,
                              const struct identity *identities, struct apw_error *error)
{
    char *text = add_providers(adapt(store, "replication.conf", error), store, server);
    char id[16];

    snprintf(id, sizeof id, "%u", server + 1);
    text = apw_setup_text_set(text, "serverID", id);
    return apw_setup_text_replace(text, "\"SECRET\"", identities[REPLICATOR].secret.symbols);
}

/* The servers with spaces between them: all in order, or `first` before the others. */
static void list_servers(const struct apw_setup_store *store, unsigned first, char *list_r,
                         size_t size)
{
    size_t length = (size_t)snprintf(list_r, size, "%s", store->servers.uri[first]);

    for (unsigned i = 0; i < store->servers.count && length < size; i++)
        if (i != first)
            length +=
                (size_t)snprintf(list_r + length, size - length, " %s", store->servers.uri[i]);
}

static char *make_conf(const struct apw_setup_store *store, unsigned server,
                       struct apw_error *error)
{
    char *text = apw_setup_text_set(adapt(store, "app-password.conf", error), "id_attribute",
                                    store->id_attribute);
    char list[APW_URIS_MAX * 256], line[sizeof list + 32];

    list_servers(store, server, list, sizeof list);
    text = apw_setup_text_replace(text, APW_SETUP_STORE_LISTEN, list);
    if (store->servers.count == 1)
        return text;
    list_servers(store, 0, list, sizeof list);
    snprintf(line, sizeof line, "store_write_uri    %s\n", list);
    return apw_setup_text_insert(text, "store_base ", line);
}

/* The files that servers do not share, and those of the programs. */
static int write_servers(struct apw_setup_folder *folder, const struct apw_setup_store *store,
                         const struct identity *identities, struct apw_error *error)
{
    char name[64];
    unsigned server = 0;

    do {
        apw_setup_store_files_name(store, "app-password", server, name, sizeof name);
        if (apw_setup_folder_write(folder, name, make_conf(store, server, error), error) != 0)
            return -1;
        apw_setup_store_files_name(store, "replication", server, name, sizeof name);
        if (store->servers.count > 1 &&
            apw_setup_folder_write(folder, name, make_replication(store, server, identities, error),
                                   error) != 0)
            return -1;
    } while (++server < store->servers.count);
    return 0;
}

static int write_secrets(struct apw_setup_folder *folder, const struct identity *identities,
                         struct apw_error *error)
{
    char name[64];

    for (int i = 0; i < IDENTITIES; i++) {
        snprintf(name, sizeof name, "store-%s.secret", names[i]);
        if (apw_setup_folder_write(folder, name, strdup(identities[i].secret.symbols), error) != 0)
            return -1;
    }
    return 0;
}

static int write_all(struct apw_setup_folder *folder, const struct apw_setup_store *store,
                     const struct identity *identities, struct apw_error *error)
{
    const struct {
        const char *name;
        char *text;
    } files[] = {
        {"slapd.conf", make_slapd_conf(store, identities, error)},
        {"entries.ldif", make_entries(store, identities, error)},
        {"mfa-witness.ldif", make_witness(store, error)},
        {"app-password-store.service", make_service(store, error)},
        {"app-password.schema", apw_setup_shipped_read("ldap-schema/app-password.schema", error)},
        {"admin.conf", adapt(store, "admin.conf", error)},
        {"portal.conf", adapt(store, "portal.conf", error)},
    };
    int status = 0;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (apw_setup_folder_write(folder, files[i].name, files[i].text, error) != 0)
            status = -1;
    if (status != 0 || write_servers(folder, store, identities, error) != 0)
        return -1;
    return write_secrets(folder, identities, error);
}

int apw_setup_store_files_write(struct apw_setup_folder *folder,
                                const struct apw_setup_store *store, struct apw_error *error)
{
    struct identity identities[IDENTITIES];
    int status = 0;

    for (int i = 0; status == 0 && i < IDENTITIES; i++)
        status = make_identity(&identities[i], error);
    if (status == 0)
        status = write_all(folder, store, identities, error);
    sodium_memzero(identities, sizeof identities);
    return status;
}
