/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folder: the folder that setup writes: only its owner can open it.
 *
 * It has the files that apply.sh installs below etc/, the files that these replace below found/,
 * and their list in `files`.
 */
#ifndef APW_SETUP_FOLDER_H
#define APW_SETUP_FOLDER_H

#include "error.h"
#include <stdbool.h>
#include <stdio.h>

struct apw_setup_folder {
    const char *path; /* borrowed */
    FILE *files;
};

/* A file that apply.sh installs. */
struct apw_setup_file {
    const char *step;
    const char *mode;  /* octal; NULL: mode and owner of the file that is there */
    const char *owner; /* USER:GROUP */
    const char *path;  /* below /etc */
};

/* Creates it. Fails if it exists: its passwords may be in use. */
int apw_setup_folder_create(const char *path, struct apw_setup_folder *folder_r,
                            struct apw_error *error);

/* Writes the last file, the list. Without it, apply.sh does nothing. */
int apw_setup_folder_finish(struct apw_setup_folder *folder, struct apw_error *error);

/* Writes a file of the folder and frees the text. A text that is NULL is a lack of memory, or the
 * error that *error already describes. */
int apw_setup_folder_write(struct apw_setup_folder *folder, const char *name, char *text,
                           struct apw_error *error);

/* The same for a file to be installed; a file that is already there is copied to found/. */
int apw_setup_folder_install(struct apw_setup_folder *folder, const struct apw_setup_file *file,
                             char *text, struct apw_error *error);

/* A path in the folder. -1 if it is too long. */
int apw_setup_folder_path(const struct apw_setup_folder *folder, const char *name, char *path_r,
                          size_t size, struct apw_error *error);

#endif
