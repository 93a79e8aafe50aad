#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# undo.sh: takes back what apply.sh did, in the opposite order. Run it as root.
#
#     ./undo.sh [-y FILE] [directory] [host]
#
# It takes the same arguments as apply.sh. It leaves what users may need: the schema, the key of the
# self-service page and the mailboxes. A file that was changed after apply.sh is left, too.
set -eu
CDPATH='' cd "$(dirname "$0")"
# shellcheck source=/dev/null
. ./site.sh
. ./steps.sh

read_arguments "$@"
[ "$is_check" = no ] || refuse_argument --check

backwards=
for step in $(steps_of "$parts"); do
    backwards="$step $backwards"
done
status=0
for step in $backwards; do
    require "$step"
    state=$(state "$step")
    if [ "$state" = missing ]; then
        say "$step: nothing to undo"
    else
        say "$step: going back"
        undo "$step" || status=1
    fi
done
case " $parts " in
*" directory "*)
    cat <<END

App passwords and second factors stay in the entries of users. Without our access rules, your own rules
now decide who may read them. "Removing" in ldap-schema/README.md, below /usr/share/sasl-app-password,
says how to delete them.
END
    ;;
esac
exit $status
