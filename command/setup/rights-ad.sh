# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154,SC2034
# rights.sh: the steps in Active Directory, on Samba or Windows, from any host. Only an administrator of the
# domain sees the rights and who has MFA, so even --check needs the password.

require_directory() {
    ask_for_admin
}

# Samba has no Who am I (RFC 4532).
bind_only() {
    ldapsearch "$@" -LLL -s base -b "" 1.1
}

# Asks on a terminal. Without one, the caller has decided.
confirm() {
    [ -t 0 ] || return 0
    printf '%s [yes/no] ' "$1"
    read -r answer || return 1
    [ "$answer" = yes ]
}

# An entry that apply.sh added, or one that is disabled and never had a password, as the page's on other hosts.
is_new() {
    grep -qxF "$1" made ||
        as_admin ldapsearch -LLL -s base -b "$1" \
            '(&(userAccountControl:1.2.840.113556.1.4.803:=2)(pwdLastSet=0))' 1.1 | grep -q '^dn:'
}

# Enables the identity, too. 66048: a normal account, whose password never expires.
store_password() {
    as_admin ldapmodify >/dev/null <<LDIF
dn: $1
changetype: modify
replace: unicodePwd
unicodePwd:: $(printf '"%s"' "$(cat "$2")" | iconv -f UTF-8 -t UTF-16LE | base64 -w 0)
-
replace: userAccountControl
userAccountControl: 66048
LDIF
}

# ---- Schema ----

# Our attributes and classes in force, and "user" if users have the class.
definitions_in_force() {
    schema="CN=Schema,CN=Configuration,$forest"
    as_admin ldapsearch -LLL -o ldif-wrap=no -s one -b "$schema" "(lDAPDisplayName=appPassword*)" \
        lDAPDisplayName | values_of lDAPDisplayName
    ! as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "CN=User,$schema" auxiliaryClass |
        values_of auxiliaryClass | grep -qx appPasswordAccount || say user
}

state_schema() {
    wanted=$({
        unfold <directory/schema.ldif | values_of lDAPDisplayName
        say user
    } | sort)
    case $(definitions_in_force | sort) in
    "$wanted") say same ;;
    '') say missing ;;
    *) say differs ;;
    esac
}

apply_schema() {
    [ "$(state_schema)" = missing ] ||
        fail "schema: only a part of it is loaded: load the rest of directory/schema.ldif with ldapmodify -c"
    say "    A change of the schema is permanent, and reaches the whole forest $forest."
    confirm "    Load it now?" || fail "schema: not loaded"
    as_admin ldapmodify -f directory/schema.ldif >/dev/null ||
        fail "schema: $directory_admin must be a member of Schema Admins, and $directory_uri the domain \
controller with the role of schema master; on Samba, smb.conf must have \"dsdb:schema update allowed = yes\" \
for this time"
}

undo_schema() {
    say "    left: Active Directory never deletes a definition"
}

# ---- Rights ----

# An attribute as hexadecimal digits; "none" without the entry. The control asks for the access control list alone.
hex_of() { # DN ATTRIBUTE
    hex=$(as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "$1" -E '!1.2.840.113556.1.4.801=::MAMCAQQ=' "$2" 2>/dev/null |
        sed -n "s/^$2:: //p" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    say "${hex:-none}"
}

# The rules of rights.sddl, as the directory stores them (ACCESS_ALLOWED_OBJECT_ACE in [MS-DTYP] 2.4.4.3).
rules_wanted() {
    MAIL_SERVER=$(hex_of "$(dn_of mail-server)" objectSid) PORTAL=$(hex_of "$(dn_of portal)" objectSid) \
        ADMINISTRATORS=$(hex_of "cn=mail-administrators,ou=groups,$suffix" objectSid) awk -F '[(;)]' '
        function number(value, bytes) {
            return bytes == 0 ? "" : sprintf("%02x", value % 256) number(int(value / 256), bytes - 1)
        }
        function backwards(hex) {
            return hex == "" ? "" : backwards(substr(hex, 3)) substr(hex, 1, 2)
        }
        function guid(text, part) {
            split(text, part, "-")
            return backwards(part[1]) backwards(part[2]) backwards(part[3]) part[4] part[5]
        }
        BEGIN {
            sid["MAIL-SERVER"] = ENVIRON["MAIL_SERVER"]
            sid["PORTAL"] = ENVIRON["PORTAL"]
            sid["ADMINISTRATORS"] = ENVIRON["ADMINISTRATORS"]
            sid["PS"] = "01010000000000050a000000"
        }
        /^\(/ {
            mask = ($4 ~ /RP/) * 16 + ($4 ~ /WP/) * 32 + ($4 ~ /CR/) * 256
            rule = number(mask, 4) number(3, 4) guid($5) guid($6) sid[$7]
            print ($2 == "OD" ? "06" : "05") "0a" number(length(rule) / 2 + 4, 2) rule
        }' directory/rights.sddl
}

# Whether each rule of ours is in force, whatever else is.
state_rights() {
    rules=$(hex_of "$suffix" nTSecurityDescriptor)
    wanted=$(rules_wanted)
    found=$(for rule in $wanted; do
        case $rules in
        *"$rule"*) say found ;;
        esac
    done | wc -l)
    case $found in
    "$(say "$wanted" | wc -l)") say same ;;
    0) say missing ;;
    *) say differs ;;
    esac
}

