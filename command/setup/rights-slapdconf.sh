# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
# rights.sh: schema, rights and index of an OpenLDAP directory with slapd.conf are files; see steps.sh.

require_directory() {
    ldapsearch -x -H "$directory_uri" -LLL -s base -b "" dn >/dev/null ||
        fail "no answer at $directory_uri"
}

store_password() {
    as_admin ldappasswd -T "$2" "$1"
}

prepare_slapd() { :; }
verify_slapd() { slaptest -u -f "$database"; }

# slapd does not read slapd.conf again while it runs.
reload_slapd() {
    service slapd stop </dev/null >/dev/null 2>&1
    result=0
    index_mail || result=1
    reload slapd && wait_for_directory || result=1
    return $result
}

# A new index must have the entries that are there already.
index_mail() {
    grep -q '^index mail eq$' "$database" || return 0
    folder=$(awk -v suffix="$suffix" '
        $1 == "suffix" { gsub(/"/, "", $2); is_ours = tolower($2) == tolower(suffix) }
        $1 == "directory" { gsub(/"/, "", $2); if (is_ours) print $2 }' "$database")
    runuser -u "$(stat -c %U "$folder")" -- slapindex -q -f "$database" -b "$suffix" mail
}

# Without the schema, slapd could not read entries that use it, so its line stays.
undo_slapd() {
    rm -f unfinished-slapd
    if is_as_found "$database"; then
        return 0
    elif ! cmp -s ".$database" "$database"; then
        say "    $database: left, because it was changed; compare it with $database.before"
        return 1
    fi
    say "    $database, except for the schema: entries may use it"
    cat directory/slapd.conf >"$database"
    cat directory/slapd.conf >"found$database"
    rm -f "$database.before"
    put_back "$(dirname "$database")/app-password-rights.conf"
    reload_slapd
}

wait_for_directory() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! (require_directory) 2>/dev/null || return 0 # in a subshell, because it may end the script
        sleep 1
    done
    return 1
}
