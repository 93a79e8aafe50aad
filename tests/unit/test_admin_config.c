/* SPDX-License-Identifier: BSD-2-Clause */
/* admin.conf: of the whole host, and of one user. */
#include "admin_config.h"
#include "conf_file.h"
#include "unit.h"
#include <sys/stat.h>

#define DN          "cn=admin,dc=example,dc=org"
#define ADMIN       "binddn " DN "\nbindpw_file " FOLDER "/password\n"
#define STORE       "store_binddn " DN "\nstore_bindpw_file " FOLDER "/password\n"
#define READER      "binddn cn=reader,dc=example,dc=org\nbindpw_file " FOLDER "/password\n"
#define NEEDS_STORE "need store_uri in app-password.conf"

static const struct admin_case {
    const char *name;
    const char *text;
    const char *error; /* NULL: it is good */
    bool has_store;
    enum apw_bind_method method;
    bool needs_password;
} cases[] = {
    {"an administrator with a password", ADMIN, NULL, false, APW_BIND_SIMPLE, false},
    {"an administrator who types the password", "binddn " DN "\n", NULL, false, APW_BIND_SIMPLE,
     true},
    {"an administrator with bind external", "bind external\n", NULL, false, APW_BIND_EXTERNAL,
     false},
    {"an administrator with bind gssapi", "bind gssapi\n", NULL, false, APW_BIND_GSSAPI, false},
    {"another method in admin.conf", "bind simple\n",
     FOLDER "/admin.conf:1: bind: \"simple\" is not one of external, gssapi", false,
     APW_BIND_SIMPLE, false},
    {"an administrator without a DN", "bindpw_file " FOLDER "/password\n",
     FOLDER "/admin.conf: bindpw_file needs binddn", false, APW_BIND_SIMPLE, false},
    {"an empty admin.conf", "", FOLDER "/admin.conf: binddn is missing", false, APW_BIND_SIMPLE,
     false},
    {"a key of app-password.conf in admin.conf", "uri ldapi:///\n",
     FOLDER "/admin.conf:1: unknown key \"uri\"", false, APW_BIND_SIMPLE, false},
    {"a bad DN in admin.conf", "\nbinddn admin\n", FOLDER "/admin.conf:2: binddn: \"admin\"", false,
     APW_BIND_SIMPLE, false},
    {"bind external and a DN in admin.conf", "bind external\nbinddn " DN "\n",
     FOLDER "/admin.conf: bind excludes binddn", false, APW_BIND_SIMPLE, false},
    {"bind gssapi and a password in admin.conf", "bind gssapi\nbindpw_file " FOLDER "/password\n",
     FOLDER "/admin.conf: bind excludes binddn and bindpw_file", false, APW_BIND_SIMPLE, false},
    {"an administrator of a store", STORE, NULL, true, APW_BIND_SIMPLE, false},
    {"an administrator of a store with a ticket", "store_bind gssapi\n", NULL, true,
     APW_BIND_GSSAPI, false},
    {"an administrator of a store and of the users' directory", STORE READER, NULL, true,
     APW_BIND_SIMPLE, false},
    {"an admin.conf without identities, with a store", "", NULL, true, APW_BIND_SIMPLE, false},
    {"an administrator of a store who types the password", "store_binddn " DN "\n", NULL, true,
     APW_BIND_SIMPLE, true},
    {"an administrator of a store by two methods", "store_bind external\n" STORE,
     FOLDER "/admin.conf: store_bind excludes store_binddn", true, APW_BIND_SIMPLE, false},
    {"an administrator of a store without a DN", "store_bindpw_file " FOLDER "/password\n",
     FOLDER "/admin.conf: store_bindpw_file needs store_binddn", true, APW_BIND_SIMPLE, false},
    {"an administrator of a store that does not exist", STORE ADMIN, NEEDS_STORE, false,
     APW_BIND_SIMPLE, false},
    {"a ticket for a store that does not exist", "store_bind gssapi\n" ADMIN, NEEDS_STORE, false,
     APW_BIND_SIMPLE, false},
};

/* The two files; returns the path of admin.conf. */
static const char *write_files(const char *text)
{
    static char path[UNIT_PATH_SIZE];
    char password[UNIT_PATH_SIZE];

    unit_write(unit_path("password", password), "secret word\n", 12);
    chmod(password, 0600);
    write_expanded(unit_path("admin.conf", path), text, strlen(text));
    chmod(path, 0644);
    return path;
}

static void assert_empty(const struct apw_identity *identity)
{
    assert_false(apw_identity_is_set(identity));
    assert_null(identity->password);
    assert_null(identity->password_file);
}

