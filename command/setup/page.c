/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/page.h"
#include "setup/credential.h"
#include "setup/shipped.h"
#include "setup/text.h"

#define PAGE_USER "app-password-portal:app-password-portal"

static char *make_portal_conf(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("examples/portal.conf", answers, error);

    text = apw_setup_text_set(text, "public_url", answers->value[APW_SETUP_PUBLIC_URL]);
    text = apw_setup_text_set(text, "support", answers->value[APW_SETUP_SUPPORT]);
    text = apw_setup_text_set(text, "own_domains", answers->value[APW_SETUP_OWN_DOMAINS]);
    text = apw_setup_text_set(text, "imap_server", answers->value[APW_SETUP_IMAP_SERVER]);
    return apw_setup_text_set(text, "smtp_server", answers->value[APW_SETUP_SMTP_SERVER]);
}

/* A key that is there has sealed second factors. */
static int write_key(struct apw_setup_folder *folder, struct apw_error *error)
{
    static const struct apw_setup_file key = {"page", "0600", PAGE_USER,
                                              "/etc/app-password/portal.key"};
    char *there;

    if (apw_setup_credential_check(key.path, error) != 0)
        return -1;
    there = apw_setup_text_read(key.path, NULL);
    if (there == NULL)
        there = apw_setup_credential_make_key();
    return apw_setup_folder_install(folder, &key, there, error);
}

/* nginx reads the limits by itself, and the snippets only if a site includes them. */
static int write_nginx(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                       struct apw_error *error)
{
    static const struct {
        const char *shipped;
        struct apw_setup_file file;
    } parts[] = {
        {"examples/nginx/app-password-limits.conf",
         {"nginx", "0644", "root:root", "/etc/nginx/conf.d/app-password-limits.conf"}},
        {"examples/nginx/app-password-portal.conf",
         {"nginx", "0644", "root:root", "/etc/nginx/snippets/app-password-portal.conf"}},
        {"examples/nginx/app-password-autoconfig.conf",
         {"nginx", "0644", "root:root", "/etc/nginx/snippets/app-password-autoconfig.conf"}},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (apw_setup_folder_install(folder, &parts[i].file,
                                     apw_setup_shipped_adapt(parts[i].shipped, answers, error),
                                     error) != 0)
            return -1;
    return 0;
}

int apw_setup_page_write(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                         struct apw_error *error)
{
    static const struct apw_setup_file conf = {"page", "0640", "root:app-password-portal",
                                               "/etc/app-password/portal.conf"},
                                       secret = {"page", "0600", PAGE_USER,
                                                 "/etc/app-password/portal.secret"};

    if (apw_setup_folder_install(folder, &conf, make_portal_conf(answers, error), error) != 0 ||
        apw_setup_credential_write(folder, &secret, error) != 0 || write_key(folder, error) != 0)
        return -1;
    return apw_setup_answers_is(answers, APW_SETUP_NGINX, "yes")
               ? write_nginx(folder, answers, error)
               : 0;
}
