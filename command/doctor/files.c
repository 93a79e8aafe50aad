/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/files.h"
#include "ignorable.h"
#include "secret.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* A mark is no part of the password for us, but other programs send it. */
static void check_mark(struct apw_diagnosis *diagnosis, const char *key, const char *path)
{
    FILE *file = fopen(path, "re");
    char start[3];

    if (file == NULL)
        return;
    if (apw_ignorable_mark_bytes(start, fread(start, 1, sizeof start, file)) > 0)
        apw_diagnosis_note(diagnosis, key,
                           "%s begins with a byte-order mark, which is ignored here but sent by "
                           "other programs; write the file without it",
                           path);
    fclose(file);
}

static void check_stray(struct apw_diagnosis *diagnosis, const char *key,
                        const struct apw_identity *identity)
{
    const char *stray = identity->password == NULL ? NULL : apw_secret_stray(identity->password);

    if (identity->password_file == NULL)
        return;
    check_mark(diagnosis, key, identity->password_file);
    if (stray != NULL)
        apw_diagnosis_note(diagnosis, key, "the password in %s %s, which is sent as part of it",
                           identity->password_file, stray);
}

/* Only its owner and group may read a secret, and only its owner may write it. */
static void check_secret(struct apw_diagnosis *diagnosis, const char *key, const char *path)
{
    struct stat status;

    if (path == NULL)
        return;
    if (stat(path, &status) != 0) {
        apw_diagnosis_problem(diagnosis, key, "%s: %s", path, strerror(errno));
        apw_diagnosis_fix(diagnosis, "write the password into %s, on one line", path);
    } else if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        apw_diagnosis_problem(diagnosis, key, "%s has mode %04o: others can read or change it",
                              path, (unsigned)(status.st_mode & 07777));
        apw_diagnosis_fix(diagnosis, "chmod 0640 %s, and chgrp it to the group that must read it",
                          path);
    } else {
        apw_diagnosis_good(diagnosis, key, "others cannot read or change %s", path);
    }
}

/* Anybody who can write the file, or replace it in its folder, decides which logins are accepted.
 */
static void check_writers(struct apw_diagnosis *diagnosis, const char *path)
{
    struct stat file, folder;
    char folder_path[4096];

    snprintf(folder_path, sizeof folder_path, "%s", path);
    if (strrchr(folder_path, '/') == NULL)
        strcpy(folder_path, ".");
    else
        *(strrchr(folder_path, '/') + 1) = '\0';
    if (stat(path, &file) == 0 && (file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        apw_diagnosis_problem(diagnosis, "configuration", "users other than its owner can write %s",
                              path);
        apw_diagnosis_fix(diagnosis, "chmod go-w %s", path);
    }
    if (stat(folder_path, &folder) == 0 && (folder.st_mode & S_IWOTH) != 0 &&
        (folder.st_mode & S_ISVTX) == 0) {
        apw_diagnosis_problem(diagnosis, "configuration", "everybody can write %s", folder_path);
        apw_diagnosis_fix(diagnosis, "chmod o-w %s", folder_path);
    }
}

static unsigned count_certificates(const char *path)
{
    FILE *file = fopen(path, "re");
    unsigned certificates = 0;
    char line[1024];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        certificates += strstr(line, "-----BEGIN CERTIFICATE-----") != NULL ||
                        strstr(line, "-----BEGIN TRUSTED CERTIFICATE-----") != NULL;
    if (file != NULL)
        fclose(file);
    return certificates;
}

/* Whether libldap can read the certificates. This touches no network. */
static bool can_prepare_tls(const struct apw_config *config, bool is_store)
{
    struct apw_directory *directory;
    struct apw_error error;
    int status = is_store ? apw_session_connect_holder(config, &config->store.uris,
                                                       &config->store.identity, &directory, &error)
                          : apw_session_connect(config, &config->uris, &config->identity,
                                                &directory, &error);

    apw_directory_free(&directory);
    return status == 0;
}

static bool check_ca(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                     bool is_store)
{
    const char *key = is_store ? "store_tls_cacert" : "tls_cacert";
    const char *path = is_store ? config->store.tls_cacert : config->tls_cacert;
    unsigned certificates = count_certificates(path);

    if (certificates > 0 && can_prepare_tls(config, is_store)) {
        apw_diagnosis_good(diagnosis, key, "%s has %u certificates", path, certificates);
        return true;
    }
    if (certificates == 0)
        apw_diagnosis_problem(diagnosis, key, "%s has no certificate in PEM form", path);
    else
        apw_diagnosis_problem(diagnosis, key, "the certificates in %s cannot be read", path);
    apw_diagnosis_fix(diagnosis,
                      "write the certificate of the CA that signed the %s's certificate into %s",
                      is_store ? "store" : "directory", path);
    return false;
}

bool apw_doctor_files_check_ca(struct apw_diagnosis *diagnosis, const struct apw_config *config)
{
    const struct apw_store_config *store = &config->store;
    bool is_good = true;

    if (apw_uris_need_tls(&config->uris, config->start_tls) ||
        apw_uris_need_tls(&config->write_uris, config->start_tls))
        is_good = check_ca(diagnosis, config, false);
    if (apw_uris_need_tls(&store->uris, store->start_tls) ||
        apw_uris_need_tls(&store->write_uris, store->start_tls))
        is_good = check_ca(diagnosis, config, true) && is_good;
    return is_good;
}

static void check_identity(struct apw_diagnosis *diagnosis, const char *key,
                           const struct apw_identity *identity)
{
    check_secret(diagnosis, key, identity->password_file);
    check_stray(diagnosis, key, identity);
}

/* Whether admin.conf names it, and not app-password.conf. */
static bool is_of_its_own(const struct apw_identity *reader, const struct apw_config *config)
{
    return reader->password_file != NULL &&
           (config->identity.password_file == NULL ||
            strcmp(reader->password_file, config->identity.password_file) != 0);
}

void apw_doctor_files_check(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                            const struct apw_session *session)
{
    bool has_store = apw_config_has_store(config);

    check_writers(diagnosis, config->path);
    check_identity(diagnosis, "bindpw_file", &config->identity);
    if (has_store)
        check_identity(diagnosis, "store_bindpw_file", &config->store.identity);
    if (session == NULL)
        return;
    check_identity(diagnosis,
                   has_store ? "store_bindpw_file of admin.conf" : "bindpw_file of admin.conf",
                   &session->identity);
    if (is_of_its_own(&session->reader, config))
        check_identity(diagnosis, "bindpw_file of admin.conf", &session->reader);
}