static void test_read(void **state)
{
    const struct admin_case *row = *state;
    struct apw_admin_config admin;
    const struct apw_identity *identity = row->has_store ? &admin.store : &admin.users;
    struct apw_error error = {""};
    int status =
        apw_admin_config_read(write_files(row->text), row->has_store, false, &admin, &error);

    assert_int_equal(status, row->error == NULL ? 0 : -1);
    if (row->error != NULL) {
        assert_says(&error, row->error);
        assert_empty(&admin.users);
        assert_empty(&admin.store);
        return;
    }
    assert_int_equal(identity->method, row->method);
    assert_int_equal(apw_identity_needs_password(identity), row->needs_password);
    if (strstr(row->text, "binddn " DN) != NULL)
        assert_string_equal(identity->dn, DN);
    if (strstr(row->text, "bindpw_file") != NULL)
        assert_string_equal(identity->password, "secret word");
    if (strstr(row->text, "cn=reader") != NULL)
        assert_string_equal(admin.users.dn, "cn=reader,dc=example,dc=org");
    apw_admin_config_wipe(&admin);
    assert_empty(&admin.users);
    assert_empty(&admin.store);
}

static void test_missing(void **state)
{
    struct apw_admin_config admin;
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE];

    (void)state;
    unlink(unit_path("admin.conf", path));
    assert_int_equal(apw_admin_config_read(path, false, false, &admin, &error), -1);
    assert_says(&error, FOLDER "/admin.conf: No such file");
    assert_int_equal(apw_admin_config_read(path, false, true, &admin, &error), -1);
    assert_says(&error, FOLDER "/admin.conf: No such file");
}

/* ---- that of one user ---- */

static const struct mode_case {
    const char *name;
    const char *file;
    mode_t mode;
    const char *error; /* NULL: it is good */
} modes[] = {
    {"a personal admin.conf may be read by others", "admin.conf", 0644, NULL},
    {"a personal admin.conf that its group can change", "admin.conf", 0664,
     FOLDER "/admin.conf has mode 0664: others can change it; chmod go-w"},
    {"a personal admin.conf that all can change", "admin.conf", 0602,
     FOLDER "/admin.conf has mode 0602: others can change it"},
    {"a personal password that its group can read", "password", 0640,
     FOLDER "/password has mode 0640: others can read or change it; chmod go-rwx"},
    {"a personal password that all can read", "password", 0604,
     FOLDER "/password has mode 0604: others can read or change it"},
    {"the folder of a personal admin.conf that all can change", "", 0707,
     "has mode 0707: others can change it; chmod go-w"},
};

static void test_mode(void **state)
{
    const struct mode_case *row = *state;
    struct apw_admin_config admin;
    struct apw_error error = {""};
    const char *path = write_files(ADMIN);
    char changed[UNIT_PATH_SIZE];

    chmod(unit_path(row->file, changed), row->mode);
    if (row->error != NULL) {
        assert_int_equal(apw_admin_config_read(path, false, true, &admin, &error), -1);
        assert_says(&error, row->error);
    }
    /* what the host's administrator has written is not looked at */
    assert_int_equal(apw_admin_config_read(path, false, row->error == NULL, &admin, &error), 0);
    apw_admin_config_wipe(&admin);
    chmod(changed, 0700);
}

static const struct owner_case {
    const char *name;
    const char *file;
} owners[] = {
    {"a personal admin.conf of another user", "admin.conf"},
    {"a personal password of another user", "password"},
    {"a folder of another user", ""},
};

static void test_owner(void **state)
{
    const struct owner_case *row = *state;
    struct apw_admin_config admin;
    struct apw_error error = {""};
    const char *path = write_files(ADMIN);
    char owned[UNIT_PATH_SIZE];

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(unit_path(row->file, owned), 65534, (gid_t)-1), 0);
    assert_int_equal(apw_admin_config_read(path, false, true, &admin, &error), -1);
    assert_contains(error.text, " belongs to nobody, and not to the user who calls app-password");
    assert_int_equal(chown(owned, 0, (gid_t)-1), 0);
    assert_int_equal(apw_admin_config_read(path, false, true, &admin, &error), 0);
    apw_admin_config_wipe(&admin);
}

int main(void)
{
    UNIT_ROWS(cases, test_read);
    UNIT_TEST("a missing admin.conf is an error", test_missing);
    UNIT_ROWS(modes, test_mode);
    UNIT_ROWS(owners, test_owner);
    return unit_run();
}
