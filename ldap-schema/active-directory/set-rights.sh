#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# set-rights.sh: gives the identities the rights of rights.sddl below an entry of a Samba domain, usually its root.
#
# It reads rights.sddl from its own folder, needs samba-tool and ldb-tools, and passes everything after the entry to
# them. As root on a domain controller, and elsewhere:
#
#     sh set-rights.sh dc=example,dc=org -H /var/lib/samba/private/sam.ldb
#     sh set-rights.sh dc=example,dc=org -H ldap://dc1.example.org -U Administrator
#
# Run it again after a change of rights.sddl: it adds what is missing, in canonical order, and removes nothing. With --remove before the entry, it takes away what it has set.
set -eu

is_removing=
if [ "${1-}" = --remove ]; then
    is_removing=yes
    shift
fi
[ $# -ge 3 ] || {
    echo "usage: set-rights.sh [--remove] ENTRY -H URL [OPTION...]" >&2
    exit 64
}
entry=$1
shift
# The names (sAMAccountName) of the two identities and the group.
mail_server=mail-server
portal=mail-portal
administrators=mail-administrators

sid_of() { # user|group NAME SAMBA-TOOL-OPTION…
    kind=$1
    name=$2
    shift 2
    sid=$(samba-tool "$kind" show "$name" --attributes=objectSid "$@" | sed -n 's/^objectSid: //p')
    [ -n "$sid" ] || {
        echo "set-rights.sh: no $kind $name in the directory" >&2
        return 1
    }
    echo "$sid"
}

# Only the access control list (sd_flags 4), without owner and audit rules.
read_descriptor() { # LDB-OPTION…
    ldbsearch "$@" --controls=sd_flags:1:4 -s base -b "$entry" nTSecurityDescriptor |
        awk '/^ / { line = line substr($0, 2); next } { print line; line = $0 } END { print line }' |
        sed -n 's/^nTSecurityDescriptor: //p'
}

mail_server_sid=$(sid_of user "$mail_server" "$@")
portal_sid=$(sid_of user "$portal" "$@")
administrators_sid=$(sid_of group "$administrators" "$@")
old=$(read_descriptor "$@")
case $old in
D:*\(*) ;;
*)
    echo "set-rights.sh: cannot read the rights of $entry" >&2
    exit 1
    ;;
esac

ours=$(sed -n "s/MAIL-SERVER)$/$mail_server_sid)/; s/PORTAL)$/$portal_sid)/
    s/ADMINISTRATORS)$/$administrators_sid)/; /^(/p" "$(dirname "$0")/rights.sddl")
others=$old
denials=
allowances=
for ace in $ours; do
    case $ace in
    "(OD;"*) denials=$denials$ace ;;
    *) allowances=$allowances$ace ;;
    esac
    case $others in
    *"$ace"*) others=${others%%"$ace"*}${others#*"$ace"} ;;
    esac
done
# In canonical order, which Windows' tools insist on: denials first, and what is inherited last.
flags=${old%%(*}
rest=${others#"$flags"}
while :; do
    ace=${rest%%)*}
    case $ace in
    "("*ID";"*) break ;;
    "(D;"* | "(OD;"*) ;;
    *) break ;;
    esac
    denials=$denials$ace")"
    rest=${rest#*)}
done
new=$flags$denials$allowances$rest
[ -z "$is_removing" ] || new=$others
if [ "$new" = "$old" ]; then
    echo "$entry: nothing to change"
    exit
fi
printf 'dn: %s\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor: %s\n' \
    "$entry" "$new" | ldbmodify "$@" --controls=sd_flags:1:4
