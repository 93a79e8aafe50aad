/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/folder.h"
#include "setup/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int apw_setup_folder_path(const struct apw_setup_folder *folder, const char *name, char *path_r,
                          size_t size, struct apw_error *error)
{
    if (snprintf(path_r, size, "%s/%s", folder->path, name) >= (int)size)
        return apw_error_set(error, "%s/%s: the path is too long", folder->path, name);
    return 0;
}

/* Creates the folders of a path, behind the first `start` bytes. */
static int make_parents(char *path, size_t start, struct apw_error *error)
{
    for (char *slash = path + start; (slash = strchr(slash + 1, '/')) != NULL;) {
        int status;

        *slash = '\0';
        status = mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
        if (status != 0)
            apw_error_set(error, "%s: %s", path, strerror(errno));
        *slash = '/';
        if (status != 0)
            return -1;
    }
    return 0;
}

static int write_file(const char *path, const char *text, struct apw_error *error)
{
    size_t length = strlen(path);
    bool is_script = length > 3 && strcmp(path + length - 3, ".sh") == 0;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, is_script ? 0700 : 0600);
    FILE *stream = file < 0 ? NULL : fdopen(file, "w");

    if (stream == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    fputs(text, stream);
    if (ferror(stream) | (fclose(stream) != 0))
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    return 0;
}

int apw_setup_folder_write(struct apw_setup_folder *folder, const char *name, char *text,
                           struct apw_error *error)
{
    char path[PATH_MAX];
    int status;

    if (text == NULL)
        return *error->text != '\0' ? -1 : apw_error_set(error, "out of memory");
    status = apw_setup_folder_path(folder, name, path, sizeof path, error);
    if (status == 0)
        status = make_parents(path, strlen(folder->path), error);
    if (status == 0)
        status = write_file(path, text, error);
    sodium_memzero(text, strlen(text)); /* it may be a password */
    free(text);
    return status;
}

static int keep_found(struct apw_setup_folder *folder, const char *path, struct apw_error *error)
{
    char name[PATH_MAX];

    if (access(path, F_OK) != 0)
        return 0;
    snprintf(name, sizeof name, "found%s", path);
    return apw_setup_folder_write(folder, name, apw_setup_text_read(path, error), error);
}

static int list(struct apw_setup_folder *folder, const struct apw_setup_file *file,
                struct apw_error *error)
{
    struct stat there;

    if (file->mode != NULL) {
        fprintf(folder->files, "%s %s %s %s\n", file->step, file->mode, file->owner, file->path);
        return 0;
    }
    if (stat(file->path, &there) != 0)
        return apw_error_set(error, "%s: %s", file->path, strerror(errno));
    fprintf(folder->files, "%s %04o %u:%u %s\n", file->step, there.st_mode & 07777, there.st_uid,
            there.st_gid, file->path);
    return 0;
}

int apw_setup_folder_install(struct apw_setup_folder *folder, const struct apw_setup_file *file,
                             char *text, struct apw_error *error)
{
    if (apw_setup_folder_write(folder, file->path + 1, text, error) != 0 ||
        keep_found(folder, file->path, error) != 0)
        return -1;
    return list(folder, file, error);
}

int apw_setup_folder_create(const char *path, struct apw_setup_folder *folder_r,
                            struct apw_error *error)
{
    char list[PATH_MAX];

    *folder_r = (struct apw_setup_folder){.path = path};
    if (mkdir(path, 0700) != 0 && errno == EEXIST)
        return apw_error_set(error,
                             "%s exists; its passwords may be in use: name another folder, or "
                             "remove it",
                             path);
    if (access(path, W_OK) != 0)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    if (apw_setup_folder_path(folder_r, "files", list, sizeof list, error) != 0)
        return -1;
    folder_r->files = fopen(list, "wxe");
    if (folder_r->files == NULL)
        return apw_error_set(error, "%s: %s", list, strerror(errno));
    return 0;
}

int apw_setup_folder_finish(struct apw_setup_folder *folder, struct apw_error *error)
{
    bool is_bad = ferror(folder->files) != 0;

    if (fclose(folder->files) != 0 || is_bad)
        return apw_error_set(error, "%s/files: cannot be written", folder->path);
    return 0;
}
