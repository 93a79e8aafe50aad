/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file. It opens no file but itself and one that holds a password. */
#include "config.h"
#include "fuzz.h"
#include "secret.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static char config_path[64], secret_path[64];

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

/* Any other path could be a real file, or a device that blocks. */
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (strcmp(path, config_path) == 0)
        return __real_fopen(path, mode);
    if (strncmp(path, "/s", 2) == 0)
        return __real_fopen(secret_path, mode);
    errno = ENOENT;
    return NULL;
}

static int memory_file(const char *bytes, size_t length, char path_r[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        abort();
    snprintf(path_r, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void try_config(void)
{
    struct apw_error error = {""};
    struct apw_config *config;

    if (apw_config_read(config_path, &config, &error) != 0) {
        FUZZ_MUST(config == NULL && error.text[0] != '\0');
        return;
    }
    FUZZ_MUST(config->uris.count > 0 && config->write_uris.count > 0 && config->base != NULL);
    FUZZ_MUST(config->timeout_ms > 0 && config->deadline_ms >= config->timeout_ms);
    FUZZ_MUST(config->hash_memory_mib <= 256 && config->hash_passes <= 10);
    FUZZ_MUST(strchr(config->filter, '%') != NULL && config->mfa_filter[0] == '(');
    apw_config_free(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct apw_identity identity;
    struct apw_config *config;
    struct apw_error error;
    char *secret;
    int fd = memory_file((const char *)bytes, length, config_path);
    int secret_fd = memory_file((const char *)bytes, length < 8 ? length : 8, secret_path);

    try_config();
    if (apw_config_read_without_identity(config_path, &config, &error) == 0)
        apw_config_free(&config);
    if (apw_config_read_admin("", &identity, &error) == 0)
        abort(); /* there is no admin.conf */
    if (apw_secret_read(config_path, &secret, &error) == 0) {
        FUZZ_MUST(strlen(secret) > 0 && strlen(secret) <= 1024);
        apw_secret_free(&secret);
    }
    close(fd);
    close(secret_fd);
    return 0;
}
