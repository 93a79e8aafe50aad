# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154,SC2034 # site.sh sets what is not set here
# steps.sh: the steps of apply.sh and undo.sh. site.sh has the names of this site.
#
# A step is about the directory (schema, identities, rights, index: see directory.sh), or is a group
# of files below etc/, which `files` lists as "STEP MODE OWNER PATH".

say() {
    printf '%s\n' "$*"
}

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The arguments of apply.sh and undo.sh. Sets $is_check, $parts and $admin_secret.
read_arguments() {
    is_check=no
    while [ $# -gt 0 ]; do
        case $1 in
        --check) is_check=yes ;;
        -y)
            [ $# -gt 1 ] || fail "-y needs a file"
            case $2 in
            /*) admin_secret=$2 ;;
            *) admin_secret=$OLDPWD/$2 ;;
            esac
            shift ;;
        directory | host) parts="${parts_given-} $1" parts_given=$parts ;;
        *) refuse_argument "$1" ;;
        esac
        shift
    done
}

refuse_argument() {
    fail "unknown argument $1; see the top of ${0##*/}"
}

[ "$(id -u)" = 0 ] || fail "run it as root"

. ./directory.sh

# The steps of the parts "directory" and "host".
steps_of() {
    for part in $1; do
        case $part in
        directory) say "$directory_steps" ;;
        host) say "$host_steps" ;;
        esac
    done
}

is_in_directory() {
    case $1 in
    schema | identities | rights | index | mfa) return 0 ;;
    esac
    return 1
}

# Before the state of a step is trusted.
require() {
    if is_in_directory "$1"; then
        require_directory
    fi
}

state() {
    if is_in_directory "$1"; then
        "state_$1"
    else
        state_of_files "$1"
    fi
}

describe() {
    case $1 in
    schema) say "adding the schema" ;;
    identities) say "adding identities and their passwords below $suffix" ;;
    rights) say "adding the access rules and limits before yours" ;;
    index) say "adding indexes" ;;
    mfa) say "turning MFA off for users of whom the directory does not say whether it is on" ;;
    *) say "installing files" ;;
    esac
}

apply() {
    if is_in_directory "$1"; then
        "apply_$1"
    else
        apply_files "$1"
    fi
}

undo() {
    if command -v "undo_$1" >/dev/null; then
        "undo_$1"
    else
        undo_files "$1"
    fi
}

# ---- Files ----

# The files of a step: MODE OWNER PATH.
files_of() {
    sed -n "s/^$1 //p" files
}

state_of_file() {
    if [ ! -e "$1" ]; then
        say missing
    elif cmp -s ".$1" "$1"; then
        say same
    else
        say differs
    fi
}

# "missing" means that no file is as it will be.
state_of_files() {
    if [ -e "unfinished-$1" ]; then
        say differs
        return 0
    fi
    states=$(files_of "$1" | while read -r _ _ path; do state_of_file "$path"; done | sort -u)
    case $states in
    same) say same ;;
    *same*) say differs ;;
    *differs*)
        # A file that is still as setup found it.
        if files_of "$1" | while read -r _ _ path; do is_as_found "$path" || exit 1; done; then
            say missing
        else
            say differs
        fi ;;
    *) say missing ;;
    esac
}

is_as_found() {
    if [ -e "found$1" ]; then
        cmp -s "found$1" "$1"
    else
        [ ! -e "$1" ]
    fi
}

apply_files() {
    files_of "$1" | while read -r _ _ path; do
        cmp -s ".$path" "$path" || is_as_found "$path" ||
            fail "$path has changed since setup ran: run setup again, into a new folder"
    done || exit 1
    : >"unfinished-$1" # until the files are verified and in use
    "prepare_$1"
    files_of "$1" | while read -r mode owner path; do
        install_file "$mode" "$owner" "$path"
    done || exit 1
    if ! "verify_$1" >verify.log 2>&1; then
        cat verify.log >&2
        put_back_files "$1"
        fail "$1: the new configuration is not valid; the old one is back"
    fi
    rm -f verify.log
    "reload_$1" || {
        put_back_files "$1"
        "reload_$1" || :
        fail "$1: does not accept the new configuration; the old one is back"
    }
    rm -f "unfinished-$1"
}

# Keeps the file that is there as PATH.before.
install_file() {
    cmp -s ".$3" "$3" && return 0
    say "    $3"
    mkdir -p "$(dirname "$3")"
    if [ -e "$3" ] && [ ! -e "$3.before" ]; then
        cp -p "$3" "$3.before"
    fi
    install -m "$1" -o "${2%:*}" -g "${2#*:}" ".$3" "$3.new"
    mv "$3.new" "$3"
}

