# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154,SC2034
# rights.sh: the steps in an OpenLDAP directory with cn=config.

require_directory() {
    [ -z "${is_required-}" ] || return 0
    as_root ldapsearch -LLL -s base -b cn=config dn >/dev/null ||
        fail "cannot read cn=config at $directory_uri as root of this host"
    is_required=yes
}

values_in_force() {
    as_root ldapsearch -LLL -o ldif-wrap=no -s base -b "$database" "$1" | values_of "$1"
}

store_password() {
    as_admin ldappasswd -T "$2" "$1"
}

# ---- Schema ----

state_schema() {
    known=$(as_root ldapsearch -LLL -o ldif-wrap=no -b cn=schema,cn=config \
        olcAttributeTypes olcObjectClasses | attributes_in_schema)
    state_of_schema directory/app-password.ldif
}

apply_schema() {
    [ "$(state_schema)" = missing ] ||
        fail "an earlier version of the schema is loaded: see NEWS.md for the upgrade"
    as_root ldapadd -f directory/app-password.ldif >/dev/null
}

undo_schema() {
    say "    left: entries may use it"
}

# ---- Rights and limits ----

# Whether our values of an attribute are in force, before all others.
are_first() {
    wanted=$(values_in_file "$1")
    [ -z "$wanted" ] ||
        [ "$(values_in_force "$1" | head -n "$(say "$wanted" | wc -l)")" = "$wanted" ]
}

state_rights() {
    if are_first olcAccess && are_first olcLimits &&
        [ "$(values_in_force olcAddContentAcl)" = TRUE ]; then
        say same
    elif values_in_force olcAccess | grep -qi 'attrs=[^ ]*appPassword'; then
        say differs
    else
        say missing
    fi
}

apply_rights() {
    [ "$(state_rights)" = missing ] || fail "other rules about app passwords are in force already: \
delete them from $database, or keep them and remove \"rights\" from site.sh"
    [ -e before.ldif ] ||
        (umask 077 && as_root ldapsearch -LLL -o ldif-wrap=no -s base -b "$database" >before.ldif)
    as_root ldapmodify -f directory/rights.ldif >/dev/null
}

undo_rights() {
    [ "$(state_rights)" = same ] || {
        say "    left, because the rules were changed; compare $database with before.ldif"
        return 1
    }
    {
        printf 'dn: %s\nchangetype: modify\n' "$database"
        for attribute in olcAccess olcLimits; do
            count=$(values_in_file $attribute | wc -l)
            while [ "$count" -gt 0 ]; do
                count=$((count - 1))
                printf 'delete: %s\n%s: {%s}\n-\n' $attribute $attribute $count
            done
        done
        # An earlier folder may have added the rules; this one then does not know what was before.
        if [ -e before.ldif ]; then
            echo 'replace: olcAddContentAcl'
            grep '^olcAddContentAcl: ' before.ldif || :
        fi
    } | as_root ldapmodify >/dev/null
}

# ---- Index ----

has_index() {
    awk -v want="$1" '{
        count = split($1, names, ",")
        for (i = 1; i <= count; i++)
            if (tolower(names[i]) == want && $0 ~ /[ ,]eq/) found = 1
    } END { exit !found }'
}

state_index() {
    if values_in_force olcDbIndex | has_index mail; then
        say same
    else
        say missing
    fi
}

apply_index() {
    as_root ldapmodify -f directory/index.ldif >/dev/null
    say "mail eq" >made-index
}

undo_index() {
    if [ ! -e made-index ]; then
        say "    left: it was there before"
        return 0
    fi
    printf 'dn: %s\nchangetype: modify\ndelete: olcDbIndex\nolcDbIndex: mail eq\n' "$database" |
        as_root ldapmodify >/dev/null
    rm -f made-index
}
