# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154,SC2034
# directory.sh: what the steps in any directory need, and the step for the identities. rights.sh has the
# others.

# app-password sets LDAPNOINIT, which would hide ldap.conf and these variables from ldapsearch.
unset LDAPNOINIT
[ -z "${tls_cacert-}" ] || export LDAPTLS_CACERT="$tls_cacert"

as_root() {
    tool=$1
    shift
    "$tool" -Q -Y EXTERNAL -H "$directory_uri" "$@"
}

as_admin() {
    tool=$1
    shift
    if [ "$directory_admin" = EXTERNAL ]; then
        as_root "$tool" "$@"
    else
        "$tool" -x -H "$directory_uri" -D "$directory_admin" -y "$admin_secret" "$@"
    fi
}

bind_only() {
    ldapwhoami "$@"
}

# Sets $admin_secret, a file without a line end.
ask_for_admin() {
    [ "$directory_admin" != EXTERNAL ] && [ -z "${admin_typed-}" ] || return 0
    admin_typed=$(mktemp ./admin.XXXXXX)
    trap 'rm -f "$admin_typed"; stty echo 2>/dev/null || :' EXIT
    trap 'exit 1' HUP INT TERM
    if [ -n "${admin_secret-}" ]; then
        password=$(cat "$admin_secret")
    else
        [ -t 0 ] || fail "needs the password of $directory_admin: use -y FILE, or a terminal"
        printf 'Password of %s: ' "$directory_admin"
        stty -echo
        IFS= read -r password
        stty echo
        printf '\n'
    fi
    printf '%s' "$password" >"$admin_typed"
    password=
    admin_secret=$admin_typed
    as_admin bind_only >/dev/null || fail "cannot bind as $directory_admin at $directory_uri"
}

# Joins continued lines and drops comments.
unfold() {
    awk '/^#/ { next }
         /^ / { line = line substr($0, 2); next }
         { if (line != "") print line; line = $0 }
         END { print line }'
}

# The values of an attribute in a file or a search, without their numbers.
values_of() {
    sed -n "s/^$1: /plain /p; s/^$1:: /base64 /p" | while read -r form value; do
        case $form in
        base64) value=$(printf '%s' "$value" | base64 -d) ;;
        esac
        printf '%s\n' "$value" | sed 's/^{[0-9]*}//'
    done | tr -s ' '
}

values_in_file() {
    unfold <directory/rights.ldif | values_of "$1"
}

# The names that a schema defines.
attributes_in_schema() {
    tr -s ' \n' ' ' | grep -o "NAME '[A-Za-z]*'" | sort -u
}

# Compares a file with the names in $known. The schema of 0.1 lacks those that only a store needs.
state_of_schema() {
    state=missing
    unknown=no
    for name in $(unfold <"$1" | attributes_in_schema | cut -d "'" -f 2); do
        case $known in
        *"'$name'"*)
            state=differs
            continue
            ;;
        esac
        case $name in
        appPasswordOwner | appPasswordOrphanSince | appPasswordEntry) ;;
        *) unknown=yes ;;
        esac
    done
    [ $unknown = yes ] || state=same
    say $state
}

# ---- Identities ----

can_bind() {
    bind_only -x -H "$directory_uri" -D "$(dn_of "$1")" -y "etc/app-password/$1.secret" \
        >/dev/null 2>&1
}

dn_of() {
    case $1 in
    admin) say "cn=administrator,ou=services,$suffix" ;;
    *) say "cn=$1,ou=services,$suffix" ;;
    esac
}

state_identities() {
    found=0
    wanted=0
    for identity in $identities; do
        wanted=$((wanted + 1))
        if can_bind "$identity"; then
            found=$((found + 1))
        fi
    done
    case $found in
    "$wanted") say same ;;
    0) say missing ;;
    *) say differs ;;
    esac
}

apply_identities() {
    ask_for_admin
    touch made
    sed -n 's/^dn: //p' directory/identities.ldif | while IFS= read -r dn; do
        add_entry "$dn"
    done || exit 1
    for identity in $identities; do
        can_bind "$identity" || set_password "$identity"
    done
}

# Adds one entry, unless it exists; `made` lists those that it added.
add_entry() {
    code=0
    as_admin ldapsearch -LLL -s base -b "$1" dn >/dev/null 2>&1 || code=$?
    [ $code != 0 ] || return 0
    [ $code = 32 ] || fail "cannot look for $1 as $directory_admin"
    say "    $1"
    DN=$1 awk -v RS= 'index($0 "\n", "dn: " ENVIRON["DN"] "\n")' directory/identities.ldif |
        as_admin ldapadd >/dev/null || fail "cannot add $1"
    printf '%s\n' "$1" >>made
}

# Whether it has no password that is in use.
is_new() {
    grep -qxF "$1" made
}

set_password() {
    dn=$(dn_of "$1")
    is_new "$dn" || fail "$dn exists already and has another password: write that password \
into etc/app-password/$1.secret in this folder, or copy that file from an earlier folder, and run this again"
    store_password "$dn" "etc/app-password/$1.secret"
}

undo_identities() {
    [ -s made ] || return 0
    ask_for_admin
    sed '1!G;h;$!d' made | while IFS= read -r dn; do
        code=0
        as_admin ldapdelete "$dn" >/dev/null 2>&1 || code=$?
        case $code in
        0) say "    $dn" ;;
        32) : ;;
        66) say "    $dn: left, because there are other entries below it" ;;
        *) fail "cannot delete $dn: error $code" ;;
        esac
    done || exit 1
    rm -f made
}

# shellcheck source=rights-cnconfig.sh
. ./rights.sh