put_back_files() {
    files_of "$1" | while read -r _ _ path; do
        is_as_found "$path" || put_back_found "$path"
    done
    rm -f "unfinished-$1"
}

# PATH.before may be older than what setup found: of an earlier folder.
put_back_found() {
    if [ ! -e "found$1" ]; then
        rm -f "$1"
    elif cmp -s "found$1" "$1.before"; then
        mv "$1.before" "$1"
    else
        install -m 0600 "found$1" "$1.new"
        chmod --reference="$1" "$1.new"
        chown --reference="$1" "$1.new"
        mv "$1.new" "$1"
    fi
}

# As before the first apply.sh.
put_back() {
    if [ -e "$1.before" ]; then
        mv "$1.before" "$1"
    else
        rm -f "$1"
    fi
}

undo_files() {
    files_of "$1" >undo.list
    result=0
    while read -r _ _ path; do
        if [ "$path" = /etc/app-password/portal.key ]; then
            say "    $path: left, because it opens the second factors of users"
        elif cmp -s ".$path" "$path"; then
            say "    $path"
            put_back "$path"
        elif ! is_as_found "$path"; then
            say "    $path: left, because it was changed; compare it with $path.before"
            result=1
        fi
    done <undo.list
    rm -f undo.list "unfinished-$1"
    ! command -v "unprepare_$1" >/dev/null || "unprepare_$1"
    "reload_$1" || result=1
    return $result
}

# ---- What each group of files needs before and after ----

# Reloads or starts a service, if this host runs it.
reload() {
    if [ -d /run/systemd/system ]; then
        systemctl reload-or-restart "$1"
    else
        # A server may keep its standard streams.
        service "$1" restart </dev/null >restart.log 2>&1 || {
            cat restart.log >&2
            return 1
        }
        rm -f restart.log
    fi
}

# Nobody has this name. Both commands exit with 1 if the directory says so, and with more if it does
# not answer or does not accept a password of ours.
verify_configuration() {
    code=0
    app-password mfa status app-password-setup || code=$?
    [ $code -le 1 ] || return 1
    code=0
    echo x | app-password check app-password-setup || code=$?
    [ $code -le 1 ]
}
prepare_configuration() { :; }
reload_configuration() { :; }

prepare_dovecot() {
    if [ "$userdb" = virtual ] && ! getent passwd vmail >/dev/null; then
        say "    system user vmail, home /var/vmail"
        useradd --system --create-home --home-dir /var/vmail vmail
    fi
}
# Another passdb would accept the account password of users with MFA.
verify_dovecot() {
    doveconf -n >/dev/null && doveconf -n passdb | awk '
        /^passdb/ { driver = $2; is_kept = 0 }
        /^ *driver = / { driver = $3 }
        /^ *(master|deny) = yes/ { is_kept = 1 }
        /^}/ && driver != "lua" && !is_kept { print "there is another passdb: " driver; bad = 1 }
        END { exit bad }'
}
# A process of Postfix keeps its connection to the Dovecot from before, and would refuse one login.
reload_dovecot() {
    reload dovecot
    [ "$postfix" != dovecot ] || reload postfix
}

prepare_postfix() { :; }
verify_postfix() { postfix check; }
reload_postfix() { reload postfix; }

prepare_page() { :; }
verify_page() { runuser -u app-password-portal -- app-password-portal -t; }
reload_page() {
    if [ ! -d /run/systemd/system ]; then
        say "    start app-password-portal: there is no systemd"
    elif [ -e /etc/app-password/portal.secret ]; then
        systemctl enable app-password-portal && systemctl restart app-password-portal
    else
        systemctl disable --now app-password-portal
    fi
}

prepare_nginx() { usermod -a -G app-password-portal www-data; }
unprepare_nginx() { gpasswd -d www-data app-password-portal >/dev/null || :; }
verify_nginx() { nginx -t; }
reload_nginx() { reload nginx; }
# Without the files that a site of nginx includes, nginx does not start again.
undo_nginx() {
    included=$(nginx -T 2>/dev/null |
        sed -n 's,^# configuration file .*/\(app-password-\(portal\|autoconfig\)\.conf\):$,\1,p')
    for name in $included; do
        say "    left: nginx uses snippets/$name; remove its include and run this again"
    done
    [ -z "$included" ] || return 1
    undo_files nginx
}

prepare_fail2ban() { :; }
verify_fail2ban() { fail2ban-client -t; }
reload_fail2ban() { reload fail2ban; }
