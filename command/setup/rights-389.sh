# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154,SC2034
# rights.sh: the steps in a 389 Directory Server. Only the Directory Manager can read the rights, so
# even --check needs the password.

require_directory() {
    ask_for_admin
}

# The server hashes it.
store_password() {
    printf 'dn: %s\nchangetype: modify\nreplace: userPassword\nuserPassword:: %s\n' \
        "$1" "$(base64 -w 0 <"$2")" | as_admin ldapmodify >/dev/null
}

# ---- Schema ----

state_schema() {
    known=$(as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b cn=schema \
        attributeTypes objectClasses | attributes_in_schema)
    state_of_schema directory/app-password-389ds.ldif
}

apply_schema() {
    [ "$(state_schema)" = missing ] ||
        fail "an earlier version of the schema is loaded: see NEWS.md for the upgrade"
    {
        printf 'dn: cn=schema\nchangetype: modify\n'
        unfold <directory/app-password-389ds.ldif |
            sed -n 's/^attributeTypes: .*/add: attributeTypes\n&\n-/p
                s/^objectClasses: .*/add: objectClasses\n&\n-/p'
    } | as_admin ldapmodify >/dev/null
}

undo_schema() {
    say "    left: entries may use it"
}

# ---- Rights and limits ----

# Whether each rule of ours is in force, whatever else is. Prints their number.
count_rules() {
    rules=$(as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "$suffix" aci | values_of aci)
    values_in_file aci | while IFS= read -r rule; do
        ! printf '%s\n' "$rules" | grep -qxF -e "$rule" || say found
    done | wc -l
}

# The first record of the file adds the rules; the next ones set limits of our own identities.
limits() { awk -v RS= -v ORS='\n\n' 'NR > 1' directory/rights.ldif; }

limits_are_set() {
    limits | sed -n 's/^dn: //p' | while IFS= read -r dn; do
        as_admin ldapsearch -LLL -s base -b "$dn" nsPagedLookThroughLimit 2>/dev/null |
            grep -qx 'nsPagedLookThroughLimit: -1' || exit 1
    done
}

state_rights() {
    case $(count_rules) in
    "$(values_in_file aci | wc -l)") if limits_are_set; then say same; else say missing; fi ;;
    0) say missing ;;
    *) say differs ;;
    esac
}

# The rules may be in force without the limits: from an earlier version, or from before the page.
apply_rights() {
    [ "$(state_rights)" = missing ] ||
        fail "some rules about app passwords are in force already: delete them from $suffix"
    if [ "$(count_rules)" -eq 0 ]; then
        as_admin ldapmodify -f directory/rights.ldif >/dev/null
    else
        limits | as_admin ldapmodify >/dev/null
    fi
}

# The limits go with the identities.
undo_rights() {
    values_in_file aci | while IFS= read -r rule; do
        ! as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "$suffix" aci | values_of aci |
            grep -qxF -e "$rule" ||
            printf 'dn: %s\nchangetype: modify\ndelete: aci\naci: %s\n\n' "$suffix" "$rule"
    done | as_admin ldapmodify >/dev/null
}

# ---- Index ----

# Sets $backend, its name, and $index, the entry of the index that reports need.
find_index() {
    backend=$(as_admin ldapsearch -LLL -o ldif-wrap=no -b "cn=ldbm database,cn=plugins,cn=config" \
        "(nsslapd-suffix=$suffix)" cn | values_of cn)
    [ -n "$backend" ] || fail "no backend has the suffix $suffix"
    index="cn=appPassword,cn=index,cn=$backend,cn=ldbm database,cn=plugins,cn=config"
}

state_index() {
    find_index
    if as_admin ldapsearch -LLL -s base -b "$index" dn >/dev/null 2>&1; then
        say same
    else
        say missing
    fi
}

apply_index() {
    find_index
    as_admin ldapadd >/dev/null <<LDIF
dn: $index
objectClass: top
objectClass: nsIndex
cn: appPassword
nsSystemIndex: false
nsIndexType: pres

dn: cn=app-password $(date +%s),cn=index,cn=tasks,cn=config
objectClass: extensibleObject
nsInstance: $backend
nsIndexAttribute: appPassword:pres
LDIF
    say "appPassword pres" >made-index
}

undo_index() {
    if [ ! -e made-index ]; then
        say "    left: it was there before"
        return 0
    fi
    find_index
    as_admin ldapdelete "$index"
    rm -f made-index
}
