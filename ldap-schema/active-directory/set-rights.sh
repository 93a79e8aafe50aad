#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# set-rights.sh: gives the identities the rights of rights.sddl in the domain of a Samba server.
#
# Run it in the folder with rights.sddl. It needs samba-tool and ldb-tools, and passes its arguments on to them. As
# root on a domain controller, and elsewhere:
#
#     ./set-rights.sh -H /var/lib/samba/private/sam.ldb
#     ./set-rights.sh -H ldap://dc1.example.org -U Administrator
#
# Run it again after a change of rights.sddl: it adds what is missing, and removes nothing.
set -eu

domain=dc=example,dc=org
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
    ldbsearch "$@" --controls=sd_flags:1:4 -s base -b "$domain" nTSecurityDescriptor |
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
    echo "set-rights.sh: cannot read the rights of $domain" >&2
    exit 1
    ;;
esac

ours=$(sed -n "s/MAIL-SERVER)$/$mail_server_sid)/; s/PORTAL)$/$portal_sid)/
    s/ADMINISTRATORS)$/$administrators_sid)/; /^(/p" rights.sddl)
added=
for ace in $ours; do
    case $old in
    *"$ace"*) ;;
    *) added=$added$ace ;;
    esac
done
if [ -z "$added" ]; then
    echo "$domain has all of these rights already"
    exit
fi
# Ours first: the order counts, and ours begin with the denials.
printf 'dn: %s\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor: %s\n' \
    "$domain" "${old%%(*}$added(${old#*(}" | ldbmodify "$@" --controls=sd_flags:1:4
