/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file. It opens no file but itself and one that holds a password. */
#include "admin_config.h"
#include "config.h"
#include "fuzz.h"
#include "mutate.h"
#include "secret.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct fuzz_rule rules[] = {
    {'V', "%B%L|%B%L%L%L|%B%M%L%L|%B%O%L|%B%A|%L|%w"},
    {'B', "uri %u\nbase dc=example,dc=org\n|uri %u\nbase o=x\nbinddn cn=m,dc=x\nbindpw_file /s\n"},
    {'M', "mfa_filter %f\nmfa_off_filter %f\nmfa_witness uid=w,dc=x\n|mfa_filter %f\n|"
          "disabled_filter %f\ndisabled_witness cn=g,dc=x\n|directory active-directory\n"},
    {'O', "store_uri %u\nstore_base o=s\nid_attribute %i\n[store_mfa %y\n][store_mfa_default %y\n]"
          "[store_binddn cn=m,o=s\n][store_bindpw_file /s\n][store_start_tls %y\n]"},
    {'A', "bind %b\n|binddn cn=a,dc=x\nbindpw_file /s\n[store_bind %b\n]"},
    {'L', "%k %w\n|start_tls %y\n|write_uri %u\n|scope %c\n|filter %f\n|bind %b\n|timeout %t\n|"
          "deadline %t\n|idle %t\n|mfa_enforcement %e\n|mfa_grace %t\n|account_password %e\n|"
          "account_password_from %n\n|login_attribute uid\n|hash_memory %h\n|hash_passes %d\n|"
          "record_use %t[ without-address]\n|max_lifetime %t\n|default_expires %t\n|"
          "revoke_unused %t\n|revoke_on_password_change %y\n|remember %d\n|refusal_delay %t\n|"
          "watch_interval %t\n|watch_kick_max %d\n|tls_min 1.%d\n|log %g\n|tls_cacert /s\n|#%w\n|"
          "max_app_passwords %d\n"},
    {'k', "uri|base|store_tls_cacert|store_write_uri|mfa_filter|bindpw_file|frobnicate|binddn"},
    {'w', "%u|%y|%c|%f|%t|%n|%d|%i|%b|%e|%g|%*"},
    {'u', "ldap://127.0.0.1[:%d]|ldapi://%%2Frun%%2Fs|ldapi:///|ldaps://a.example.org[:3268]|"
          "ldap://[%[::1%]]|ldaps://b.example.org[/%w]|%u %u"},
    {'y', "yes|no|on|off"},
    {'c', "sub|one|base"},
    {'f', "(uid=%%u)|(%a=%v)|(mail=%%u)|(&%f%f)|(%|%f%f)|(!%f)|(uid=%%n)(ou=%%d)|(%a=*)|(%a=*%v*)"},
    {'a', "uid|mail|memberOf|appPasswordMfaEnabled|mfa"},
    {'v', "TRUE|FALSE|cn=mfa,dc=x|\\2a|%%u|on"},
    {'t', "%d%z|0|%d|never|none"},
    {'z', "s|m|h|d|x"},
    {'d', "0|1|2|3|9|16|30|400|99999999999|-1"},
    {'n', "192.0.2.0/24|::1|10.0.0.0/%d|%n %n|%n,%n"},
    {'h', "%dM|%dMiB|%d|%dG"},
    {'i', "objectGUID|entryUUID|nsUniqueId|ipaUniqueID|uid"},
    {'b', "external|gssapi|simple"},
    {'e', "enforce|report|never|when-mfa-off"},
    {'g', "syslog mail|syslog local3|stderr|/var/log/x|syslog x"},
    {0, NULL},
};

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    fuzz_seed(seed);
    return fuzz_mutate_text(rules, " \n=(),/:", bytes, length, size);
}

static char config_path[64], secret_path[64];
static bool is_reading; /* else it is libFuzzer that opens a file, to save an input */

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

/* Any other path in a configuration could be a real file, or a device that blocks. */
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!is_reading || strcmp(path, config_path) == 0)
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

static void try_others(bool is_even)
{
    struct apw_admin_config admin;
    struct apw_config *config;
    struct apw_error error;
    char *secret;

    if (apw_config_read_without_identity(config_path, &config, &error) == 0)
        apw_config_free(&config);
    if (apw_config_read_log(config_path, &config, &error) == 0)
        apw_config_free(&config);
    if (apw_admin_config_read(config_path, is_even, false, &admin, &error) == 0) {
        FUZZ_MUST(is_even || apw_identity_is_set(&admin.users));
        apw_admin_config_wipe(&admin);
    }
    if (apw_secret_read(config_path, &secret, &error) == 0) {
        FUZZ_MUST(strlen(secret) > 0 && strlen(secret) <= 1024);
        apw_secret_free(&secret);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    int fd = memory_file((const char *)bytes, length, config_path);
    int secret_fd = memory_file((const char *)bytes, length < 8 ? length : 8, secret_path);

    is_reading = true;
    try_config();
    try_others(length % 2 == 0);
    is_reading = false;
    close(fd);
    close(secret_fd);
    return 0;
}
