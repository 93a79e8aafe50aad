#include "doctor/doctor.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* A secret is its owner's and its group's to read, and nobody else's to write. */
static void look_at_secret(struct apw_doctor *doctor, const char *what, const char *path)
{
    struct stat status;

    if (path == NULL)
        return;
    if (stat(path, &status) != 0) {
        apw_doctor_problem(doctor, what, "%s: %s", path, strerror(errno));
        apw_doctor_mend("write the password into %s, on one line", path);
    } else if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        apw_doctor_problem(doctor, what, "%s has mode %04o: others can read it, or change it", path,
                           (unsigned)(status.st_mode & 07777));
        apw_doctor_mend("chmod 0640 %s, and chgrp it to who must read it", path);
    } else {
        apw_doctor_good(doctor, what, "%s is not for everybody", path);
    }
}

/* Who can write the file, or the folder that it lies in, decides who gets in. */
static void look_at_writers(struct apw_doctor *doctor, const char *path)
{
    struct stat file, folder;
    char folder_path[4096];

    snprintf(folder_path, sizeof folder_path, "%s", path);
    if (strrchr(folder_path, '/') == NULL)
        strcpy(folder_path, ".");
    else
        *(strrchr(folder_path, '/') + 1) = '\0';
    if (stat(path, &file) == 0 && (file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        apw_doctor_problem(doctor, "configuration", "%s can be written by more than its owner",
                           path);
        apw_doctor_mend("chmod go-w %s", path);
    }
    if (stat(folder_path, &folder) == 0 && (folder.st_mode & S_IWOTH) != 0 &&
        (folder.st_mode & S_ISVTX) == 0) {
        apw_doctor_problem(doctor, "configuration", "%s can be written by everybody", folder_path);
        apw_doctor_mend("chmod o-w %s", folder_path);
    }
}

static bool uses_tls(const struct apw_config *config)
{
    const struct apw_uris *lists[] = {&config->uris, &config->write_uris};

    for (int list = 0; list < 2; list++)
        for (unsigned i = 0; i < lists[list]->count; i++)
            if (strncasecmp(lists[list]->uri[i], "ldaps:", 6) == 0 ||
                (config->start_tls && strncasecmp(lists[list]->uri[i], "ldap:", 5) == 0))
                return true;
    return false;
}

static void look_at_ca(struct apw_doctor *doctor, const struct apw_config *config)
{
    FILE *file = fopen(config->tls_cacert, "re");
    unsigned certificates = 0;
    char line[1024];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        certificates += strstr(line, "-----BEGIN CERTIFICATE-----") != NULL ||
                        strstr(line, "-----BEGIN TRUSTED CERTIFICATE-----") != NULL;
    if (file != NULL)
        fclose(file);
    if (certificates > 0) {
        apw_doctor_good(doctor, "tls_cacert", "%s has %u certificates", config->tls_cacert,
                        certificates);
        return;
    }
    apw_doctor_problem(doctor, "tls_cacert", "%s has no certificate in PEM form",
                       config->tls_cacert);
    apw_doctor_mend("put the certificate of the CA there that signed the directory's");
}

static void look_at_log(struct apw_doctor *doctor, const char *path)
{
    struct stat status;

    if (path == NULL)
        return;
    if (stat(path, &status) != 0)
        apw_doctor_note("log", "%s: %s; the mail server makes it when it starts", path,
                        strerror(errno));
    else if (!S_ISREG(status.st_mode)) {
        apw_doctor_problem(doctor, "log", "%s is not a file", path);
        apw_doctor_mend("log /var/log/app-password.log");
    } else if ((status.st_mode & S_IWOTH) != 0) {
        apw_doctor_problem(doctor, "log", "%s can be written by everybody", path);
        apw_doctor_mend("chmod 0640 %s", path);
    } else {
        apw_doctor_good(doctor, "log", "%s", path);
    }
}

void apw_doctor_files(struct apw_doctor *doctor, const struct apw_config *config,
                      const struct apw_identity *administrator)
{
    look_at_writers(doctor, config->path);
    look_at_secret(doctor, "bindpw_file", config->identity.password_file);
    if (administrator != NULL)
        look_at_secret(doctor, "bindpw_file of admin.conf", administrator->password_file);
    if (uses_tls(config))
        look_at_ca(doctor, config);
    look_at_log(doctor, config->log_file);
}