# Samba's tools accept no CA for ldaps, but encrypt what they send by ldap.
set_rights() {
    if ! command -v samba-tool >/dev/null || ! command -v ldbmodify >/dev/null; then
        say "samba-tool and ldb-tools are not here"
        return 1
    fi
    host=${directory_uri%% *}
    host=${host#ldaps://}
    name=$(as_admin ldapsearch -LLL -s base -b "$directory_admin" sAMAccountName | values_of sAMAccountName)
    domain=$(say "$suffix" | sed 's/[Dd][Cc]=//g; s/,/./g')
    PASSWD_FILE=$admin_secret sh directory/set-rights.sh "$@" "$suffix" \
        -H "ldap://${host%%[:/]*}" -U "$name@$domain"
} >rights.log 2>&1 </dev/null

change_rights() { # the option of set-rights.sh, that of set-rights.ps1
    set_rights ${1:+"$1"} || {
        cat rights.log >&2
        fail "rights: copy $PWD/directory to the domain controller and run there, on Windows
    .\\set-rights.ps1 '$suffix'${2:+ $2}
or on Samba, as root,
    sh set-rights.sh ${1:+$1 }'$suffix' -H /var/lib/samba/private/sam.ldb
Then run this again."
    }
    rm -f rights.log
}

apply_rights() {
    change_rights '' ''
}

# Before the identities go: without them, set-rights could not find its own rules.
undo_rights() {
    change_rights --remove -Remove
}

# ---- MFA ----

# Users who are neither on nor off would be "temporarily unavailable" at our mail servers.
unsaid='(!(appPasswordMfaEnabled=*))'

mfa_off() {
    app-password -c "$PWD/etc/app-password/app-password.conf" -D "$directory_admin" -y "$admin_secret" \
        mfa off --filter "$unsaid" "$@"
}

users_with_mfa_off() {
    as_admin ldapsearch -LLL -o ldif-wrap=no -E pr=500/noprompt -b "$base" '(appPasswordMfaEnabled=FALSE)' 1.1
}

# The command ends with 1, without a word on standard output, if nobody is neither on nor off.
state_mfa() {
    code=0
    pending=$(mfa_off --dry-run 2>/dev/null) || code=$?
    if [ "$code" = 1 ] && [ -z "$pending" ]; then
        say same
    elif users_with_mfa_off | grep -q '^dn:'; then
        say differs
    else
        say missing
    fi
}

apply_mfa() {
    say "    $(mfa_off --dry-run 2>/dev/null | wc -l) users are neither on nor off, and could not sign in."
    confirm "    Turn MFA off for them?" || fail "mfa: run this before the mail servers ask the directory:
    app-password -D $directory_admin -W mfa off --filter '$unsaid'"
    mfa_off >mfa.log || fail "mfa: still neither on nor off for some of them; see mfa.log"
    rm -f mfa.log
}

undo_mfa() {
    users_with_mfa_off |
        sed -n 's/^dn::* .*/&\nchangetype: modify\ndelete: appPasswordMfaEnabled\n/p' |
        as_admin ldapmodify >/dev/null
    say "    left: app passwords, and users whose MFA is on"
}
