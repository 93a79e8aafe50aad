#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# apply.sh: makes the changes that "app-password setup" prepared in this folder. Run it as root.
#
#     ./apply.sh [-y FILE] [directory] [host]    makes what is missing, one step at a time
#     ./apply.sh --check [directory] [host]      changes nothing: prints same, differs or missing
#
# "directory" are the steps on the directory's host, "host" those on the mail host. The default is
# both, or what this host has. FILE contains the password of the directory's administrator; without
# it, the script asks. In Active Directory it also asks, on a terminal, before it loads the schema and
# before it turns MFA off for users who are neither on nor off.
#
# It stops at the first failure. Run it again afterwards: it skips what is done. Files that it
# replaces are kept as FILE.before, and ./undo.sh goes back.
set -eu
CDPATH='' cd "$(dirname "$0")"
# shellcheck source=/dev/null
. ./site.sh
. ./steps.sh

read_arguments "$@"

status=0
for step in $(steps_of "$parts"); do
    require "$step"
    state=$(state "$step")
    if [ "$is_check" = yes ]; then
        printf '%-10s %s\n' "$state" "$step"
        [ "$state" = same ] || status=1
    elif [ "$state" = same ]; then
        say "$step: done already"
    else
        say "$step: $(describe "$step")"
        apply "$step"
        [ "$(state "$step")" = same ] || fail "$step: not as expected afterwards; see ./apply.sh --check"
    fi
done
[ "$is_check" = yes ] || cat next
exit $status
